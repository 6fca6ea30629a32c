"""HTTP towards vendors: bounded in time and size, failures classed where they are born, transient ones tried again."""

import json
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from stonks_core.clock import Clock
from stonks_core.errors import PermanentError, TransientError

LOG = logging.getLogger(__name__)
MAX_BYTES = 25_000_000
TIMEOUT = httpx.Timeout(20, connect=5)
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
SECRET_HEADERS = frozenset({"authorization", "set-cookie", "cookie", "apca-api-key-id", "apca-api-secret-key"})


@dataclass(frozen=True)
class Answer:
    """An answer with its body read whole."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes
    at: datetime

    @property
    def media_type(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()

    @property
    def safe_headers(self) -> dict[str, str]:
        """The headers without anything secret."""
        return {k: v for k, v in self.headers.items() if k.lower() not in SECRET_HEADERS}

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
    """GET requests to one vendor. `gate` is called before each request and waits until the vendor's limit allows it."""

    def __init__(
        self,
        clock: Clock,
        *,
        headers: Mapping[str, str] | None = None,
        gate: Callable[[], None] = lambda: None,
        attempts: int = 3,
        follow_redirects: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._clock, self._gate, self._attempts = clock, gate, attempts
        self._client = httpx.Client(
            headers=dict(headers or {}),
            timeout=TIMEOUT,
            follow_redirects=follow_redirects,
            transport=transport,
            verify=trusted(),
        )

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """One answer with a 2xx status.

        Raises TransientError for time-outs, refused connections, 408, 425, 429 and 5xx (each tried again a few times),
        PermanentError for every other refusal. Both name the address, without its parameters' secrets.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=0.2, max=5),
            reraise=True,
        )
        return retrying(self._once, url, params)

    def _once(self, url: str, params: Mapping[str, str | int] | None) -> Answer:
        self._gate()
        try:
            with self._client.stream("GET", url, params=dict(params) if params else None) as response:
                content = self._body(response, url)
                status, headers = response.status_code, {k.lower(): v for k, v in response.headers.items()}
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise TransientError(f"{url} did not answer: {type(error).__name__} {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PermanentError(f"{url} cannot be asked: {type(error).__name__} {error}") from error
        if status in TRANSIENT:
            raise TransientError(f"{url} answered {status}: {_reason(content)}")
        if status >= httpx.codes.BAD_REQUEST:
            raise PermanentError(f"{url} answered {status}: {_reason(content)}")
        return Answer(url, status, headers, content, self._clock.now())

    @staticmethod
    def _body(response: httpx.Response, url: str) -> bytes:
        parts, size = [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise PermanentError(f"{url} is longer than {MAX_BYTES:,} bytes and was left")
            parts.append(part)
        return b"".join(parts)


def _reason(content: bytes) -> str:
    """What the vendor says of its refusal: `error` or `message` of a JSON body, else its first characters."""
    try:
        body = json.loads(content)
    except ValueError:
        return content[:200].decode("utf-8", errors="replace").strip() or "no reason given"
    if isinstance(body, dict):
        return str(body.get("error") or body.get("message") or body)[:300]
    return str(body)[:200]
