"""Bodies of answers, decoded here piece by piece: neither what came nor what it unfolds to grows past its limit.

httpx would decode each chunk that it reads whole: 64 KiB of gzip unfold to 64 MiB at once, and to far more when packed
twice.
"""

import zlib
from collections.abc import Iterable, Iterator

import httpx

from stonks_core.errors import PermanentError, TransientError

PIECE = 65_536
MOST_CODINGS = 2
ACCEPTED = "gzip, deflate"
_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}


def body_of(response: httpx.Response, said: str, limit: int) -> Iterator[bytes]:
    """The decoded body in pieces of at most 64 KiB or as they came; `said` names the address in sentences.

    Raises PermanentError for more than `limit` bytes, before or after decoding, for a coding that was not asked for and
    for more than two of them; TransientError for a coded body that is broken or cut.
    """
    if response.is_stream_consumed:  # the transport read and decoded it by itself
        yield from _bounded([response.content], said, limit)
        return
    codings = _codings(response.headers.get("content-encoding", ""), said)
    declared = response.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise PermanentError(f"{said} is longer than {limit:,} bytes and was left")
    pieces = _bounded(response.iter_raw(), said, limit)
    for coding in reversed(codings):
        pieces = _bounded(_unfolded(pieces, coding, said), said, limit)
    yield from pieces


def _codings(header: str, said: str) -> list[str]:
    names = [name for name in (part.strip().lower() for part in header.split(",")) if name not in {"", "identity"}]
    if unknown := [name for name in names if name not in _CODINGS]:
        raise PermanentError(f"{said} answers in the coding {unknown[0][:40]}, which was not asked for, and was left")
    if len(names) > MOST_CODINGS:
        raise PermanentError(f"{said} is packed {len(names)} times, more than {MOST_CODINGS}, and was left")
    return [_CODINGS[name] for name in names]


def _bounded(pieces: Iterable[bytes], said: str, limit: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise PermanentError(f"{said} is longer than {limit:,} bytes and was left")
        yield piece


def _unfolded(pieces: Iterable[bytes], coding: str, said: str) -> Iterator[bytes]:
    unfolding = _Unfolding(coding)
    try:
        for piece in pieces:
            yield from unfolding.feed(piece)
    except zlib.error as error:
        raise TransientError(f"{said} is packed by {coding} and broken: {error}") from error
    if unfolding.begun and not unfolding.ended:
        raise TransientError(f"{said} is packed by {coding} and cut short")


class _Unfolding:
    """One coding undone, never more than a piece at a time. gzip may have several members; what follows them is dropped."""

    def __init__(self, coding: str) -> None:
        self._gzip = coding == "gzip"
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16 if self._gzip else zlib.MAX_WBITS)
        self._begin = b""
        self._decided = self._gzip
        self.begun = self._dropping = False

    @property
    def ended(self) -> bool:
        """Whether what was begun is whole."""
        return self._inner.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What some bytes more unfold to."""
        self.begun = self.begun or bool(data)
        if not self._decided:
            data = self._begin = self._begin + data
            if len(data) < 2:
                return
            self._decide(data)
        while data and not self._dropping:
            if self._inner.eof:
                self._dropping = not (self._gzip and data.startswith(b"\x1f"))
                if self._dropping:
                    return
                self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
            piece = self._inner.decompress(data, PIECE)
            yield piece
            data = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
            while not data and len(piece) == PIECE and not self._inner.eof:  # more is held back inside
                piece = self._inner.decompress(b"", PIECE)
                yield piece

    def _decide(self, data: bytes) -> None:
        """By zlib's two bytes of header (RFC 1950): some call the bare stream deflate, too."""
        if data[0] & 15 != zlib.DEFLATED or int.from_bytes(data[:2], "big") % 31:
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        self._decided = True
