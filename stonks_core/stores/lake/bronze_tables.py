"""Bronze: payloads as they came, one table per source type."""

from stonks_core.stores.lake.tables import Grade, LakeTable, blob, flag, instant, real, text, whole
from stonks_core.vocabulary import SourceType


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
            text("source_type", "one of the six source types"),
            text("source_name", "the source's name, for people"),
            text("ticker", "the company the source is configured for, if any", null=True),
            text(
                "kind",
                "what the payload is: grouped_daily, article, filing, page, feed_item, account, or a part's kind",
            ),
            text("part_of", "the item that this row is a part of", null=True),
            text("part", "the part's name within its item", null=True),
            whole("part_number", "the part's place within its item, from 1", null=True),
            text("detail", "JSON of what was learnt of the item elsewhere than in its payload", null=True),
            text("url", "where people read it, without credentials"),
            text(
                "request", "JSON of the request that brought it: method, address, headers, secrets removed", null=True
            ),
            whole("http_status", "status of the answer"),
            text("response_headers", "JSON of the answer's headers, secrets removed"),
            text("media_type", "media type of the payload"),
            blob("payload", "the bytes of the answer, or an exact slice of them, verbatim"),
            real("credibility", "the source's credibility in [0, 1] at fetch time"),
            instant("published_at", "when the source says it was published", null=True),
            instant("fetched_at", "when the answer arrived"),
            instant("available_at", "fetch time of a live fetch; publication plus latency of a backfill"),
            flag("backfilled", "whether it was fetched for a past day"),
        ),
    )


RAW_TABLES = tuple(raw_table(source_type) for source_type in SourceType)
