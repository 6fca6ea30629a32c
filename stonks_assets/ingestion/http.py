"""HTTP towards vendors: bounded in time and size, failures classed where they are born, transient ones tried again."""

import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from stonks_core.clock import Clock
from stonks_core.errors import PermanentError, TransientError

LOG = logging.getLogger(__name__)
MAX_BYTES = 25_000_000
MAX_SECONDS = 60.0
MAX_PATIENCE = 30.0
TIMEOUT = httpx.Timeout(20, connect=5)
_GROWING = wait_exponential(multiplier=0.2, max=5)
_USER = re.compile(r"(?i)^([a-z][a-z0-9+.-]*://)[^/@?#]*@")
_KEYS = re.compile(r"(?i)([?&](?:api_?key|token|key|secret|access_token)=)[^&#]*")
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
SECRET_HEADERS = frozenset({"authorization", "set-cookie", "cookie", "apca-api-key-id", "apca-api-secret-key"})


class _BusyError(TransientError):
    """The vendor said when to come again: in so many seconds."""

    def __init__(self, sentence: str, after: float) -> None:
        super().__init__(sentence)
        self.after = after


@dataclass(frozen=True)
class Answer:
    """An answer with its body read whole, and the request that brought it; neither shows a secret."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    at: datetime
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()

    @property
    def safe_headers(self) -> dict[str, str]:
        """The headers without anything secret."""
        return {k: v for k, v in self.headers.items() if k.lower() not in SECRET_HEADERS}

    def slice(self, content: bytes) -> "Answer":
        """The same answer with a part of its body only."""
        return replace(self, content=content)

    def json(self) -> Any:
        """The body as JSON; TransientError when it is cut or is none, because the next answer may be whole."""
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise TransientError(f"{self.url} answered something that is not JSON: {error}") from error

    def text(self) -> str:
        """The body as text in its declared charset, UTF-8 where none is declared; bytes that do not fit are replaced."""
        declared = self.headers.get("content-type", "").partition("charset=")[2].strip("\"' ;") or "utf-8"
        try:
            return self.content.decode(declared, errors="replace")
        except LookupError:
            return self.content.decode("utf-8", errors="replace")


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """The trusted certificates, read once: doing so takes longer than a whole request on loopback."""
    return httpx.create_ssl_context()


class Fetcher:
    """GET requests to one vendor. `gate` is called before each request, retries and redirects included, and waits until
    the vendor's limit allows it.

    `sleep` passes the time between attempts and `monotonic` measures how long an answer takes; both are the machine's,
    unless a test says otherwise.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        headers: Mapping[str, str] | None = None,
        gate: Callable[[], None] = lambda: None,
        attempts: int = 3,
        follow_redirects: bool = True,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._gate, self._attempts = clock, gate, attempts
        self._sleep, self._monotonic = sleep, monotonic
        self._client = httpx.Client(
            headers=dict(headers or {}),
            timeout=TIMEOUT,
            follow_redirects=follow_redirects,
            transport=transport,
            verify=trusted(),
            event_hooks={"request": [lambda _request: self._gate()]},  # of each hop: a redirect is a request too
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, params: Mapping[str, str | int] | None = None, *, may_be_empty: bool = False) -> Answer:
        """One answer with a 2xx status and, unless it `may_be_empty`, a body.

        Raises TransientError for time-outs, refused connections, empty bodies, 408, 425, 429 and 5xx (each tried again
        a few times, after the pause that the vendor's Retry-After asks for, at most half a minute), PermanentError for
        every other refusal. Both name the address, without its secrets.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            sleep=self._sleep,
            before_sleep=_told,
            reraise=True,
        )
        return retrying(self._once, url, params, may_be_empty)

    def _once(self, url: str, params: Mapping[str, str | int] | None, may_be_empty: bool) -> Answer:
        said = shown(url)
        try:
            with self._client.stream("GET", url, params=dict(params) if params else None) as response:
                content = self._body(response, said)
                status, headers = response.status_code, {k.lower(): v for k, v in response.headers.items()}
                request = _request_of(response)
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise TransientError(f"{said} did not answer: {type(error).__name__} {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PermanentError(f"{said} cannot be asked: {type(error).__name__} {error}") from error
        if status in TRANSIENT:
            raise _BusyError(f"{said} answered {status}: {_reason(content)}", _seconds(headers.get("retry-after", "")))
        if httpx.codes.is_redirect(status):
            raise PermanentError(f"{said} answered {status} and leads to {shown(headers.get('location', 'nowhere'))}")
        if not httpx.codes.is_success(status):
            raise PermanentError(f"{said} answered {status}: {_reason(content)}")
        if not content and not may_be_empty:
            raise TransientError(f"{said} answered {status} with an empty body")
        return Answer(said, status, headers, content, self._clock.now(), request)

    def _body(self, response: httpx.Response, said: str) -> bytes:
        parts, size, begun = [], 0, self._monotonic()
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise PermanentError(f"{said} is longer than {MAX_BYTES:,} bytes and was left")
            if self._monotonic() - begun > MAX_SECONDS:
                raise TransientError(f"{said} took longer than {MAX_SECONDS:g} s to answer and was left")
            parts.append(part)
        return b"".join(parts)


def shown(url: str) -> str:
    """An address as it may be told and stored: without a password in it, and without keys among its parameters."""
    return _KEYS.sub(r"\1***", _USER.sub(r"\1", url))


def _request_of(response: httpx.Response) -> dict[str, Any]:
    """The request as it was made: its method, its address with all parameters and its headers, without secrets."""
    asked = response.request
    headers = {k.lower(): v for k, v in asked.headers.items() if k.lower() not in SECRET_HEADERS}
    return {"method": asked.method, "url": shown(str(asked.url)), "headers": headers}


def _pause(state: RetryCallState) -> float:
    """Seconds until the next attempt: growing, and as long as the vendor asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, _BusyError) else 0.0
    return max(_GROWING(state), min(asked, MAX_PATIENCE))


def _told(state: RetryCallState) -> None:
    """Say what went wrong in an attempt that is not the last one: nothing else will."""
    error = state.outcome.exception() if state.outcome else None
    LOG.info("attempt %d failed and is made again in %.1f s: %s", state.attempt_number, state.upcoming_sleep, error)


def _seconds(retry_after: str) -> float:
    return float(retry_after) if re.fullmatch(r"\d{1,6}", retry_after) else 0.0


def _reason(content: bytes) -> str:
    """What the vendor says of its refusal: `error` or `message` of a JSON body, else its first characters."""
    try:
        body = json.loads(content)
    except ValueError:
        return content[:200].decode("utf-8", errors="replace").strip() or "no reason given"
    if isinstance(body, dict):
        return str(body.get("error") or body.get("message") or body)[:300]
    return str(body)[:200]
