"""One or several Ollama servers as one pool: spread by load, passed over while they rest, tried again by class.

A server that fails in a way that may pass rests, the longer the more often it failed, and the request goes to another
one at once; only when none is left is it tried again after a wait. What cannot pass (a refused request, a cut answer) is
not tried again, and a server that lacks the model is passed over and said with the command that pulls it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, wait_exponential

from stonks_assets.extraction.asking import LlmTooSlowError, LlmUnavailableError, ModelMissingError, OtherVersionError
from stonks_assets.extraction.prompts import Prompt
from stonks_assets.extraction.server import Reply, Server
from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings.slices import Ollama

REST_SECONDS = 5.0  # after a first failure, doubled with each further one in a row
LONGEST_REST = 60.0
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


@dataclass
class _Member:
    """A server with how many requests it has in flight, when it was last chosen, and how long it rests."""

    server: Server
    in_flight: int = 0
    chosen: int = 0
    failures: int = 0
    rests_until: float = 0.0


class OllamaClient:
    """The pool. Safe to share between threads; close it after use."""

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
        self._members = [
            _Member(Server(url, timeout, keys.get(url, ""), monotonic)) for url in dict.fromkeys(base_urls)
        ]
        self.go_on: Callable[[], bool] = lambda: True
        """Asked before every further attempt: whoever has a time budget sets it."""
        self._retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=lambda state: state.attempt_number > max_retries or not self.go_on(),
            wait=wait_exponential(multiplier=0.5, max=10),
            sleep=sleep,
            reraise=True,
        )
        self._monotonic = monotonic
        self._turn = 0
        self._warned: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        for member in self._members:
            member.server.close()

    def __enter__(self) -> "OllamaClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def digest(self, model: str) -> str:
        """The digest of a model's weights: that of the first server, in the order of their addresses, that has it.

        LlmUnavailableError when no server answers, ModelMissingError when none has the model.
        """
        return self._tried(lambda server: server.digest(model), model, in_order=True)

    def chat(self, model: str, digest: str, prompt: Prompt, options: Mapping[str, Any]) -> Reply:
        """Ask a model of that digest, wherever it is soonest; `options` must state `num_ctx`.

        LlmUnavailableError, ModelMissingError, RequestRefusedError or CutError; a server whose model has another
        digest is passed over, because the answer would be recorded under the wrong one.
        """
        return self._tried(lambda server: server.chat(model, digest, prompt, options), model)

    def _tried(self, act: Callable[[Server], Result], model: str, *, in_order: bool = False) -> Result:
        return self._retrying.copy()(lambda: self._round(act, model, in_order=in_order))

    def _round(self, act: Callable[[Server], Result], model: str, *, in_order: bool) -> Result:
        """One attempt: each server that is awake, until one answers."""
        tried: list[_Member] = []
        errors: list[LlmUnavailableError | ModelMissingError] = []
        while (member := self._take(tried, in_order=in_order)) is not None:
            tried.append(member)
            try:
                result = act(member.server)
            except (OtherVersionError, ModelMissingError) as error:
                self._pass_over(member, model, error)
                errors.append(error)
            except LlmUnavailableError as error:
                self._lay_down(member)
                errors.append(error)
            else:
                member.failures = 0
                member.rests_until = 0.0
                return result
            finally:
                with self._lock:
                    member.in_flight -= 1
        raise _together(errors)

    def _take(self, tried: Sequence[_Member], *, in_order: bool) -> _Member | None:
        """The next server of an attempt: awake and least busy; where all rest and none was tried, the first to wake."""
        with self._lock:
            now = self._monotonic()
            left = [member for member in self._members if member not in tried]
            awake = [member for member in left if member.rests_until <= now]
            if awake:
                chosen = awake[0] if in_order else min(awake, key=lambda m: (m.in_flight, m.chosen))
            elif left and not tried:
                chosen = min(left, key=lambda m: m.rests_until)
            else:
                return None
            self._turn += 1
            chosen.chosen = self._turn
            chosen.in_flight += 1
            return chosen

    def _lay_down(self, member: _Member) -> None:
        with self._lock:
            rest = min(LONGEST_REST, REST_SECONDS * 2.0 ** min(member.failures, 10))
            member.failures += 1
            member.rests_until = self._monotonic() + rest

    def _pass_over(self, member: _Member, model: str, error: Exception) -> None:
        """Say once that a server cannot help with a model while others may."""
        about = member.server.url, model
        with self._lock:
            new = about not in self._warned
            self._warned.add(about)
        if new and len(self._members) > 1:
            _log.warning("%s; it is passed over", error)


def _together(errors: Sequence[LlmUnavailableError | ModelMissingError]) -> Exception:
    """The failure of an attempt: the one server's own, or that of all of them in one sentence."""
    if len(errors) == 1:
        return errors[0]
    told = "; ".join(dict.fromkeys(map(str, errors)))
    if all(isinstance(error, ModelMissingError) for error in errors):
        return ModelMissingError(told)
    if all(isinstance(error, LlmTooSlowError) for error in errors):
        return LlmTooSlowError(told)
    return LlmUnavailableError(told)


def connect(address: str, settings: Ollama) -> OllamaClient:
    """The client of the server at an address, or of several separated by commas, with the settings' limits."""
    urls = [url.strip().rstrip("/") for url in address.split(",") if url.strip()]
    return OllamaClient(urls, timeout=settings.timeout, max_retries=settings.max_retries)
