"""Answers to "is it ready?": ready-made probes, each of which answers within 2 s, and the thread that asks
one.
"""

import http.client
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from stonks_cli.supervise.specs import Probe

_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5


def http_answers(url: str) -> Probe:
    """Ready when a GET of this plain http URL answers 200. No proxy, no redirect."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"cannot probe {url!r}: an http:// address is needed")
    host, port = parts.hostname, parts.port or 80
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def probe() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
        try:
            connection.request("GET", target)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return probe


def tcp_answers(host: str, port: int) -> Probe:
    """Ready when somebody accepts a connection there."""

    def probe() -> bool:
        try:
            with socket.create_connection((host, port), timeout=_SECONDS):
                return True
        except OSError:
            return False

    return probe


class Probing:
    """A thread that asks a probe again and again; it wakes the loop when it has its answer."""

    def __init__(self, probe: Probe, wake: Callable[[], None]) -> None:
        self._probe, self._wake = probe, wake
        self._over = threading.Event()
        self.succeeded = False
        self.complaint = ""
        threading.Thread(target=self._run, daemon=True).start()

    def cancel(self) -> None:
        """Let the thread end at its next step."""
        self._over.set()

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._over.wait(pause):
            pause = min(_LONGEST_PAUSE, pause * 1.3)
            try:
                ready = self._probe()
            except Exception as error:  # noqa: BLE001 - whatever a probe trips over means: not ready yet, and why
                ready, self.complaint = False, str(error)
            if ready:
                self.succeeded = True
                self._wake()
                return
