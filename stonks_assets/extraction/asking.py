"""What it means to ask a model: the answer, its key, and the ways in which asking fails. Pure; `answers` does it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stonks_assets.extraction.agents import AgentConfig
from stonks_assets.extraction.prompts import Prompt
from stonks_core.errors import PermanentError, TransientError
from stonks_core.identifiers import digest

KEY_DIGITS = 40


class LlmUnavailableError(TransientError):
    """The server is unreachable or busy; asking again later makes sense."""


class LlmTooSlowError(LlmUnavailableError):
    """The server gave no answer in time: it is overloaded, or this document is too much for it."""


class OtherVersionError(LlmUnavailableError):
    """The server has the model with other weights: its answer would be recorded under the wrong digest."""


class ModelMissingError(PermanentError):
    """The server has no such model; no document can be read until it is pulled."""


class RequestRefusedError(PermanentError):
    """The server refuses this request; the same request again will be refused again."""


class CutError(PermanentError):
    """The prompt or the answer did not fit and was cut; what came back must not be used, but its tokens were spent."""

    def __init__(self, sentence: str, prompt_tokens: int = 0, output_tokens: int = 0) -> None:
        super().__init__(sentence)
        self.prompt_tokens = prompt_tokens
        self.output_tokens = output_tokens


class NotRecordedError(PermanentError):
    """Only recorded answers are allowed, and this question has none."""


@dataclass(frozen=True)
class Answer:
    """A model's answer as text, the key it is recorded under, and what it cost when it was given."""

    key: str
    model: str
    model_digest: str
    text: str
    prompt_tokens: int
    output_tokens: int
    duration_ms: float
    recorded: bool  # whether it was on record already


def answer_key(content_sha256: str, model_digest: str, prompt: Prompt, options: Mapping[str, Any]) -> str:
    """The key of an answer: a hash of the document, the model's digest, the prompt with its schema, and the options."""
    return digest(content_sha256, model_digest, prompt.hash, json.dumps(options, sort_keys=True), length=KEY_DIGITS)


class Ask(Protocol):
    """Answers a prompt over the document with that content hash."""

    def __call__(self, config: AgentConfig, prompt: Prompt, content_sha256: str, *, fresh: bool = False) -> Answer:
        """The answer, recorded or new."""
        ...
