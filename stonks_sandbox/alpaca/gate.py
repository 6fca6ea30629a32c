"""The door of both REST faces: credentials, rate limit, and the vendor's way to say no."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from stonks_sandbox.alpaca.model import Refusal
from stonks_sandbox.world.protocol import SandboxClock

WINDOW_SECONDS = 60.0
PLAYED = {"X-Sandbox": "alpaca"}


class Denied(Exception):  # noqa: N818  it carries an answer, not a fault
    """Ends a request with a refusal."""

    def __init__(self, refusal: Refusal, headers: dict[str, str] | None = None) -> None:
        super().__init__(refusal.body.get("message", ""))
        self.refusal = refusal
        self.headers = headers or {}


class Limiter:
    """At most `per_minute` requests of a key in a minute, of whichever runs faster: real time or the world's clock.

    With a driven clock a step of a minute or more therefore starts afresh. `ticks` gives real seconds.
    """

    def __init__(self, per_minute: int, clock: SandboxClock, ticks: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._ticks = ticks
        self._calls: dict[str, deque[tuple[float, datetime]]] = {}

    def admit(self, key: str) -> dict[str, str]:
        """Count one request and return the rate headers. Raises Denied with status 429 beyond the limit."""
        ticks, now = self._ticks(), self._clock.now()
        calls = self._calls.setdefault(key, deque())
        while calls and (
            ticks - calls[0][0] >= WINDOW_SECONDS or now - calls[0][1] >= timedelta(seconds=WINDOW_SECONDS)
        ):
            calls.popleft()
        over = len(calls) >= self._per_minute
        if not over:
            calls.append((ticks, now))
        wait = WINDOW_SECONDS - (ticks - calls[0][0]) if calls else 0.0
        headers = {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(self._per_minute - len(calls)),
            "X-RateLimit-Reset": str(int((now + timedelta(seconds=wait)).timestamp())),
        }
        if over:
            body = {"code": 42910000, "message": "too many requests."}
            raise Denied(Refusal(429, body), {**headers, "Retry-After": str(int(wait) + 1)})
        return headers


def gated(limiter: Limiter) -> type[APIRoute]:
    """A route class that asks for credentials, counts requests and turns refusals into answers."""

    class GatedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                key = request.headers.get("APCA-API-KEY-ID", "")
                try:
                    if not key or not request.headers.get("APCA-API-SECRET-KEY", ""):
                        return answer(Refusal(401, {"message": "unauthorized."}))
                    headers = limiter.admit(key)
                    response: Response = await inner(request)
                except Denied as denied:
                    return answer(denied.refusal, headers=denied.headers)
                response.headers.update(headers)
                return response

            return handle

    return GatedRoute


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response of a value, which says that it is played; a refusal answers with its own status and body."""
    if isinstance(value, Refusal):
        value, status = value.body, value.status
    return Response(orjson.dumps(value), status, {**PLAYED, **(headers or {})}, media_type="application/json")


def instant_parameter(name: str, raw: str | None) -> datetime | None:
    """A query parameter as an aware instant: a date, or a time with or without zone (then UTC). Bad ones deny."""
    if not raw:
        return None
    try:
        value = datetime.fromisoformat(raw.replace(" ", "+"))
    except ValueError:
        raise Denied(
            Refusal(422, {"code": 40010001, "message": f"invalid {name}: {raw!r} is no RFC 3339 time"})
        ) from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def integer_parameter(name: str, raw: str | None, default: int, most: int) -> int:
    """A query parameter as an integer from 1 to `most`. Bad ones deny."""
    if not raw:
        return default
    if not raw.isdigit() or not 1 <= int(raw) <= most:
        raise Denied(Refusal(422, {"code": 40010001, "message": f"invalid {name}: {raw!r} is not in 1..{most}"}))
    return int(raw)
