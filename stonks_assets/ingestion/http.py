"""HTTP towards vendors: bounded in time and size, failures classed where they are born, transient ones tried again."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.request import getproxies

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from stonks_assets.ingestion.body import ACCEPTED, body_of
from stonks_assets.ingestion.connections import TimedTransport, at_most, trusted
from stonks_core.clock import Clock
from stonks_core.errors import PermanentError, StonksError, TransientError

Around = Callable[[str], AbstractContextManager[None]]
LOG = logging.getLogger(__name__)
MAX_BYTES = 25_000_000
MAX_SECONDS = 60.0
MAX_PATIENCE = 30.0
MOST_HOPS = 5
MOST_PORT = 65_535
TIMEOUT = httpx.Timeout(20, connect=5)
NOT_MODIFIED = 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
FOLLOWING = frozenset({"user-agent", "accept", "accept-language"})
"""Headers that go along to another origin; all others may be a credential and stay."""
SECRET_HEADERS = frozenset(
    {
        "authorization", "proxy-authorization", "set-cookie", "cookie", "x-api-key",
        "apca-api-key-id", "apca-api-secret-key",
    }
)  # fmt: skip
_GROWING = wait_exponential(multiplier=0.2, max=5)
_USER = re.compile(r"(?i)^([a-z][a-z0-9+.-]*://)[^/@?#]*@")
_KEYS = re.compile(r"(?i)([?&](?:api_?key|token|key|secret|access_token|password|signature)=)[^&#]*")


class RefusedError(PermanentError):
    """The other side refused, with this status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Validators:
    """What an answer said of its own version, to be asked with the next time; empty where it said nothing."""

    etag: str = ""
    last_modified: str = ""

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that ask for an answer only if there is a newer one."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}


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
    def unchanged(self) -> bool:
        """Whether it says that nothing is newer than the validators that were sent; it has no body then."""
        return self.status == NOT_MODIFIED

    @property
    def validators(self) -> Validators:
        """What to send the next time, so that an unchanged answer need not come again."""
        return Validators(self.headers.get("etag", ""), self.headers.get("last-modified", ""))

    @property
    def place(self) -> str:
        """The address that answered in the end, after redirects; what it links to is relative to that."""
        return str(self.request.get("url") or self.url)

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()

    @property
    def charset(self) -> str:
        """The declared charset, empty where none is."""
        return self.headers.get("content-type", "").partition("charset=")[2].partition(";")[0].strip("\"' ")

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
        except (ValueError, RecursionError) as error:
            raise TransientError(f"{self.url} answered something that is not JSON: {error}") from error

    def text(self) -> str:
        """The body as text in its declared charset, UTF-8 where none is declared; bytes that do not fit are replaced."""
        try:
            return self.content.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.content.decode("utf-8", errors="replace")


class Fetcher:
    """GET requests to one vendor. `gate` is called before each request, retries and redirects included, and waits until
    the vendor's limit allows it.

    `around` is entered with the address of each request, redirects included, for as long as that request lasts.
    `sleep` passes the time between attempts and `monotonic` measures how long an answer takes; both are the machine's,
    unless a test says otherwise. Without a `transport` the environment's proxy is used where it names one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        headers: Mapping[str, str] | None = None,
        gate: Callable[[], None] = lambda: None,
        around: Around = lambda _: nullcontext(),
        attempts: int = 3,
        follow_redirects: bool = True,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._gate, self._around, self._attempts = clock, gate, around, attempts
        self._follow, self._sleep, self._monotonic = follow_redirects, sleep, monotonic
        given = {"Accept": "*/*", **(headers or {})}
        self._shared = {k: v for k, v in given.items() if k.lower() in FOLLOWING} | {"Accept-Encoding": ACCEPTED}
        self._private = {k: v for k, v in given.items() if k.lower() not in FOLLOWING}
        proxied = transport is None and {"http", "https", "all"} & getproxies().keys()
        self._client = httpx.Client(
            headers=self._shared,
            timeout=TIMEOUT,
            transport=None if proxied else transport or TimedTransport(),
            verify=trusted(),
            trust_env=bool(proxied),
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        validators: Validators | None = None,
        may_be_empty: bool = False,
    ) -> Answer:
        """One answer with a 2xx status and, unless it `may_be_empty`, a body.

        With validators that still hold it is a 304 without one (`Answer.unchanged`). Raises TransientError for
        time-outs, refused connections, empty bodies, 408, 425, 429 and 5xx (each tried again a few times, after the
        pause that the vendor's Retry-After asks for; with `after` and at once where that is longer than half a minute),
        PermanentError for every other refusal. Both name the address, without its secrets.
        """
        retrying = Retrying(
            retry=retry_if_exception(_worth_another),
            stop=stop_after_attempt(self._attempts),
            wait=_pause,
            sleep=self._sleep,
            before_sleep=_told,
            reraise=True,
        )
        return retrying(self._followed, url, params, validators or Validators(), may_be_empty)

    def _followed(
        self, url: str, params: Mapping[str, str | int] | None, validators: Validators, may_be_empty: bool
    ) -> Answer:
        said, visited = shown(url), list[str]()
        try:
            request = self._client.build_request(
                "GET", url, params=dict(params) if params else None, headers={**self._private, **validators.headers}
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise PermanentError(f"{said} cannot be asked: {error}") from error
        first = request.url
        while True:
            answer = self._asked(request, said)
            if answer.status not in REDIRECTS or not self._follow:
                answer = _judged(answer, bool(validators), may_be_empty)
                came = {"redirected_from": [shown(url) for url in visited]} if visited else {}
                return replace(answer, request={**answer.request, **came})
            visited.append(str(request.url))
            target = _target(request.url, answer.headers.get("location", ""), visited, said)
            private = self._private if _origin(target) == _origin(first) else {}
            request = self._client.build_request("GET", target, headers={**private, **validators.headers})

    def _asked(self, request: httpx.Request, said: str) -> Answer:
        url = request.url
        if url.scheme not in {"http", "https"} or not url.host or (url.port or 0) > MOST_PORT:
            raise PermanentError(f"{said} cannot be asked: {shown(str(url))} is no address of http or https")
        self._gate()
        begun = self._monotonic()
        try:
            with self._around(str(request.url)), at_most(MAX_SECONDS):
                response = self._client.send(request, stream=True)
                try:
                    content = self._body(response, said, begun)
                finally:
                    response.close()
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as error:
            if "Receive buffer too long" in str(error):
                raise PermanentError(f"{said} sends a head that does not end within 100 KiB, and was left") from error
            if isinstance(error, httpx.TimeoutException) and self._monotonic() - begun > MAX_SECONDS:
                raise TransientError(f"{said} took longer than {MAX_SECONDS:g} s to answer and was left") from error
            raise TransientError(f"{said} did not answer: {type(error).__name__} {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PermanentError(f"{said} cannot be asked: {type(error).__name__} {error}") from error
        headers = {k.lower(): v for k, v in response.headers.items()}
        return Answer(said, response.status_code, headers, content, self._clock.now(), _request_of(response))

    def _body(self, response: httpx.Response, said: str, begun: float) -> bytes:
        parts = []
        try:
            for part in body_of(response, said, MAX_BYTES):
                if self._monotonic() - begun > MAX_SECONDS:
                    raise TransientError(f"{said} took longer than {MAX_SECONDS:g} s to answer and was left")
                parts.append(part)
        except StonksError:
            if httpx.codes.is_success(response.status_code):
                raise
            return b""  # the status says enough; what it would have said besides cannot be read
        return b"".join(parts)


def _judged(answer: Answer, conditional: bool, may_be_empty: bool) -> Answer:
    """The answer, or the failure that its status stands for."""
    said, status = answer.url, answer.status
    if status in TRANSIENT:
        after = _seconds(answer.headers.get("retry-after", ""), answer.at)
        raise TransientError(f"{said} answered {status}: {_reason(answer.content)}", after=after)
    if status in REDIRECTS:
        elsewhere = shown(answer.headers.get("location", "nowhere"))
        raise RefusedError(f"{said} answered {status} and leads to {elsewhere}", status)
    if answer.unchanged and conditional:
        return answer
    if not httpx.codes.is_success(status):
        raise RefusedError(f"{said} answered {status}: {_reason(answer.content)}", status)
    if not answer.content and not may_be_empty:
        raise TransientError(f"{said} answered {status} with an empty body")
    return answer


def shown(url: str) -> str:
    """An address as it may be told and stored: without a password in it, and without keys among its parameters."""
    return _KEYS.sub(r"\1***", _USER.sub(r"\1", url))


def _target(here: httpx.URL, location: str, visited: list[str], said: str) -> httpx.URL:
    """Where a redirect leads, or PermanentError naming why nobody goes there."""
    try:
        target = here.join(location).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise PermanentError(f"{said} leads to {shown(location)!r}, which is no address: {error}") from error
    told = shown(str(target))
    if not location:
        raise PermanentError(f"{said} is said to be elsewhere, and not where")
    if target.userinfo:
        raise PermanentError(f"{said} leads to {told} with a user's name in it, and was left")
    if target.scheme != here.scheme and (here.scheme, target.scheme) != ("http", "https"):
        raise PermanentError(f"{said} leads from {here.scheme} to {target.scheme} ({told}), and was left")
    if str(target) in visited:
        raise PermanentError(f"{said} leads in a circle by way of {told}")
    if len(visited) > MOST_HOPS:
        raise PermanentError(f"{said} leads on more than {MOST_HOPS} times, at last to {told}")
    return target


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _request_of(response: httpx.Response) -> dict[str, Any]:
    """The request as it was made: its method, its address with all parameters and its headers, without secrets."""
    asked = response.request
    headers = {k.lower(): v for k, v in asked.headers.items() if k.lower() not in SECRET_HEADERS}
    return {"method": asked.method, "url": shown(str(asked.url)), "headers": headers}


def _worth_another(error: BaseException) -> bool:
    """Whether trying again soon makes sense: not when the vendor asked for a longer pause than anybody here waits."""
    return isinstance(error, TransientError) and (error.after or 0.0) <= MAX_PATIENCE


def _pause(state: RetryCallState) -> float:
    """Seconds until the next attempt: growing, and as long as the vendor asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, TransientError) else None
    return max(_GROWING(state), asked or 0.0)


def _told(state: RetryCallState) -> None:
    """Say what went wrong in an attempt that is not the last one: nothing else will."""
    error = state.outcome.exception() if state.outcome else None
    LOG.info("attempt %d failed and is made again in %.1f s: %s", state.attempt_number, state.upcoming_sleep, error)


def _seconds(retry_after: str, now: datetime) -> float | None:
    """The pause that a Retry-After header asks for, by number or by date; None where it asks for none."""
    if re.fullmatch(r"\d{1,6}", retry_after):
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _reason(content: bytes) -> str:
    """What the vendor says of its refusal: `error` or `message` of a JSON body, else its first characters."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return content[:200].decode("utf-8", errors="replace").strip() or "no reason given"
    if isinstance(body, dict):
        return str(body.get("error") or body.get("message") or body)[:300]
    return str(body)[:200]
