"""The model `stonks-rules` as a whole: its name, its digest, and which task a request asks for.

It sees chat messages and an answer schema, nothing else, and the same input gives the same answer for ever:
the digest covers every source and every word list that an answer depends on.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from stonks_core import vocabulary
from stonks_sandbox.ollama.conform import conform
from stonks_sandbox.ollama.prompt import PromptBlocks, read_blocks
from stonks_sandbox.ollama.rules.document import extract_document
from stonks_sandbox.ollama.rules.macro import classify_event
from stonks_sandbox.ollama.rules.thesis import rewrite_thesis

NAME = "stonks-rules"
FULL_NAME = f"{NAME}:latest"
MODIFIED_AT = "2026-11-22T00:00:00Z"
_OWN_FILES = ("model.py", "prompt.py", "conform.py")
_DETAILS = {
    "parent_model": "",
    "format": "python",
    "family": "rules",
    "families": ["rules"],
    "parameter_size": "0",
    "quantization_level": "none",
}


class NoTaskError(Exception):
    """The answer format asks for none of the three tasks; the text is the sentence for the caller."""


def is_ours(name: str) -> bool:
    """Whether a requested model name means this model (a missing tag means `latest`)."""
    return name in {NAME, FULL_NAME}


def _sources() -> list[Path]:
    here = Path(__file__).parent
    return [here / name for name in _OWN_FILES] + sorted((here / "rules").rglob("*.py"))


@cache
def digest() -> str:
    """SHA-256 over the rules, word lists and the vocabulary they answer in, as 64 hexadecimal digits."""
    here = Path(__file__).parent
    total = hashlib.sha256()
    for path in [*_sources(), Path(vocabulary.__file__)]:
        name = path.relative_to(here).as_posix() if path.is_relative_to(here) else path.name
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def tag() -> dict[str, Any]:
    """The model's entry in the list of models."""
    return {
        "name": FULL_NAME,
        "model": FULL_NAME,
        "modified_at": MODIFIED_AT,
        "size": sum(path.stat().st_size for path in _sources()),
        "digest": digest(),
        "details": _DETAILS,
    }


def card() -> dict[str, Any]:
    """The model's card, as /api/show gives it."""
    return {
        "modelfile": f"# {FULL_NAME}: a deterministic rule-based extractor, no weights",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "license": "",
        "details": _DETAILS,
        "model_info": {"general.architecture": "rules", "general.parameter_count": 0, "rules.digest": digest()},
        "capabilities": ["completion"],
        "modified_at": MODIFIED_AT,
    }


def answer(messages: Sequence[tuple[str, str]], answer_format: dict[str, Any] | str | None) -> str:
    """The answer to a conversation of (role, content) pairs, as text; JSON that fits the schema where one is given.

    Raises NoTaskError where the format names none of the tasks.
    """
    if not answer_format:
        return f"{NAME} reads documents by rules; ask it with a JSON schema in `format`."
    users = [content for role, content in messages if role == "user"]
    blocks = read_blocks(users[-1] if users else "")
    schema = answer_format if isinstance(answer_format, dict) else None
    result = _run(_task(schema, answer_format, blocks), blocks)
    return json.dumps(conform(result, schema) if schema else result, ensure_ascii=False, allow_nan=False)


def _task(schema: dict[str, Any] | None, answer_format: Any, blocks: PromptBlocks) -> str:
    if schema is None:
        if answer_format != "json":
            raise NoTaskError(f'invalid format: {answer_format!r}: expected "json" or a JSON schema')
        return "thesis" if blocks.thesis else "impacts" if blocks.companies else "severity"
    properties = schema.get("properties")
    names = set(properties) if isinstance(properties, dict) else set()
    for task in ("impacts", "severity", "thesis"):
        if task in names:
            return task
    raise NoTaskError(
        f"invalid format: {NAME} answers schemas with a property impacts, severity or thesis; "
        f"this one has {', '.join(sorted(names)) or 'none'}"
    )


def _run(task: str, blocks: PromptBlocks) -> dict[str, Any]:
    if task == "impacts":
        return extract_document(blocks.document, blocks.companies)
    if task == "severity":
        return classify_event(blocks.document)
    return {"thesis": rewrite_thesis(blocks.thesis)}
