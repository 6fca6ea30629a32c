"""Servers that mean harm: bombs, bodies and heads without end, lengths that lie; each refused by name, in little memory."""

import gzip
import itertools
import threading
import tracemalloc
import zlib
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion import http
from stonks_assets.ingestion.body import PIECE, _Unfolding
from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from tests.assets.ingestion.asking import NOON
from tests.assets.ingestion.hostile import Answering, head, serving

BOMB = 200_000_000
LENGTH = "is longer than 25,000,000 bytes and was left"


def get(answering: Answering) -> Answer:
    with serving(answering) as origin, Fetcher(ManualClock(NOON), attempts=1) as fetcher:
        return fetcher.get(f"{origin}/x")


def packed(size: int, wbits: int) -> bytes:
    packer, block = zlib.compressobj(9, zlib.DEFLATED, wbits), bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    yield b"0\r\n\r\n"


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """200 MB of zeros in some 200 KB, and that packed once more."""
    once = packed(BOMB, zlib.MAX_WBITS | 16)
    assert len(once) < 250_000
    return {
        "gzip": once,
        "deflate": packed(BOMB, zlib.MAX_WBITS),
        "bare deflate": packed(BOMB, -zlib.MAX_WBITS),
        "gzip, gzip": gzip.compress(once),
    }


@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate", "gzip, gzip"])
def test_a_bomb_is_refused_in_bounded_memory(bombs: dict[str, bytes], name: str) -> None:
    content = bombs[name]
    coding = name.removeprefix("bare ")
    tracemalloc.start()
    try:
        with pytest.raises(PermanentError, match=LENGTH):
            get(lambda _: [head(f"Content-Encoding: {coding}", f"Content-Length: {len(content)}"), content])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000, f"{peak:,} bytes were held at once"


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br"])
def test_codings_that_were_not_asked_for_are_refused_by_name(coding: str) -> None:
    with pytest.raises(PermanentError, match=r"answers in the coding \w+, which was not asked for"):
        get(lambda _: [head(f"Content-Encoding: {coding}", "Content-Length: 3"), b"xyz"])


def test_what_is_packed_three_times_is_refused() -> None:
    with pytest.raises(PermanentError, match="is packed 3 times, more than 2"):
        get(lambda _: [head("Content-Encoding: gzip, gzip, gzip", "Content-Length: 3"), b"xyz"])


def test_what_is_packed_honestly_is_read() -> None:
    page = b"a page " * 100_000
    for coding, content in {
        "gzip": gzip.compress(page[:100]) + gzip.compress(page[100:]) + b"what follows is dropped",
        "x-gzip": gzip.compress(page),
        "deflate": zlib.compress(page),
        "deflate, gzip": gzip.compress(zlib.compress(page)),
        "identity": page,
    }.items():
        lines = (f"Content-Encoding: {coding}", f"Content-Length: {len(content)}")
        assert get(lambda _, told=lines, sent=content: [head(*told), sent]).content == page


def test_what_is_packed_and_broken_or_cut_may_be_whole_next_time() -> None:
    whole = gzip.compress(b"a page " * 1000)
    for content, words in ((whole[:-9], "cut short"), (b"no gzip at all", "broken")):
        with pytest.raises(TransientError, match=f"is packed by gzip and {words}"):
            get(lambda _, sent=content: [head("Content-Encoding: gzip", f"Content-Length: {len(sent)}"), sent])


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_without_end_is_left(coding: str) -> None:
    nothing = gzip.compress(b"")  # members that unfold to nothing, for ever
    piece = nothing * 3000 if coding == "gzip" else bytes(60_000)
    with pytest.raises(PermanentError, match=LENGTH):
        get(
            lambda _: itertools.chain(
                [head(f"Content-Encoding: {coding}", "Transfer-Encoding: chunked")], chunked(itertools.repeat(piece))
            )
        )


def test_a_head_without_end_is_left() -> None:
    lines = (b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in itertools.count())
    with pytest.raises(PermanentError, match="sends a head that does not end within 100 KiB"):
        get(lambda _: itertools.chain([b"HTTP/1.1 200 OK\r\n"], lines))


def test_one_header_without_end_is_left() -> None:
    with pytest.raises(PermanentError, match="sends a head that does not end within 100 KiB"):
        get(lambda _: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x" * 1000)))


@pytest.mark.parametrize(
    "first",
    [b"HTTP/1.1 200 OK\r\nX: ", head("Transfer-Encoding: chunked"), b""],
    ids=["in the head", "in the body", "by interim answers"],
)
def test_a_slow_drip_is_left(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_SECONDS", 0.3)
    pause, drop = threading.Event(), b"1\r\nx\r\n" if first.endswith(b"\r\n\r\n") else b"x"
    drop = drop if first else b"HTTP/1.1 103 Early Hints\r\n\r\n"

    def dripping(_: bytes) -> Iterator[bytes]:
        yield first
        while not pause.wait(0.02):
            yield drop

    try:
        with serving(dripping) as origin, Fetcher(ManualClock(NOON), attempts=1) as fetcher:
            with pytest.raises(TransientError, match=r"took longer than 0\.3 s to answer and was left"):
                fetcher.get(f"{origin}/x")
            pause.set()
    finally:
        pause.set()


@pytest.mark.parametrize(
    ("length", "failure", "words"),
    [
        ("100", TransientError, "did not answer: RemoteProtocolError"),  # more than comes
        ("25000001", PermanentError, LENGTH),  # told before a byte is read
        ("-1", TransientError, "RemoteProtocolError"),
        ("3\r\nContent-Length: 4", TransientError, "RemoteProtocolError"),
    ],
)
def test_lengths_that_lie(length: str, failure: type[Exception], words: str) -> None:
    with pytest.raises(failure, match=words):
        get(lambda _: [head(f"Content-Length: {length}"), b"xyz"])


def test_more_than_the_length_says_is_not_read() -> None:
    assert get(lambda _: [head("Content-Length: 3"), b"xyz" * 10]).content == b"xyz"


def test_a_refusal_is_told_by_its_status_even_when_its_body_is_a_bomb(bombs: dict[str, bytes]) -> None:
    content = bombs["gzip"]
    lines = ("Content-Encoding: gzip", f"Content-Length: {len(content)}")
    with pytest.raises(PermanentError, match="answered 404: no reason given"):
        get(lambda _: [head(*lines, status="404 Not Found"), content])
    with pytest.raises(TransientError, match="answered 503"):
        get(lambda _: [head("Content-Encoding: br", "Content-Length: 1", status="503 Busy"), b"x"])


@given(
    st.binary(max_size=300).flatmap(lambda b: st.tuples(st.just(b * 700), st.sampled_from([-15, 15, 31]))),
    st.integers(1, 5000),
)
def test_unfolding_gives_back_what_was_packed_in_small_pieces(case: tuple[bytes, int], step: int) -> None:
    content, wbits = case
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    sent = packer.compress(content) + packer.flush()
    unfolding = _Unfolding("gzip" if wbits == 31 else "deflate")
    got = [piece for at in range(0, len(sent), step) for piece in unfolding.feed(sent[at : at + step])]
    assert b"".join(got) == content
    assert unfolding.ended
    assert max(map(len, got)) <= PIECE
