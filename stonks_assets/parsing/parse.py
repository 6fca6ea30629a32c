"""One raw row to one parsed document: the pure composition of reading, matching, judging and naming."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from stonks_assets.parsing.duplicates import fingerprint
from stonks_assets.parsing.identity import document_id
from stonks_assets.parsing.mentions import CompanyMatcher, Mention
from stonks_assets.parsing.metadata import UNKNOWN, detect_language
from stonks_assets.parsing.payloads import UnreadablePayloadError, read_payload, with_title
from stonks_assets.parsing.quality import assess
from stonks_core.identifiers import sha256_text
from stonks_core.vocabulary import DocumentType, SourceType

PARSER_VERSION = 2

DOCUMENT_TYPES = {
    SourceType.NEWS_API: DocumentType.NEWS,
    SourceType.FILINGS_API: DocumentType.FILING,
    SourceType.WEB_SCRAPE: DocumentType.WEB,
    SourceType.MACRO_NEWS: DocumentType.MACRO_EVENT,
}


@dataclass(frozen=True)
class ParsedDocument:
    """A document before clustering: the row of `documents` without its cluster, and its mentions.

    `zone_stated` is false where the source gave its publication time without a zone, so that it was taken as UTC.
    """

    row: Mapping[str, Any]
    mentions: tuple[Mention, ...]
    zone_stated: bool = True

    @property
    def document_id(self) -> str:
        """The document's id."""
        return str(self.row["document_id"])

    @property
    def tickers(self) -> frozenset[str]:
        """The companies that it mentions."""
        return frozenset(mention.ticker for mention in self.mentions)


def parse_raw(raw: Mapping[str, Any], matcher: CompanyMatcher) -> ParsedDocument:
    """Parse a raw row; UnreadablePayloadError when it holds no text or is not what its kind promises.

    `published_at` is what the source says, but never after the fetch, and `available_at` never before it: a source
    cannot be known before it spoke.
    """
    draft = read_payload(raw)
    if not draft.text:
        raise UnreadablePayloadError(
            f"item {raw['item_id']} of source {raw['source_name']} holds no text that a reader would see: "
            f"look at {draft.url or 'it'}, then replay or dismiss the failure"
        )
    published, available = _clocks(draft.published_at, raw)
    text, mentions = _named(draft.title, draft.text, matcher)
    language = detect_language(text)
    if language == UNKNOWN and draft.language and draft.language != "en":
        language = draft.language  # its own word for one whose small words are not known here
    quality = assess(
        text,
        has_title=bool(draft.title),
        has_date=draft.published_at is not None,
        has_source=bool(draft.author or draft.publisher),
        language=language,
        mentions=len(mentions),
        visible_characters=draft.visible_characters,
    )
    source_type = SourceType(str(raw["source_type"]))
    row = {
        "day": str(raw["day"]),
        "document_id": document_id(date.fromisoformat(str(raw["day"])), draft.identity),
        "document_type": DOCUMENT_TYPES[source_type].value,
        "source_type": source_type.value,
        "source_id": raw["source_id"],
        "source_name": raw["source_name"],
        "ticker": raw["ticker"],
        "url": draft.url,
        "canonical_url": draft.canonical_url,
        "title": draft.title,
        "author": draft.author,
        "publisher": draft.publisher,
        "language": language,
        "text": text,
        "sha256": sha256_text(text),
        "characters": len(text),
        "quality_score": quality.score,
        "confidence": quality.confidence,
        "status": "low_quality" if quality.confidence == "low" else "parsed",
        "fingerprint": fingerprint(text),
        "credibility": raw["credibility"],
        "raw_item_id": raw["item_id"],
        "raw_sha256": raw["sha256"],
        "parser_version": PARSER_VERSION,
        "published_at": published,
        "available_at": available,
    }
    return ParsedDocument(row, mentions, draft.zone_stated)


def _named(title: str, text: str, matcher: CompanyMatcher) -> tuple[str, tuple[Mention, ...]]:
    """The text and the companies it names; with its title as first line where only the title names one of them."""
    mentions = matcher.find(text)
    if title and matcher.tickers(title) - {mention.ticker for mention in mentions}:
        text = with_title(title, text)
        mentions = matcher.find(text)
    return text, mentions


def _clocks(stated: datetime | None, raw: Mapping[str, Any]) -> tuple[datetime, datetime]:
    fetched: datetime = raw["fetched_at"]
    available: datetime = raw["available_at"]
    published = min(stated or available, fetched)
    return published, max(available, published)


def mention_rows(document: ParsedDocument) -> list[dict[str, Any]]:
    """The document's rows of `document_company_mentions`."""
    shared = {key: document.row[key] for key in ("day", "document_id", "published_at", "available_at")}
    return [
        {
            **shared,
            "ticker": mention.ticker,
            "surface": mention.surface,
            "kind": mention.kind,
            "start": mention.start,
            "end": mention.end,
        }
        for mention in document.mentions
    ]
