"""One Ollama server, one request at a time, with every silent failure of it made loud.

Failures are classed where they are born: transient ones (busy, unreachable, too slow, nonsense), and permanent ones
(model missing, request refused, text or answer cut). What is tried again, and where, is `client`'s business.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
import ollama

from stonks_assets.extraction.asking import (
    CutError,
    LlmTooSlowError,
    LlmUnavailableError,
    ModelMissingError,
    OtherVersionError,
    RequestRefusedError,
)
from stonks_assets.extraction.prompts import Prompt, fewest_tokens
from stonks_core.errors import StonksError

DIGEST_SECONDS = 60.0  # for which a server's list of models is believed without asking again
CONNECT_SECONDS = 5.0
KEEP_ALIVE = "10m"
_BUSY = frozenset({-1, 408, 425, 429, 500, 502, 503, 504})
_NOT_FOUND = 404


@dataclass(frozen=True)
class Reply:
    """A whole answer with what it cost."""

    content: str
    prompt_tokens: int
    output_tokens: int
    duration_ms: float


class Server:
    """A server at an address. Safe to share between threads; close it after use."""

    def __init__(self, url: str, timeout: float, api_key: str, monotonic: Callable[[], float]) -> None:
        self.url = url
        self._client = _connect(url, timeout, api_key)
        self._timeout = timeout
        self._monotonic = monotonic
        self._listed: tuple[float, Mapping[str, str]] | None = None
        self._refused: tuple[float, Exception] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()  # type: ignore[no-untyped-call]

    def digest(self, model: str) -> str:
        """The digest of a model's weights, believed for a minute; ModelMissingError where the server lacks it."""
        models = self._models(model)
        found = models.get(model) or models.get(f"{model}:latest")
        if not found:
            raise _missing(self.url, model)
        return found

    def _models(self, model: str) -> Mapping[str, str]:
        """All models' digests by name. One thread asks; those that waited for it share what it learned, or its failure."""
        arrived = self._monotonic()
        with self._lock:
            if self._refused and self._refused[0] > arrived:
                raise self._refused[1]
            if self._listed is None or arrived - self._listed[0] >= DIGEST_SECONDS:
                try:
                    with self._translated(model):
                        listed = self._client.list().models
                except StonksError as error:
                    self._refused = self._monotonic(), error
                    raise
                self._listed = (
                    self._monotonic(),
                    {entry.model: entry.digest for entry in listed if entry.model and entry.digest},
                )
            return self._listed[1]

    def chat(self, model: str, digest: str, prompt: Prompt, options: Mapping[str, Any]) -> Reply:
        """Ask a model of that digest; `options` must state `num_ctx`.

        Raises LlmUnavailableError, OtherVersionError, ModelMissingError, RequestRefusedError or CutError.
        """
        if self.digest(model) != digest:
            raise OtherVersionError(
                f"Ollama at {self.url} has another version of model {model}: run `ollama pull {model}` on every server"
            )
        begun = self._monotonic()
        with self._translated(model):
            response = self._client.chat(
                model=model,
                messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
                format=prompt.schema,
                options=dict(options),
                think=False,
                keep_alive=KEEP_ALIVE,
                stream=False,
            )
        spent = (self._monotonic() - begun) * 1000
        reply = Reply(
            content=_storable(response.message.content or ""),
            prompt_tokens=response.prompt_eval_count or 0,
            output_tokens=response.eval_count or 0,
            duration_ms=response.total_duration / 1e6 if response.total_duration else spent,
        )
        _refuse_cut(reply, response.done_reason or "", prompt, int(options["num_ctx"]), model)
        return reply

    @contextmanager
    def _translated(self, model: str) -> Iterator[None]:
        try:
            yield
        except ollama.ResponseError as error:
            if error.status_code == _NOT_FOUND:
                self._listed = None
            raise _classed(self.url, model, error) from error
        except httpx.TimeoutException as error:
            raise LlmTooSlowError(
                f"Ollama at {self.url} gave no answer from {model} in {self._timeout:g} s: "
                "raise OLLAMA_TIMEOUT or take a smaller model"
            ) from error
        except (ConnectionError, httpx.TransportError) as error:
            raise LlmUnavailableError(
                f"Ollama at {self.url} cannot be reached ({error or type(error).__name__}): start it or correct OLLAMA_BASE_URL"
            ) from error
        except (ValueError, RecursionError) as error:
            raise LlmUnavailableError(
                f"{self.url} answered something that is not Ollama's JSON: is another server or a proxy behind OLLAMA_BASE_URL?"
            ) from error


def _connect(url: str, timeout: float, api_key: str) -> ollama.Client:
    """A client of one server. Its library would send OLLAMA_API_KEY anywhere; the hook takes that back."""
    authorization = f"Bearer {api_key}" if api_key else ""

    def only_our_key(request: httpx.Request) -> None:
        request.headers.pop("authorization", None)
        if authorization:
            request.headers["authorization"] = authorization

    return ollama.Client(
        host=url,
        timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
        follow_redirects=False,
        trust_env=not _is_loopback(url),
        event_hooks={"request": [only_our_key]},
    )


def _storable(content: str) -> str:
    """The answer without what neither UTF-8 nor PostgreSQL can hold: lone surrogates and NUL."""
    return content.encode("utf-8", "replace").decode().replace("\x00", "")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _classed(url: str, model: str, error: ollama.ResponseError) -> Exception:
    said = " ".join(str(error.error).split())[:300]
    if error.status_code == _NOT_FOUND:
        return _missing(url, model)
    if error.status_code in _BUSY:
        return LlmUnavailableError(f"Ollama at {url} is busy or failing (status {error.status_code}: {said})")
    return RequestRefusedError(
        f"Ollama at {url} refuses the request for {model} (status {error.status_code}: {said}): "
        "look at the agent's options and schema"
    )


def _missing(url: str, model: str) -> ModelMissingError:
    return ModelMissingError(
        f"Ollama at {url} has no model {model}: run `ollama pull {model}` there, or set OLLAMA_MODEL"
    )


def _refuse_cut(reply: Reply, done_reason: str, prompt: Prompt, num_ctx: int, model: str) -> None:
    spent = reply.prompt_tokens, reply.output_tokens
    if done_reason == "length":
        raise CutError(
            f"the answer of {model} was cut after {reply.output_tokens} tokens: raise num_predict or OLLAMA_NUM_CTX",
            *spent,
        )
    fewest = fewest_tokens(prompt.system + prompt.user)
    if reply.prompt_tokens >= num_ctx or 0 < reply.prompt_tokens < fewest:
        raise CutError(
            f"{model} read {reply.prompt_tokens} tokens of a prompt of at least {fewest} in a window of {num_ctx}: "
            "it was cut; raise OLLAMA_NUM_CTX or lower the agent's input limit",
            *spent,
        )
