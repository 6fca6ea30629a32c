"""Connections on which no request lasts longer than it may, however slowly the other side speaks, its head included."""

import math
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import httpcore
import httpx

MOST_CONNECTIONS = 10
_UNTIL: ContextVar[float] = ContextVar("until", default=math.inf)
_Options = Iterable[httpcore.SOCKET_OPTION] | None


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """The trusted certificates, read once: doing so takes longer than a whole request on loopback."""
    return httpx.create_ssl_context()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Requests over a `TimedTransport` made in this block give up after so many seconds in all, with httpx.ReadTimeout."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def _left(timeout: float | None) -> float | None:
    left = _UNTIL.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole request is over")
    if left == math.inf:
        return timeout
    return left if timeout is None else min(timeout, left)


class TimedTransport(httpx.HTTPTransport):
    """HTTP over connections of its own, never through a proxy. Each wait for the other side ends when `at_most` says so."""

    def __init__(self, *, kept: int = MOST_CONNECTIONS) -> None:
        super().__init__(verify=trusted(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=kept,
            keepalive_expiry=5.0,
            network_backend=_Backend(),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _Options = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
