"""A quote with its place and origin, as `resolve` finds it and the thesis shows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Sentence:
    """A quote with its place in a text of a known hash, who published it and when, and whom it is about if another."""

    layer: str
    source_record_id: str
    document_id: str
    document_sha256: str
    quote: str
    start: int
    end: int
    publisher: str
    published_at: datetime
    about: str
    catalyst: str
