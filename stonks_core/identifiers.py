"""Deterministic identifiers: the same thing has the same name whoever computes it, and however often."""

import hashlib
from collections.abc import Iterable
from datetime import date
from uuid import UUID

_SEPARATOR = "\x1f"


def digest(*parts: object, length: int = 24) -> str:
    """The first `length` hexadecimal digits of SHA-256 over the parts' texts, unambiguously joined."""
    joined = _SEPARATOR.join(map(str, parts))
    return hashlib.sha256(joined.encode()).hexdigest()[:length]


def digests(before: str, texts: Iterable[str], *after: str, length: int = 24) -> list[str]:
    """`digest(before, text, *after)` of each text, in half the time where they are many."""
    head, tail = f"{before}{_SEPARATOR}", "".join(f"{_SEPARATOR}{part}" for part in after)
    return [hashlib.sha256(f"{head}{text}{tail}".encode()).hexdigest()[:length] for text in texts]


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_bytes(payload: bytes) -> str:
    """SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(payload).hexdigest()


def day_of_document(document_id: str) -> date:
    """The feed day that a document's id begins with, so that a look-up by id touches one partition."""
    return date(int(document_id[:4]), int(document_id[4:6]), int(document_id[6:8]))


def uuid_or_none(text: str) -> UUID | None:
    """The UUID that a text writes out; None for any other name."""
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None
