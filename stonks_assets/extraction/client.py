"""The Ollama server, one chat request at a time, with every silent failure of it made loud.

Failures are classed where they are born: transient ones (busy, unreachable, too slow) are retried here up to the
limit and then left for a later cycle, permanent ones (model missing, request refused, text or answer cut) are not.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
import ollama
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from stonks_assets.extraction.asking import CutError, LlmUnavailableError, ModelMissingError, RequestRefusedError
from stonks_assets.extraction.prompts import Prompt, fewest_tokens
from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings.slices import Ollama

DIGEST_SECONDS = 60.0  # for which a model's digest is believed without asking again
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


class OllamaClient:
    """One or several servers of the same models. Safe to share between threads; close it after use."""

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        timeout: float,
        max_retries: int,
        api_keys: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`api_keys` maps a base address to the key that may be sent there; no other host ever gets one."""
        if not base_urls:
            raise PermanentError("no Ollama address is configured: set OLLAMA_BASE_URL")
        keys = api_keys or {}
        self._servers = {url: _connect(url, timeout, keys.get(url, "")) for url in base_urls}
        self._timeout = timeout
        self._retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(max_retries + 1),
            wait=wait_exponential(multiplier=0.5, max=10),
            sleep=sleep,
            reraise=True,
        )
        self._monotonic = monotonic
        self._digests: dict[tuple[str, str], tuple[float, str]] = {}
        self._turn = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        for server in self._servers.values():
            server.close()  # type: ignore[no-untyped-call]

    def __enter__(self) -> "OllamaClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def digest(self, model: str) -> str:
        """The digest of a model's weights, believed for a minute.

        LlmUnavailableError when no server answers, ModelMissingError when none has the model.
        """
        return self._retrying(lambda: self._digest_at(self._next_server(), model))

    def chat(self, model: str, digest: str, prompt: Prompt, options: Mapping[str, Any]) -> Reply:
        """Ask a model of that digest; `options` must state `num_ctx`.

        LlmUnavailableError, ModelMissingError, RequestRefusedError or CutError; a server whose model has another
        digest is passed over, because the answer would be recorded under the wrong one.
        """
        return self._retrying(lambda: self._chat_at(self._next_server(), model, digest, prompt, options))

    def _next_server(self) -> str:
        with self._lock:
            self._turn += 1
            return list(self._servers)[self._turn % len(self._servers)]

    def _digest_at(self, url: str, model: str) -> str:
        now = self._monotonic()
        with self._lock:
            known = self._digests.get((url, model))
        if known and now - known[0] < DIGEST_SECONDS:
            return known[1]
        with self._translated(url, model):
            listed = self._servers[url].list().models
        wanted = {model, f"{model}:latest"}
        found = next((entry.digest for entry in listed if entry.model in wanted and entry.digest), None)
        if found is None:
            raise _missing(url, model)
        with self._lock:
            self._digests[url, model] = (now, found)
        return found

    def _chat_at(self, url: str, model: str, digest: str, prompt: Prompt, options: Mapping[str, Any]) -> Reply:
        if self._digest_at(url, model) != digest:
            raise LlmUnavailableError(
                f"Ollama at {url} has another version of model {model}: pull the same one everywhere"
            )
        with self._translated(url, model):
            response = self._servers[url].chat(
                model=model,
                messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
                format=prompt.schema,
                options=dict(options),
                think=False,
                keep_alive=KEEP_ALIVE,
                stream=False,
            )
        reply = Reply(
            content=_storable(response.message.content or ""),
            prompt_tokens=response.prompt_eval_count or 0,
            output_tokens=response.eval_count or 0,
            duration_ms=(response.total_duration or 0) / 1e6,
        )
        _refuse_cut(reply, response.done_reason or "", prompt, int(options["num_ctx"]), model)
        return reply

    @contextmanager
    def _translated(self, url: str, model: str) -> Iterator[None]:
        try:
            yield
        except ollama.ResponseError as error:
            raise _classed(url, model, error) from error
        except httpx.TimeoutException as error:
            raise LlmUnavailableError(
                f"Ollama at {url} gave no answer from {model} in {self._timeout:g} s: raise OLLAMA_TIMEOUT or take a smaller model"
            ) from error
        except (ConnectionError, httpx.TransportError) as error:
            raise LlmUnavailableError(
                f"Ollama at {url} cannot be reached ({error or type(error).__name__}): start it or correct OLLAMA_BASE_URL"
            ) from error
        except ValueError as error:
            raise LlmUnavailableError(
                f"{url} answered something that is not Ollama's JSON: is another server or a proxy behind OLLAMA_BASE_URL?"
            ) from error


def connect(address: str, settings: Ollama) -> OllamaClient:
    """The client of the server at an address, or of several separated by commas, with the settings' limits."""
    urls = [url.strip().rstrip("/") for url in address.split(",") if url.strip()]
    return OllamaClient(urls, timeout=settings.timeout, max_retries=settings.max_retries)


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
    if done_reason == "length":
        raise CutError(
            f"the answer of {model} was cut after {reply.output_tokens} tokens: raise num_predict or OLLAMA_NUM_CTX"
        )
    fewest = fewest_tokens(prompt.system + prompt.user)
    if reply.prompt_tokens >= num_ctx or 0 < reply.prompt_tokens < fewest:
        raise CutError(
            f"{model} read {reply.prompt_tokens} tokens of a prompt of at least {fewest} in a window of {num_ctx}: "
            "it was cut; raise OLLAMA_NUM_CTX or lower the agent's input limit"
        )
