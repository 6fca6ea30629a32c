"""Requests to vendors: failures classed where they are born, tried again without sleeping, bounded, without secrets."""

import itertools

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.ingestion import http
from stonks_assets.ingestion.http import Answer, shown
from stonks_core.errors import PermanentError, TransientError
from tests.assets.ingestion.asking import NOON, WrittenWeb

URL = "https://vendor.example/v1/things"


def web(page: httpx.Response | Exception) -> WrittenWeb:
    return WrittenWeb({URL: page})


def test_an_answer_is_read_whole_and_stamped() -> None:
    there = web(httpx.Response(200, json={"a": 1}, headers={"X-Thing": "y"}))
    answer = there.fetcher(headers={"Authorization": "Bearer k"}).get(URL, {"limit": 3})
    assert (answer.url, answer.status, answer.json(), answer.at) == (URL, 200, {"a": 1}, NOON)
    assert answer.headers["x-thing"] == "y"
    assert answer.media_type == "application/json"
    assert there.urls == [f"{URL}?limit=3"]
    assert there.asked[0].headers["authorization"] == "Bearer k"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    there = web(httpx.Response(status, json={"error": "come again"}))
    with pytest.raises(TransientError, match=f"{URL} answered {status}: come again"):
        there.fetcher(attempts=3).get(URL)
    assert len(there.asked) == 3
    assert there.pauses == sorted(there.pauses)
    assert len(there.pauses) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 501])
def test_what_will_not_pass_is_asked_once(status: int) -> None:
    there = web(httpx.Response(status, json={"message": "never"}))
    with pytest.raises(PermanentError, match=f"{URL} answered {status}: never"):
        there.fetcher(attempts=3).get(URL)
    assert len(there.asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.ConnectTimeout("x"),
    ],
)
def test_a_broken_line_may_pass(error: Exception) -> None:
    there = web(error)
    with pytest.raises(TransientError, match=f"{URL} did not answer: {type(error).__name__}"):
        there.fetcher(attempts=2).get(URL)
    assert len(there.asked) == 2


def test_a_second_attempt_may_do_and_passes_the_gate_too() -> None:
    answers = itertools.chain(
        [httpx.Response(503), httpx.ConnectError("x")], itertools.repeat(httpx.Response(200, text="ok"))
    )
    gate: list[int] = []

    def page(_: httpx.Request) -> httpx.Response:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    there = WrittenWeb({URL: page})
    assert there.fetcher(attempts=3, gate=lambda: gate.append(1)).get(URL).text() == "ok"
    assert len(gate) == 3


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", 7.0), ("0", 0.2), ("9999", 30.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.2)]
)
def test_the_vendor_says_when_to_come_again(asked: str, waited: float) -> None:
    there = web(httpx.Response(429, headers={"Retry-After": asked}))
    with pytest.raises(TransientError):
        there.fetcher(attempts=2).get(URL)
    assert there.pauses == [waited]


def test_addresses_that_cannot_be_asked() -> None:
    for url in ("ftp://vendor.example/x", "no address", "http://"):
        with pytest.raises(PermanentError, match="cannot be asked"):
            WrittenWeb({url: httpx.UnsupportedProtocol("x")}).fetcher(transport=None).get(url)


def test_redirects_are_followed_or_refused_and_never_an_answer() -> None:
    there = WrittenWeb(
        {
            URL: httpx.Response(302, headers={"location": "https://other.example/?apiKey=k"}),
            "https://other.example/": httpx.Response(200, text="there"),
        }
    )
    assert there.fetcher().get(URL).text() == "there"
    with pytest.raises(PermanentError, match=r"answered 302 and leads to https://other.example/\?apiKey=\*\*\*"):
        there.fetcher(follow_redirects=False).get(URL)
    with pytest.raises(PermanentError, match="answered 304"):
        web(httpx.Response(304)).fetcher().get(URL)


def test_an_authorisation_goes_to_no_other_host() -> None:
    there = WrittenWeb(
        {
            URL: httpx.Response(302, headers={"location": "https://other.example/"}),
            "https://other.example/": httpx.Response(200, content=b"there"),
        }
    )
    there.fetcher(headers={"Authorization": "Bearer k"}).get(URL)
    assert ["authorization" in request.headers for request in there.asked] == [True, False]


def test_a_circle_of_redirects_ends() -> None:
    with pytest.raises(PermanentError, match="TooManyRedirects"):
        web(httpx.Response(302, headers={"location": URL})).fetcher().get(URL)


def test_an_answer_that_is_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1000)
    assert len(web(httpx.Response(200, content=b"x" * 1000)).fetcher().get(URL).content) == 1000
    with pytest.raises(PermanentError, match="is longer than 1,000 bytes"):
        web(httpx.Response(200, content=b"x" * 1001)).fetcher().get(URL)


def test_an_answer_that_drips_is_left() -> None:
    seconds = itertools.count(0, 40)
    drip = httpx.Response(200, content=iter([b"a", b"b", b"c"]))
    there = WrittenWeb({URL: lambda _: drip})
    with pytest.raises(TransientError, match="took longer than 60 s to answer"):
        there.fetcher(attempts=1, monotonic=lambda: next(seconds)).get(URL)


@pytest.mark.parametrize(
    ("content", "media", "text"),
    [
        ("grün".encode(), "text/html", "grün"),
        ("grün".encode("latin-1"), "text/html; charset=ISO-8859-1", "grün"),
        ("grün".encode("latin-1"), "text/html", "gr�n"),
        ("grün".encode(), 'text/html; charset="utf-8"; x=y', "grün"),
        ("grün".encode(), "text/html; charset=no-such", "grün"),
        ("grün".encode(), "", "grün"),
    ],
)
def test_text_in_its_declared_charset(content: bytes, media: str, text: str) -> None:
    assert Answer(URL, 200, {"content-type": media} if media else {}, content, NOON).text() == text


def test_what_is_no_json_may_be_so_next_time() -> None:
    with pytest.raises(TransientError, match="answered something that is not JSON"):
        Answer(URL, 200, {}, b'{"cut": ', NOON).json()


def test_no_secret_header_is_kept() -> None:
    answer = Answer(URL, 200, {"Set-Cookie": "a", "etag": "e", "authorization": "b", "APCA-API-KEY-ID": "k"}, b"", NOON)
    assert answer.safe_headers == {"etag": "e"}


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://user:word@host.example/x", "https://host.example/x"),
        ("https://host.example/x?apiKey=abc&limit=1", "https://host.example/x?apiKey=***&limit=1"),
        ("https://host.example/x?limit=1&api_key=abc", "https://host.example/x?limit=1&api_key=***"),
        ("https://host.example/a@b?q=monkey=1", "https://host.example/a@b?q=monkey=1"),
        ("no address", "no address"),
    ],
)
def test_addresses_are_told_without_secrets(url: str, told: str) -> None:
    assert shown(url) == told


@given(st.text("abcdefgh0123456789", min_size=4))
def test_a_key_in_an_address_is_in_no_sentence(key: str) -> None:
    secret = f"K{key}K"
    url = f"https://u:{secret}@vendor.example/v1?apiKey={secret}"
    there = WrittenWeb({"https://vendor.example/v1": httpx.Response(500)})
    with pytest.raises((TransientError, PermanentError)) as caught:
        there.fetcher(attempts=1).get(url)
    assert secret not in str(caught.value)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger=http.__name__)
    return caplog


def test_an_attempt_that_failed_is_told_though_the_next_one_does(told: pytest.LogCaptureFixture) -> None:
    answers = iter(
        [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200), httpx.Response(200, text="x")]
    )
    there = WrittenWeb({URL: lambda _: next(answers)})
    assert there.fetcher().get(URL).content == b"x"
    assert told.messages == [
        f"attempt 1 failed and is made again in 7.0 s: {URL} answered 429: no reason given",
        f"attempt 2 failed and is made again in 0.4 s: {URL} answered 200 with an empty body",
    ]


def test_an_empty_body_is_an_answer_where_it_may_be() -> None:
    there = web(httpx.Response(200))
    with pytest.raises(TransientError, match=f"{URL} answered 200 with an empty body"):
        there.fetcher().get(URL)
    assert there.fetcher().get(URL, may_be_empty=True).content == b""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": "the error", "message": "m"}', "the error"),
        (b'{"message": "only this"}', "only this"),
        (b'["x"]', r"\['x'\]"),
        (b"<html>down</html>", "<html>down</html>"),
        (b"", "no reason given"),
    ],
)
def test_the_vendor_s_own_reason_is_told(content: bytes, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        web(httpx.Response(400, content=content)).fetcher().get(URL)
