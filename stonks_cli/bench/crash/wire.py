"""A TCP line between the daemons and the broker that is cut on purpose: before a request, after it, or in its answer."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

CHUNK = 65_536
HOST = "127.0.0.1"


class Cut(StrEnum):
    """Where the line is cut: everything at once, or the next request that places, changes or ends an order."""

    ALL = "every connection"
    UNSENT = "an order's request, before the broker had a byte"
    UNANSWERED = "an order's request, once the broker had it"
    HALF_ANSWERED = "an order's answer, in its middle"


_ORDERS = (b"POST /alpaca/v2/orders", b"PATCH /alpaca/v2/orders", b"DELETE /alpaca/v2/orders")


class Line:
    """Listens on `port` and passes everything on to `target`, until it is told to cut."""

    def __init__(self, target: int) -> None:
        self.port, self.cuts = 0, 0
        self._target, self._armed = target, None
        self._open: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None] | None] = set()
        self._ended = asyncio.Event()
        self.loop = asyncio.new_event_loop()

    _armed: Cut | None

    def cut(self, where: Cut) -> None:
        """Cut now (`ALL`), or at the next order's request."""
        self.loop.call_soon_threadsafe(self._cut, where)

    def mend(self) -> None:
        """Cut no more."""
        self.loop.call_soon_threadsafe(setattr, self, "_armed", None)

    def _cut(self, where: Cut) -> None:
        self._armed = None if where is Cut.ALL else where
        if where is Cut.ALL:
            self.cuts += 1
            for writer in tuple(self._open):
                _abort(writer)

    async def serve(self, ready: threading.Event) -> None:
        """Listen until told to end."""
        server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._ended.wait()
        server.close()
        self._cut(Cut.ALL)
        await asyncio.gather(*filter(None, self._passing), return_exceptions=True)

    def end(self) -> None:
        """Cut everything and listen no more."""
        self.loop.call_soon_threadsafe(self._ended.set)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            _abort(writer)
            return
        pair = _Pair(self, writer, far_writer)
        self._open |= {writer, far_writer}
        self._passing.add(asyncio.current_task())
        try:
            await asyncio.gather(pair.up(reader), pair.down(far_reader))
        finally:
            self._passing.discard(asyncio.current_task())
            for end in (writer, far_writer):
                self._open.discard(end)
                _abort(end)

    def take(self, *wanted: Cut) -> Cut | None:
        """The cut that is armed, if it is one of these; it happens once."""
        armed = self._armed
        if armed not in wanted:
            return None
        self._armed = None
        self.cuts += 1
        return armed


class _Pair:
    """One connection's two ends."""

    def __init__(self, line: Line, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._line, self._near, self._far = line, near, far
        self._answer: Cut | None = None

    async def up(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if data.startswith(_ORDERS):
                    if self._line.take(Cut.UNSENT):
                        break
                    self._answer = self._line.take(Cut.UNANSWERED, Cut.HALF_ANSWERED)
                self._far.write(data)
                await self._far.drain()
        self._end()

    async def down(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if self._answer is not None:
                    if self._answer is Cut.HALF_ANSWERED:
                        self._near.write(data[: len(data) // 2])
                        await self._near.drain()
                    break
                self._near.write(data)
                await self._near.drain()
        self._end()

    def _end(self) -> None:
        for end in (self._near, self._far):
            _abort(end)


def _abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@contextmanager
def line_to(target: int) -> Iterator[Line]:
    """A line to a loopback port, in a thread of its own, gone at the end of the block."""
    line, ready = Line(target), threading.Event()

    def body() -> None:
        line.loop.run_until_complete(line.serve(ready))
        line.loop.close()

    thread = threading.Thread(target=body, name="line", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield line
    finally:
        line.end()
        thread.join()
