"""A proxy on loopback between the pipeline and the sandbox: it plays a plan of faults and notes what arrives, and when.

What the source holds at one moment is asked for once and kept (the tape), with the vendor's number of each answer made
constant, so that the same question brings the same bytes until the moment has passed.
"""

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import orjson

from tests.faults.plan import NEWS, Fault, Plan, calm

PAGE = 6
_NUMBER = re.compile(rb'"request_id":"[0-9a-f]{32}"')
_PASSED_ON = (
    "authorization",
    "user-agent",
    "apca-api-key-id",
    "apca-api-secret-key",
    "if-none-match",
    "if-modified-since",
)
Url = str


@dataclass(frozen=True)
class Arrival:
    """A question as it arrived."""

    at: float
    url: str
    fault: Fault | None

    @property
    def path(self) -> str:
        """Its path."""
        return urlsplit(self.url).path


@dataclass(frozen=True)
class Held:
    """What the source holds under an address."""

    status: int
    media_type: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Proxy:
    """The proxy: its address, its plan, and what arrived. `arrived` is called with the number of each question."""

    upstream: str
    clock: Callable[[], float] = time.monotonic
    plan: Plan = field(default_factory=calm)
    arrivals: list[Arrival] = field(default_factory=list)
    arrived: Callable[[int], None] = lambda _: None
    url: str = ""
    tape: dict[tuple[str, Url], Held] = field(default_factory=dict)
    now: str = ""
    furthest: str = ""
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))
    _arranged: dict[Url, Held] = field(default_factory=dict)
    _circle: Url = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def drive(self, now: str) -> None:
        """Move the source's present. A moment that has been played before is played from the tape.

        What was not asked for then is asked for at the furthest moment: lists are asked for at every moment, and what
        they name does not change.
        """
        with self._lock:
            if now > self.furthest:
                self._client.post(f"{self.upstream}/sandbox/clock", json={"now": now}).raise_for_status()
                self.furthest = now
            self.now = now

    def close(self) -> None:
        """Close the connection to the sandbox."""
        self._client.close()

    def answer(self, url: Url, headers: dict[str, str]) -> tuple[Held, Fault | None]:
        """What to answer, and what goes wrong on the way."""
        with self._lock:
            held = self._held(url, headers)
            fault = self.plan.next(url, is_json="json" in held.media_type)
            if urlsplit(url).path == NEWS and "cursor=" not in url:
                self._arranged, self._circle = self._arrange(url, headers, fault), ""
                if fault is Fault.CIRCLE:  # felt at the last page only
                    self._circle, fault = list(self._arranged)[-1], None
            if url == self._circle:
                fault = fault or Fault.CIRCLE
            self.arrivals.append(Arrival(self.clock(), url, fault))
            self.arrived(len(self.arrivals))
            return self._arranged.get(url, held), fault

    def _held(self, url: Url, headers: dict[str, str]) -> Held:
        conditional = "if-none-match" in headers or "if-modified-since" in headers
        if (self.now, url) in self.tape and not conditional:
            return self.tape[self.now, url]
        got = self._client.get(f"{self.upstream}{_asked(url)}", headers={**headers, "accept-encoding": "identity"})
        body = _NUMBER.sub(b'"request_id":"' + b"0" * 32 + b'"', got.content)
        kept = {k: v for k, v in got.headers.items() if k in {"etag", "last-modified"}}
        held = Held(got.status_code, got.headers.get("content-type", "text/plain"), kept, body)
        if not conditional:
            self.tape[self.now, url] = held
        return held

    def _arrange(self, first: Url, headers: dict[str, str], fault: Fault | None) -> dict[Url, Held]:
        """A list's pages as they are given when the list itself goes wrong."""
        if fault not in {Fault.SHUFFLED, Fault.REPEATED, Fault.CIRCLE}:
            return {}
        urls, pages = [first], [orjson.loads(self._held(first, headers).body)]
        while following := pages[-1].get("next_url"):
            urls.append(_relative(following))
            pages.append(orjson.loads(self._held(urls[-1], headers).body))
        if fault is Fault.CIRCLE:
            pages[-1]["next_url"] = f"{self.url}{urls[-1]}"
            if len(urls) == 1:  # its address, asked for again, is its second page
                urls, pages = [first, _more(first)], [pages[0], pages[0]]
                pages[0]["next_url"] = f"{self.url}{urls[1]}"
        if fault is Fault.SHUFFLED:
            results = [list(reversed(page["results"])) for page in reversed(pages)]
            for page, given in zip(pages, results, strict=True):
                page["results"] = given
        if fault is Fault.REPEATED:
            last = {**pages[-1], "results": pages[-1]["results"] + pages[0]["results"][:2]}
            pages[-1] = {**last, "next_url": f"{self.url}{_more(urls[-1])}"}
            urls, pages = [*urls, _more(urls[-1])], [*pages, last]
        return {
            url: Held(200, "application/json", {}, orjson.dumps(page)) for url, page in zip(urls, pages, strict=True)
        }


def _relative(url: Url) -> Url:
    return urlunsplit(("", "", *urlsplit(url)[2:]))


def _more(url: Url) -> Url:
    return f"{url}{'&' if '?' in url else '?'}cursor=again" if "cursor=" not in url else f"{url}&again=1"


def _asked(url: Url) -> Url:
    """The question as the sandbox hears it: pages are shorter than asked for, as vendors make them."""
    parts = urlsplit(url)
    arguments: dict[str, Any] = dict(parse_qsl(parts.query))
    if parts.path == NEWS and "limit" in arguments:
        arguments["limit"] = PAGE
    arguments.pop("again", None)
    if arguments.get("cursor") == "again":
        del arguments["cursor"]
    return urlunsplit(("", "", parts.path, urlencode(arguments), ""))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def do_GET(self) -> None:
        headers = {k: v for k in _PASSED_ON if (v := self.headers.get(k))}
        headers["host"] = self.headers["host"]  # the sandbox names pages under the address that it was asked by
        held, fault = self.proxy.answer(self.path, headers)
        match fault:
            case Fault.BUSY:
                self._send(429, b'{"error":"slow down"}', {"Retry-After": "17"})
            case Fault.BUSY_BARE:
                self._send(429, b"")
            case Fault.FORBIDDEN:
                self._send(403, b'{"error":"not today"}')
            case Fault.BROKEN:
                self._send(500, b'{"error":"broken"}')
            case Fault.GATEWAY:
                self._send(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", media_type="text/html")
            case Fault.UNCHANGED:
                self._send(304, b"")
            case Fault.EMPTY:
                self._send(200, b"", media_type=held.media_type)
            case Fault.CUT:
                self._send(200, held.body[: max(1, len(held.body) // 2)], media_type=held.media_type)
            case Fault.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
            case Fault.SILENT:
                self.connection.recv(1)  # until the other side gives up
                self.close_connection = True
            case Fault.TRUNCATED:
                self._send(200, held.body[: len(held.body) // 2], length=len(held.body) + 100)
                self.close_connection = True
            case _:
                self._send(held.status, held.body, held.headers, media_type=held.media_type)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        media_type: str = "application/json",
        length: int | None = None,
    ) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked was killed

    def log_message(self, *_: object) -> None:
        """Nothing: `arrivals` is the log."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was reset, by us or by a kill, is no error of the proxy's; anything else is."""
        import sys  # noqa: PLC0415

        if not isinstance(sys.exception(), OSError | ValueError):
            super().handle_error(request, client_address)


@contextmanager
def proxy_before(upstream: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Proxy]:
    """A proxy in a thread of its own, gone at the end of the block."""
    proxy = Proxy(upstream, clock)
    handler = type("Handler", (_Handler,), {"proxy": proxy, "disable_nagle_algorithm": True, "wbufsize": -1})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        proxy.close()
