"""Who may ask and what an answer permits, around the whole application so that no route can forget it.

Outermost first: a trace id and the security headers on every answer; a supervisor that turns what nobody caught into a
problem without telling its insides; the Host header, against DNS rebinding; and the operator's token on every method
that could change something. There is no CORS: no other origin may read anything.
"""

import hmac
import logging
import time
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stonks_api import tracing
from stonks_api.problems import problem

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
log = logging.getLogger("stonks_api")


def hosts_of(port: int) -> frozenset[str]:
    """The Host headers that name this server: loopback with its port, and without one on port 80."""
    named = {f"{host}:{port}" for host in LOOPBACK}
    return frozenset(named | set(LOOPBACK) if port == 80 else named)


class Traced:
    """Chooses the trace id, sets the headers of every answer, logs the request, and catches what nobody caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace_id = tracing.choose(Headers(scope=scope).get(tracing.HEADER, ""))
        scope.setdefault("state", {})["trace_id"] = trace_id
        began, status = time.perf_counter(), 0

        async def decorated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[tracing.HEADER] = trace_id
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, decorated)
        except Exception:
            log.exception("%s %s failed, trace %s", scope["method"], scope["path"], trace_id)
            if status:
                raise
            detail = f"the server failed on this request; its log says why under trace id {trace_id}"
            await problem(scope["path"], 500, detail, trace_id=trace_id)(scope, receive, decorated)
        finally:
            quiet = scope["method"] in READING and status < 400
            level = logging.DEBUG if quiet else logging.INFO
            spent = (time.perf_counter() - began) * 1000
            log.log(level, "%s %s %d in %.0f ms, trace %s", scope["method"], scope["path"], status, spent, trace_id)


class Guarded:
    """Refuses other hosts' names and, on every method that could change something, whoever is not the operator."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], token: str) -> None:
        self._app, self._hosts, self._token = app, frozenset(hosts), token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        path, trace_id = scope["path"], tracing.trace_id_of(scope)
        headers = Headers(scope=scope)
        named = headers.getlist("host")
        if len(named) != 1 or named[0].lower() not in self._hosts:
            detail = f"this server answers only to {', '.join(sorted(self._hosts))}, not to {', '.join(named)[:100]!r}"
            await problem(path, 421, detail, trace_id=trace_id)(scope, receive, send)
            return
        if scope["method"] not in READING and not self._is_operator(headers.getlist("authorization")):
            detail = (
                f"{scope['method']} needs the header 'Authorization: Bearer <operator token>': the token stands in "
                "secrets/operator_token below STONKS_HOME"
            )
            refusal = problem(path, 401, detail, trace_id=trace_id, headers={"www-authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_operator(self, given: list[str]) -> bool:
        if len(given) != 1 or not self._token:
            return False
        scheme, _, token = given[0].partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)
