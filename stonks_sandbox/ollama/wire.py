"""What an Ollama server reads and writes: requests checked by hand, token accounting, answer bodies. No HTTP here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

CHARS_PER_TOKEN = 4
DEFAULT_NUM_CTX = 4096
KEPT_TOKENS = 4  # Ollama's default num_keep: what survives at the front of a prompt that is too long
CHUNK_CHARS = 64


class BadRequestError(Exception):
    """A request that cannot be served; its text is the sentence of the `error` field."""


class ChatMessage(BaseModel):
    """One message; images and tool calls are accepted and not looked at."""

    model_config = ConfigDict(extra="ignore")
    role: str
    content: str | None = ""


class ChatOptions(BaseModel):
    """The options that change an answer of ours; the others are accepted and have no effect on rules."""

    model_config = ConfigDict(extra="ignore", strict=True)
    num_ctx: Annotated[int, Field(ge=1)] = DEFAULT_NUM_CTX
    num_predict: int = -1


class ChatRequest(BaseModel):
    """The body of POST /api/chat."""

    model_config = ConfigDict(extra="ignore")
    model: str = ""
    messages: list[ChatMessage] = Field(default_factory=list)
    format: dict[str, Any] | str | None = None
    options: ChatOptions | None = None
    stream: bool = True
    think: bool | str | None = None
    keep_alive: float | str | None = None


@dataclass(frozen=True)
class Prompt:
    """The messages as the model sees them after the context limit, with the tokens that were evaluated."""

    messages: tuple[tuple[str, str], ...]
    tokens: int
    cut: bool


@dataclass(frozen=True)
class Generation:
    """A finished answer with the token counts and nanoseconds that the last line of a reply reports."""

    content: str
    done_reason: str
    prompt_tokens: int
    answer_tokens: int
    prompt_ns: int
    answer_ns: int


def parse_chat(body: Any) -> ChatRequest:
    """Check a decoded JSON body; raises BadRequestError naming the field and its problem."""
    if not isinstance(body, Mapping):
        raise BadRequestError("the body of /api/chat must be a JSON object with model and messages")
    try:
        request = ChatRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRequestError(f"invalid chat request: {field}: {first['msg']}") from None
    if not request.model:
        raise BadRequestError("model is required")
    for message in request.messages:
        if message.role not in {"system", "user", "assistant", "tool"}:
            raise BadRequestError(
                f'invalid role: {message.role}, must be one of ["system", "user", "assistant", "tool"]'
            )
    return request


def tokens_in(text: str) -> int:
    """Estimated tokens: one for every started four characters."""
    return -(-len(text) // CHARS_PER_TOKEN)


def fit_prompt(messages: Sequence[ChatMessage], num_ctx: int) -> Prompt:
    """Cut a prompt to `num_ctx` tokens without saying so, as Ollama does.

    Older messages go first (system messages and the last message stay); what is still too long keeps its first
    few tokens and loses the middle, so that the end of the last message survives.
    """
    kept = [(message.role, message.content or "") for message in messages]
    total = sum(tokens_in(content) for _, content in kept)
    cut = total > num_ctx
    while total > num_ctx:
        oldest = next((i for i, (role, _) in enumerate(kept[:-1]) if role != "system"), None)
        if oldest is None:
            break
        total -= tokens_in(kept.pop(oldest)[1])
    if total > num_ctx:
        kept = _cut_middle(kept, num_ctx)
        total = num_ctx
    return Prompt(messages=tuple(kept), tokens=num_ctx if cut else total, cut=cut)


def _cut_middle(messages: list[tuple[str, str]], num_ctx: int) -> list[tuple[str, str]]:
    """Keep the first tokens of the whole prompt and as much of its end as fits."""
    head = min(KEPT_TOKENS, num_ctx // 2) * CHARS_PER_TOKEN
    tail = num_ctx * CHARS_PER_TOKEN - head
    length = sum(len(content) for _, content in messages)
    result: list[tuple[str, str]] = []
    start = 0
    for role, content in messages:
        end = start + len(content)
        front = content[: max(0, head - start)]
        back = content[max(len(front), length - tail - start) :] if end > length - tail else ""
        result.append((role, front + back))
        start = end
    return result


def finish(content: str, num_predict: int) -> tuple[str, str, int]:
    """Cut an answer to `num_predict` tokens (none where it is not positive): content, done_reason, tokens."""
    tokens = tokens_in(content)
    if 0 < num_predict < tokens:
        return content[: num_predict * CHARS_PER_TOKEN], "length", num_predict
    return content, "stop", tokens


def timestamp(instant: datetime) -> str:
    """An instant as Ollama writes it: RFC 3339 with a Z."""
    return instant.isoformat().replace("+00:00", "Z")


def final_body(model: str, created_at: str, generation: Generation, *, streamed: bool) -> dict[str, Any]:
    """The body of a whole answer, or the last line of a streamed one (whose content has already been sent)."""
    return {
        "model": model,
        "created_at": created_at,
        "message": {"role": "assistant", "content": "" if streamed else generation.content},
        "done": True,
        "done_reason": generation.done_reason,
        "total_duration": generation.prompt_ns + generation.answer_ns,
        "load_duration": 0,
        "prompt_eval_count": generation.prompt_tokens,
        "prompt_eval_duration": generation.prompt_ns,
        "eval_count": generation.answer_tokens,
        "eval_duration": generation.answer_ns,
    }


def stream_bodies(model: str, created_at: str, generation: Generation) -> Iterator[dict[str, Any]]:
    """The lines of a streamed answer: pieces of the content, then the final counts."""
    for start in range(0, len(generation.content), CHUNK_CHARS):
        piece = generation.content[start : start + CHUNK_CHARS]
        yield {
            "model": model,
            "created_at": created_at,
            "message": {"role": "assistant", "content": piece},
            "done": False,
        }
    yield final_body(model, created_at, generation, streamed=True)
