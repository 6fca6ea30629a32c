"""Bronze: payloads as they came, one table per source type."""

from datetime import timedelta

from stonks_core.stores.lake.tables import (
    FROM_1,
    UNIT,
    FreshBy,
    Freshness,
    Grade,
    LakeTable,
    blob,
    flag,
    instant,
    real,
    text,
    whole,
)
from stonks_core.vocabulary import SourceType

_BLIND = {
    SourceType.MARKET_API: "stops and sizes would rest on old bars",
    SourceType.NEWS_API: "what moves a price now would not be seen",
    SourceType.FILINGS_API: "what companies file now would not be seen",
}
"""Why a position is not opened while no source of a type answers; the other types are beside the point for a while."""


_SILENT_FOR = {SourceType.BROKER: timedelta(minutes=90)}
"""Statements are asked for twice an hour, whatever the source's own interval."""


def raw_table(source_type: SourceType) -> LakeTable:
    """The bronze table of one source type: payloads kept verbatim with the request that brought them."""
    return LakeTable(
        name=f"raw_{source_type.value}",
        grade=Grade.BRONZE,
        owner="ingestion",
        doc=f"Payloads of {source_type.value} sources, verbatim: a row for each item, and one for each of its parts.",
        key=("item_id", "sha256"),
        columns=(
            text(
                "item_id",
                "the source's own name for the item: accession, article id, ticker and session, URL; a part's after a #",
            ),
            text("sha256", "SHA-256 of the payload, hexadecimal"),
            text("source_id", "the configured source that was asked"),
            text("source_type", "one of the six source types", among=SourceType),
            text("source_name", "the source's name, for people"),
            text("ticker", "the company the source is configured for, if any", null=True),
            text(
                "kind",
                "what the payload is: grouped_daily, article, filing, page, feed_item, account, or a part's kind",
            ),
            text("part_of", "the item that this row is a part of", null=True),
            text("part", "the part's name within its item", null=True),
            whole("part_number", "the part's place within its item, from 1", null=True, within=FROM_1),
            text("detail", "JSON of what was learnt of the item elsewhere than in its payload", null=True),
            text("url", "where people read it, without credentials"),
            text(
                "request", "JSON of the request that brought it: method, address, headers, secrets removed", null=True
            ),
            whole("http_status", "status of the answer"),
            text("response_headers", "JSON of the answer's headers, secrets removed"),
            text("media_type", "media type of the payload"),
            blob("payload", "the bytes of the answer, or an exact slice of them, verbatim"),
            real("credibility", "the source's credibility in [0, 1] at fetch time", within=UNIT),
            instant("published_at", "when the source says it was published", null=True),
            instant("fetched_at", "when the answer arrived"),
            instant("available_at", "fetch time of a live fetch; publication plus latency of a backfill"),
            flag("backfilled", "whether it was fetched for a past day"),
        ),
        freshness=Freshness(
            FreshBy.SOURCES, _SILENT_FOR.get(source_type, timedelta(minutes=30)), blocks=_BLIND.get(source_type, "")
        ),
    )


RAW_TABLES = tuple(raw_table(source_type) for source_type in SourceType)
