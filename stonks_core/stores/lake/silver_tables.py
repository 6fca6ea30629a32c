"""Silver: what is read out of the payloads, from bars and documents to signals, in the order data flows."""

from datetime import timedelta
from typing import get_args

from stonks_core.stores.lake.tables import (
    FROM_0,
    FROM_1,
    POSITIVE,
    SIGNED,
    UNIT,
    Column,
    FreshBy,
    Freshness,
    Grade,
    LakeTable,
    blob,
    instant,
    real,
    text,
    whole,
)
from stonks_core.vocabulary import (
    Catalyst,
    DocumentType,
    Duration,
    Horizon,
    Layer,
    Relationship,
    Severity,
    SourceType,
)

PUBLISHED = instant("published_at", "when the source published it", null=False)
AVAILABLE = instant("available_at", "first instant at which the system could have used the row (knowledge time)")


def _clocks(table: str) -> tuple[Column, Column]:
    return (
        instant("published_at", "when the source published it", f"{table}.published_at"),
        instant("available_at", "first instant at which the row could have been used", f"{table}.available_at"),
    )


MARKET_SNAPSHOTS = LakeTable(
    name="market_snapshots",
    grade=Grade.SILVER,
    owner="ingestion",
    doc="Bars by ticker and feed, as traded: no split is applied. A bar stands under its session's date.",
    key=("ticker", "span", "start_at", "end_at", "feed"),
    columns=(
        text("ticker", "the company's ticker"),
        text("span", "1d: a finished session; snapshot: the running session so far", among=("1d", "snapshot")),
        instant("start_at", "start of the bar: when its session opens"),
        instant("end_at", "end of the bar: the session's close, or how far a snapshot reaches"),
        text("feed", "where it came from: polygon, polygon_delayed, iex, sip or sandbox"),
        real("open", "first price, dollars", "raw_market_api.payload", within=POSITIVE),
        real("high", "highest price, dollars", "raw_market_api.payload", within=POSITIVE),
        real("low", "lowest price, dollars", "raw_market_api.payload", within=POSITIVE),
        real("close", "last price, dollars", "raw_market_api.payload", within=POSITIVE),
        real("volume", "shares traded", "raw_market_api.payload", within=FROM_0),
        real("vwap", "volume-weighted price, dollars", "raw_market_api.payload", null=True, within=FROM_0),
        text("raw_sha256", "the raw payload it was read from", "raw_market_api.sha256"),
        instant("published_at", "end of the bar", "raw_market_api.published_at"),
        instant("available_at", "first instant at which the bar could have been used"),
    ),
    ordered=(("low", "open"), ("low", "close"), ("open", "high"), ("close", "high"), ("start_at", "end_at")),
    freshness=Freshness(
        FreshBy.SESSIONS, timedelta(hours=12), blocks="stops and sizes would be computed without the newest session"
    ),
    blocks="stops, sizes and risk are computed from its bars",
)

DOCUMENTS = LakeTable(
    name="documents",
    grade=Grade.SILVER,
    owner="parsing",
    doc="Normalised, quality-scored documents with their near-duplicate cluster.",
    key=("document_id",),
    columns=(
        text("document_id", "deterministic; begins with its feed day as yyyymmdd", "raw_news_api.item_id"),
        text("document_type", "news, filing, web or macro_event", among=DocumentType),
        text("source_type", "one of the six source types", among=SourceType),
        text("source_id", "the configured source"),
        text("source_name", "the source's name"),
        text("ticker", "the company the source is configured for, if any", null=True),
        text("url", "where it was found"),
        text("canonical_url", "the address it calls its own"),
        text("title", "title, may be empty"),
        text("author", "author, may be empty"),
        text("publisher", "publisher, may be empty"),
        text("language", "ISO 639-1 code, or und"),
        text("text", "normalised text; offsets everywhere are characters of it", "raw_news_api.payload"),
        text("sha256", "SHA-256 of the normalised text in UTF-8, hexadecimal"),
        whole("characters", "length of the text", within=FROM_0),
        real("quality_score", "quality in [0, 1]", within=UNIT),
        text("confidence", "high, medium or low", among=("high", "medium", "low")),
        text("status", "parsed, or low_quality where it is not sent to extraction", among=("parsed", "low_quality")),
        text("cluster_id", "near-duplicate cluster; the document_id of its origin"),
        text("origin_document_id", "earliest member of the cluster"),
        blob("fingerprint", "MinHash signature of the text's word shingles"),
        real("credibility", "credibility of the source in [0, 1]", within=UNIT),
        text("raw_item_id", "the raw row it was parsed from", "raw_news_api.item_id"),
        text("raw_sha256", "the raw payload it was parsed from", "raw_news_api.sha256"),
        whole("parser_version", "version of the parser's rules", within=FROM_1),
        PUBLISHED,
        AVAILABLE,
    ),
)

DOCUMENT_COMPANY_MENTIONS = LakeTable(
    name="document_company_mentions",
    grade=Grade.SILVER,
    owner="parsing",
    doc="Where a document names a company.",
    key=("document_id", "start", "ticker"),
    columns=(
        text("document_id", "the document", "documents.document_id"),
        text("ticker", "the company"),
        text("surface", "the words in the text", "documents.text"),
        text("kind", "ticker, legal_name or alias", among=("ticker", "legal_name", "alias")),
        whole("start", "first character", within=FROM_0),
        whole("end", "one past the last character", within=FROM_1),
        *_clocks("documents"),
    ),
    ordered=(("start", "end"),),
)

_ANSWER = (
    text("agent", "the AI agent that was asked"),
    text("variant", "the agent's variant, or base"),
    text("model", "model name"),
    text("model_digest", "digest of the model's weights or rules"),
    text("answer_key", "key of the recorded answer"),
)

DOCUMENT_INTELLIGENCE = LakeTable(
    name="document_intelligence",
    grade=Grade.SILVER,
    owner="extraction",
    doc="What the extractor read in a document, and how its answer fared against the evidence contract.",
    key=("document_id",),
    columns=(
        text("document_id", "the document", "documents.document_id"),
        text(
            "status", "extracted, no_impact or extraction_failed", among=("extracted", "no_impact", "extraction_failed")
        ),
        text("summary", "summary in the model's words", "documents.text"),
        real("sentiment", "document sentiment in [-1, 1]", "documents.text", within=SIGNED),
        text("catalyst", "catalyst type", "documents.text", among=Catalyst),
        real("confidence", "confidence in [0, 1]", "documents.text", within=UNIT),
        whole("impacts_kept", "impact records that held", within=FROM_0),
        whole("hallucinated_ticker", "records refused: company neither mentioned nor registered", within=FROM_0),
        whole("unsupported_quote", "records refused: quote not in the text", within=FROM_0),
        whole("invalid_record", "records refused for any other breach", within=FROM_0),
        *_ANSWER,
        instant("extracted_at", "when the answer was validated"),
        *_clocks("documents"),
    ),
)

IMPACT_RECORDS = LakeTable(
    name="impact_records",
    grade=Grade.SILVER,
    owner="extraction",
    doc="One company's impact by one document, held up by a verbatim quote (document_impact_records).",
    key=("impact_id",),
    columns=(
        text("impact_id", "hash of document and ticker"),
        text("document_id", "the document", "documents.document_id"),
        text("cluster_id", "the document's near-duplicate cluster", "documents.cluster_id"),
        text("ticker", "the company", "document_company_mentions.ticker"),
        real("sentiment", "sentiment in [-1, 1]", "documents.text", within=SIGNED),
        real("impact", "size of the impact in [0, 1]", "documents.text", within=UNIT),
        text("catalyst", "catalyst type", "documents.text", among=Catalyst),
        text("horizon", "intraday, days, weeks or months", among=get_args(Horizon)),
        real("confidence", "confidence in [0, 1]", within=UNIT),
        real("credibility", "credibility of the source in [0, 1]", "documents.credibility", within=UNIT),
        text("quote", "verbatim span of the document's text", "documents.text"),
        whole("quote_start", "first character of the quote", within=FROM_0),
        whole("quote_end", "one past its last character", within=FROM_1),
        text("document_sha256", "SHA-256 of the text the offsets refer to", "documents.sha256"),
        *_clocks("documents"),
    ),
    ordered=(("quote_start", "quote_end"),),
    blocks="signals are made of it",
)

GLOBAL_EVENTS = LakeTable(
    name="global_events",
    grade=Grade.SILVER,
    owner="extraction",
    doc="Macro events, classified by severity, regions, sectors and commodities.",
    key=("event_id",),
    columns=(
        text("event_id", "hash of the document"),
        text("document_id", "the document", "documents.document_id"),
        text("cluster_id", "the document's near-duplicate cluster", "documents.cluster_id"),
        text("type", "what kind of event", "documents.text"),
        text("summary", "summary in the model's words", "documents.text"),
        text("severity", "low, moderate, high or critical", among=get_args(Severity)),
        real("direction", "direction in [-1, 1]", within=SIGNED),
        text("regions", "JSON list of {name, weight in [0, 1]}"),
        text("sectors", "JSON list of {name, weight in [0, 1]}"),
        text("commodities", "JSON list of {name, weight in [0, 1], price_direction +1 or -1}"),
        text("duration", "short, medium or long", among=get_args(Duration)),
        real("confidence", "confidence in [0, 1]", within=UNIT),
        real("credibility", "credibility of the source in [0, 1]", "documents.credibility", within=UNIT),
        text("quote", "verbatim span of the document's text", "documents.text"),
        whole("quote_start", "first character of the quote", within=FROM_0),
        whole("quote_end", "one past its last character", within=FROM_1),
        text("document_sha256", "SHA-256 of the text the offsets refer to", "documents.sha256"),
        *_ANSWER,
        *_clocks("documents"),
    ),
    ordered=(("quote_start", "quote_end"),),
    blocks="macro impacts are made of it",
)

MACRO_IMPACTS = LakeTable(
    name="macro_impacts",
    grade=Grade.SILVER,
    owner="extraction",
    doc="What a global event means for one company, by its exposure profile (macro_impact_records).",
    key=("macro_impact_id",),
    columns=(
        text("macro_impact_id", "hash of event and ticker"),
        text("event_id", "the event", "global_events.event_id"),
        text("document_id", "the event's document", "global_events.document_id"),
        text("cluster_id", "the document's near-duplicate cluster", "global_events.cluster_id"),
        text("ticker", "the company"),
        real("geo", "regional exposure in [0, 1]", "global_events.regions", within=UNIT),
        real("sector", "sector exposure in [0, 1]", "global_events.sectors", within=UNIT),
        real("commodity", "commodity exposure in [0, 1]", "global_events.commodities", within=UNIT),
        real("exposure", "1 - (1 - 0.6 geo)(1 - 0.8 sector)(1 - 0.7 commodity)", within=UNIT),
        real("impact", "severity times exposure, in [0, 1]", "global_events.severity", within=UNIT),
        real("sentiment", "sentiment in [-1, 1]", "global_events.direction", within=SIGNED),
        text("duration", "short, medium or long", "global_events.duration", among=get_args(Duration)),
        real("confidence", "confidence of the event in [0, 1]", "global_events.confidence", within=UNIT),
        real("credibility", "credibility of the source in [0, 1]", "global_events.credibility", within=UNIT),
        *_clocks("global_events"),
    ),
    blocks="signals are made of it",
)

COMPETITIVE_SIGNALS = LakeTable(
    name="competitive_signals",
    grade=Grade.SILVER,
    owner="aggregation",
    doc="What a company's news means for a competitor, by past responses (competitive_signal_records).",
    key=("competitive_id",),
    columns=(
        text("competitive_id", "hash of impact record and target ticker"),
        text("impact_id", "the impact record it is propagated from", "impact_records.impact_id"),
        text("document_id", "that record's document", "impact_records.document_id"),
        text("cluster_id", "the document's near-duplicate cluster", "impact_records.cluster_id"),
        text("source_ticker", "the company the news is about", "impact_records.ticker"),
        text("ticker", "the competitor"),
        text("catalyst", "catalyst type", "impact_records.catalyst", among=Catalyst),
        text("relationship", "how the competitor stands to the company", among=Relationship),
        real("strength", "strength of the relationship in [0, 1]", within=UNIT),
        text("pattern", "cross, self or none", "market_snapshots.close", among=("cross", "self", "none")),
        whole("samples", "past responses the pattern rests on", within=FROM_0),
        real("mean_response", "mean abnormal return over 5 sessions", "market_snapshots.close", null=True),
        real("consistency", "share of samples with the mean's sign", null=True, within=UNIT),
        real("pattern_confidence", "confidence in the pattern in [0, 1]", within=UNIT),
        real("sentiment", "sentiment in [-1, 1]", "impact_records.sentiment", within=SIGNED),
        real("impact", "impact in [0, 1]", "impact_records.impact", within=UNIT),
        real("confidence", "confidence of the impact record in [0, 1]", "impact_records.confidence", within=UNIT),
        real("credibility", "credibility of the source in [0, 1]", "impact_records.credibility", within=UNIT),
        *_clocks("impact_records"),
    ),
    blocks="signals are made of it",
)

SIGNALS = LakeTable(
    name="signals",
    grade=Grade.SILVER,
    owner="aggregation",
    doc="All three layers in one shape; copies of one story are kept with a pointer to their origin.",
    key=("signal_id",),
    columns=(
        text("signal_id", "hash of layer and source record"),
        text("ticker", "the company"),
        text("layer", "company, macro or competitive", among=Layer),
        text("source_record_id", "impact_id, macro_impact_id or competitive_id", "impact_records.impact_id"),
        text("document_id", "the document", "impact_records.document_id"),
        text("cluster_id", "its near-duplicate cluster", "impact_records.cluster_id"),
        text(
            "origin_signal_id",
            "the cluster's origin for this ticker and layer; itself where it is the origin",
        ),
        real("sentiment", "v in [-1, 1]", "impact_records.sentiment", "macro_impacts.sentiment", within=SIGNED),
        real("impact", "in [0, 1]", "impact_records.impact", "macro_impacts.impact", within=UNIT),
        real("confidence", "in [0, 1]", "impact_records.confidence", within=UNIT),
        real("novelty", "1 / (1 + earlier like clusters within 48 hours)", within=UNIT),
        real("credibility", "in [0, 1]", "impact_records.credibility", within=UNIT),
        text("catalyst", "catalyst type", "impact_records.catalyst", among=Catalyst),
        text(
            "duration",
            "duration of a macro event, empty otherwise",
            "macro_impacts.duration",
            among=("", *get_args(Duration)),
        ),
        *_clocks("impact_records"),
    ),
    blocks="trends are sums of it",
)
