"""The pipeline's tables, from raw payloads to trend projections and recommendations, in the order data flows."""

from stonks_core.stores.lake.tables import Column, Grade, LakeTable, blob, flag, instant, real, text, whole
from stonks_core.vocabulary import SourceType

PUBLISHED = instant("published_at", "when the source published it", null=False)
AVAILABLE = instant(
    "available_at", "first instant at which the system could have used the row (knowledge time)"
)


def _clocks(table: str) -> tuple[Column, Column]:
    return (
        instant("published_at", "when the source published it", f"{table}.published_at"),
        instant(
            "available_at", "first instant at which the row could have been used", f"{table}.available_at"
        ),
    )


def raw_table(source_type: SourceType) -> LakeTable:
    """The bronze table of one source type: payloads kept verbatim with the request that brought them."""
    return LakeTable(
        name=f"raw_{source_type.value}",
        grade=Grade.BRONZE,
        owner="ingestion",
        doc=f"Payloads of {source_type.value} sources, verbatim, one row per item and version of its bytes.",
        key=("item_id", "sha256"),
        columns=(
            text(
                "item_id",
                "the source's own name for the item: accession, article id, ticker and session, URL",
            ),
            text("sha256", "SHA-256 of the payload, hexadecimal"),
            text("source_id", "the configured source that was asked"),
            text("source_type", "one of the six source types"),
            text("source_name", "the source's name, for people"),
            text("ticker", "the company the source is configured for, if any", null=True),
            text("kind", "what the payload is: bars, article, filing, page, feed_item, account"),
            text("url", "the address it came from, without credentials"),
            whole("http_status", "status of the answer"),
            text("response_headers", "JSON of the answer's headers, secrets removed"),
            text("media_type", "media type of the payload"),
            blob("payload", "the bytes, verbatim"),
            real("credibility", "the source's credibility in [0, 1] at fetch time"),
            instant("published_at", "when the source says it was published", null=True),
            instant("fetched_at", "when the answer arrived"),
            instant("available_at", "fetch time of a live fetch; publication plus latency of a backfill"),
            flag("backfilled", "whether it was fetched for a past day"),
        ),
    )


RAW_TABLES = tuple(raw_table(source_type) for source_type in SourceType)

MARKET_SNAPSHOTS = LakeTable(
    name="market_snapshots",
    grade=Grade.SILVER,
    owner="ingestion",
    doc="Bars by ticker and feed. A daily bar stands under its session's date; splits are applied by the vendor.",
    key=("ticker", "span", "start_at", "feed"),
    columns=(
        text("ticker", "the company's ticker"),
        text("span", "length of the bar: 1d, 1h or 1min"),
        instant("start_at", "start of the bar; a daily bar begins when its session opens"),
        instant("end_at", "end of the bar; a daily bar ends when its session closes"),
        text("feed", "where it came from: polygon, polygon_delayed, iex, sip or sandbox"),
        real("open", "first price, dollars", "raw_market_api.payload"),
        real("high", "highest price, dollars", "raw_market_api.payload"),
        real("low", "lowest price, dollars", "raw_market_api.payload"),
        real("close", "last price, dollars", "raw_market_api.payload"),
        real("volume", "shares traded", "raw_market_api.payload"),
        real("vwap", "volume-weighted price, dollars", "raw_market_api.payload", null=True),
        text("raw_sha256", "the raw payload it was read from", "raw_market_api.sha256"),
        instant("published_at", "end of the bar", "raw_market_api.published_at"),
        instant("available_at", "first instant at which the finished bar could have been used"),
    ),
)

DOCUMENTS = LakeTable(
    name="documents",
    grade=Grade.SILVER,
    owner="parsing",
    doc="Normalised, quality-scored documents with their near-duplicate cluster.",
    key=("document_id",),
    columns=(
        text("document_id", "deterministic; begins with its feed day as yyyymmdd", "raw_news_api.item_id"),
        text("document_type", "news, filing, web or macro_event"),
        text("source_type", "one of the six source types"),
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
        whole("characters", "length of the text"),
        real("quality_score", "quality in [0, 1]"),
        text("confidence", "high, medium or low"),
        text("status", "parsed, or low_quality where it is not sent to extraction"),
        text("cluster_id", "near-duplicate cluster; the document_id of its origin"),
        text("origin_document_id", "earliest member of the cluster"),
        blob("fingerprint", "MinHash signature of the text's word shingles"),
        real("credibility", "credibility of the source in [0, 1]"),
        text("raw_item_id", "the raw row it was parsed from", "raw_news_api.item_id"),
        text("raw_sha256", "the raw payload it was parsed from", "raw_news_api.sha256"),
        whole("parser_version", "version of the parser's rules"),
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
        text("kind", "ticker, legal_name or alias"),
        whole("start", "first character"),
        whole("end", "one past the last character"),
        *_clocks("documents"),
    ),
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
        text("status", "extracted, no_impact or extraction_failed"),
        text("summary", "summary in the model's words", "documents.text"),
        real("sentiment", "document sentiment in [-1, 1]", "documents.text"),
        text("catalyst", "catalyst type", "documents.text"),
        real("confidence", "confidence in [0, 1]", "documents.text"),
        whole("impacts_kept", "impact records that held"),
        whole("hallucinated_ticker", "records refused: company neither mentioned nor registered"),
        whole("unsupported_quote", "records refused: quote not in the text"),
        whole("invalid_record", "records refused for any other breach"),
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
        real("sentiment", "sentiment in [-1, 1]", "documents.text"),
        real("impact", "size of the impact in [0, 1]", "documents.text"),
        text("catalyst", "catalyst type", "documents.text"),
        text("horizon", "intraday, days, weeks or months"),
        real("confidence", "confidence in [0, 1]"),
        real("credibility", "credibility of the source in [0, 1]", "documents.credibility"),
        text("quote", "verbatim span of the document's text", "documents.text"),
        whole("quote_start", "first character of the quote"),
        whole("quote_end", "one past its last character"),
        text("document_sha256", "SHA-256 of the text the offsets refer to", "documents.sha256"),
        *_clocks("documents"),
    ),
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
        text("severity", "low, moderate, high or critical"),
        real("direction", "direction in [-1, 1]"),
        text("regions", "JSON list of {name, weight in [0, 1]}"),
        text("sectors", "JSON list of {name, weight in [0, 1]}"),
        text("commodities", "JSON list of {name, weight in [0, 1], price_direction +1 or -1}"),
        text("duration", "short, medium or long"),
        real("confidence", "confidence in [0, 1]"),
        real("credibility", "credibility of the source in [0, 1]", "documents.credibility"),
        text("quote", "verbatim span of the document's text", "documents.text"),
        whole("quote_start", "first character of the quote"),
        whole("quote_end", "one past its last character"),
        text("document_sha256", "SHA-256 of the text the offsets refer to", "documents.sha256"),
        *_ANSWER,
        *_clocks("documents"),
    ),
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
        real("geo", "regional exposure in [0, 1]", "global_events.regions"),
        real("sector", "sector exposure in [0, 1]", "global_events.sectors"),
        real("commodity", "commodity exposure in [0, 1]", "global_events.commodities"),
        real("exposure", "1 - (1 - 0.6 geo)(1 - 0.8 sector)(1 - 0.7 commodity)"),
        real("impact", "severity times exposure, in [0, 1]", "global_events.severity"),
        real("sentiment", "sentiment in [-1, 1]", "global_events.direction"),
        text("duration", "short, medium or long", "global_events.duration"),
        real("confidence", "confidence of the event in [0, 1]", "global_events.confidence"),
        real("credibility", "credibility of the source in [0, 1]", "global_events.credibility"),
        *_clocks("global_events"),
    ),
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
        text("catalyst", "catalyst type", "impact_records.catalyst"),
        text("relationship", "how the competitor stands to the company"),
        real("strength", "strength of the relationship in [0, 1]"),
        text("pattern", "cross, self or none", "market_snapshots.close"),
        whole("samples", "past responses the pattern rests on"),
        real("mean_response", "mean abnormal return over 5 sessions", "market_snapshots.close", null=True),
        real("consistency", "share of samples with the mean's sign", null=True),
        real("pattern_confidence", "confidence in the pattern in [0, 1]"),
        real("sentiment", "sentiment in [-1, 1]", "impact_records.sentiment"),
        real("impact", "impact in [0, 1]", "impact_records.impact"),
        real("confidence", "confidence of the impact record in [0, 1]", "impact_records.confidence"),
        real("credibility", "credibility of the source in [0, 1]", "impact_records.credibility"),
        *_clocks("impact_records"),
    ),
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
        text("layer", "company, macro or competitive"),
        text("source_record_id", "impact_id, macro_impact_id or competitive_id", "impact_records.impact_id"),
        text("document_id", "the document", "impact_records.document_id"),
        text("cluster_id", "its near-duplicate cluster", "impact_records.cluster_id"),
        text(
            "origin_signal_id",
            "the cluster's origin for this ticker and layer; itself where it is the origin",
        ),
        real("sentiment", "v in [-1, 1]", "impact_records.sentiment", "macro_impacts.sentiment"),
        real("impact", "in [0, 1]", "impact_records.impact", "macro_impacts.impact"),
        real("confidence", "in [0, 1]", "impact_records.confidence"),
        real("novelty", "1 / (1 + earlier like clusters within 48 hours)"),
        real("credibility", "in [0, 1]", "impact_records.credibility"),
        text("catalyst", "catalyst type", "impact_records.catalyst"),
        text("duration", "duration of a macro event, empty otherwise", "macro_impacts.duration"),
        *_clocks("impact_records"),
    ),
)

_TREND = (
    text("trend_id", "hash of ticker, window and as_of"),
    text("ticker", "the company", "signals.ticker"),
    text("window", "intraday, 1d, 7d, 30d or 90d"),
    real("score", "(P - N) / T in [-1, 1]", "signals.sentiment"),
    real("strength", "|score| (1 - exp(-T)) in [0, 1]", "signals.impact"),
    real("confidence", "in [0, 1]", "signals.confidence"),
    real("contradiction", "2 min(P, N) / (P + N) in [0, 1]", "signals.sentiment"),
    text("direction", "bullish, bearish, mixed or neutral"),
    real("positive", "P, sum of W v over v > 0", "signals.sentiment"),
    real("negative", "N, sum of W |v| over v < 0", "signals.sentiment"),
    real("total_weight", "T, sum of W"),
    real("n_effective", "T squared over sum of W squared"),
    whole("signals_counted", "signals with weight above 0"),
    real("company_share", "share of sum W|v| from the company layer"),
    real("macro_share", "share of sum W|v| from the macro layer"),
    real("competitive_share", "share of sum W|v| from the competitive layer"),
    real("window_return", "price return over the window", "market_snapshots.close", null=True),
    real("volume_ratio", "last session's volume over its 20-day mean", "market_snapshots.volume", null=True),
    real("volatility", "20-day realised volatility, annualised", "market_snapshots.close", null=True),
    real("reference_price", "last close known", "market_snapshots.close", null=True),
    text("degraded", "layers that could not be read, comma separated; empty when whole"),
    text("input_versions", "JSON of the lake table versions it was computed from"),
    instant("as_of", "the instant it was computed for"),
)

TREND_WINDOWS = LakeTable(
    name="trend_windows",
    grade=Grade.GOLD,
    owner="aggregation",
    doc="The newest trend of the day per ticker and window.",
    key=("ticker", "window"),
    knowledge="as_of",
    columns=_TREND,
)
TREND_HISTORY = LakeTable(
    name="trend_history",
    grade=Grade.GOLD,
    owner="aggregation",
    doc="Every trend that was computed, each with its as_of.",
    key=("trend_id",),
    knowledge="as_of",
    columns=_TREND,
)
TREND_EVIDENCE = LakeTable(
    name="trend_evidence",
    grade=Grade.GOLD,
    owner="aggregation",
    doc="The ten best signals of each trend that was computed.",
    key=("trend_id", "rank"),
    knowledge="as_of",
    columns=(
        text("trend_id", "the trend", "trend_history.trend_id"),
        whole("rank", "1 is the best"),
        text("signal_id", "the signal", "signals.signal_id"),
        text("document_id", "its document", "signals.document_id"),
        text("layer", "its layer", "signals.layer"),
        text("stance", "supporting or contradicting"),
        real("weight", "W at as_of", "signals.impact"),
        real("recency", "2 ** (-age / half-life)", "signals.published_at"),
        real("evidence_score", "0.4 W / max W + 0.3 impact + 0.2 recency + 0.1 confidence"),
        instant("as_of", "the instant it was computed for"),
    ),
)
TREND_PROJECTIONS = LakeTable(
    name="trend_projections",
    grade=Grade.GOLD,
    owner="aggregation",
    doc="Where a trend's score goes if it goes on as it did.",
    key=("ticker", "window"),
    knowledge="as_of",
    columns=(
        text("projection_id", "hash of ticker, window and as_of"),
        text("ticker", "the company", "trend_history.ticker"),
        text("window", "the window", "trend_history.window"),
        real("slope", "score a day", "trend_history.score"),
        real(
            "projected_score", "last score plus slope times half the span, in [-1, 1]", "trend_history.score"
        ),
        real("r_squared", "weighted R squared in [0, 1]"),
        real("confidence", "R squared times 1 - exp(-n / 5)"),
        whole("points", "scores it rests on, at most 20"),
        instant("as_of", "the instant it was computed for"),
    ),
)

RECOMMENDATIONS = LakeTable(
    name="recommendations",
    grade=Grade.GOLD,
    owner="recommendation",
    doc="What to do about a ticker and window, how far it may go, and why in plain words.",
    key=("recommendation_id",),
    knowledge="as_of",
    columns=(
        text("recommendation_id", "hash of identity and as_of"),
        text("identity", "hash of ticker, window, action, mode, evidence ids and score to 2 decimals"),
        text("trend_id", "the trend it speaks of", "trend_windows.trend_id"),
        text("ticker", "the company", "trend_windows.ticker"),
        text("window", "the window", "trend_windows.window"),
        text("action", "buy, sell, hold or watch", "trend_windows.direction"),
        text("mode", "informational, paper_eligible or live_eligible", "trend_windows.confidence"),
        text("risk_class", "low, moderate or high", "trend_windows.volatility"),
        real("score", "the trend's score", "trend_windows.score"),
        real("strength", "the trend's strength", "trend_windows.strength"),
        real("confidence", "the trend's, after the projection's objection", "trend_windows.confidence"),
        real("contradiction", "the trend's contradiction", "trend_windows.contradiction"),
        text("suppression", "why it was forced to informational; empty when it was not"),
        text("thesis", "why, in plain words", "trend_evidence.document_id"),
        text("thesis_author", "template, or the agent that rewrote it"),
        real("reference_price", "price it was written at", "trend_windows.reference_price", null=True),
        text("input_versions", "JSON of the lake table versions it was computed from"),
        instant("as_of", "the instant it was computed for"),
        instant("expires_at", "half the window's span later, at least 1 hour"),
    ),
)
RECOMMENDATION_EVIDENCE = LakeTable(
    name="recommendation_evidence",
    grade=Grade.GOLD,
    owner="recommendation",
    doc="The evidence a recommendation rests on, down to the sentence.",
    key=("recommendation_id", "rank"),
    knowledge="as_of",
    columns=(
        text("recommendation_id", "the recommendation", "recommendations.recommendation_id"),
        whole("rank", "1 is the best", "trend_evidence.rank"),
        text("signal_id", "the signal", "trend_evidence.signal_id"),
        text("layer", "its layer", "trend_evidence.layer"),
        text("source_record_id", "impact_id, macro_impact_id or competitive_id", "signals.source_record_id"),
        text("document_id", "its document", "trend_evidence.document_id"),
        text("document_sha256", "SHA-256 of the text the offsets refer to", "impact_records.document_sha256"),
        text("stance", "supporting or contradicting", "trend_evidence.stance"),
        real("weight", "W at as_of", "trend_evidence.weight"),
        real("evidence_score", "rank score", "trend_evidence.evidence_score"),
        text("quote", "the sentence, verbatim", "impact_records.quote"),
        whole("quote_start", "first character", "impact_records.quote_start"),
        whole("quote_end", "one past the last character", "impact_records.quote_end"),
        instant("as_of", "the instant it was computed for"),
    ),
)

PIPELINE_TABLES = (
    *RAW_TABLES,
    MARKET_SNAPSHOTS,
    DOCUMENTS,
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    IMPACT_RECORDS,
    GLOBAL_EVENTS,
    MACRO_IMPACTS,
    COMPETITIVE_SIGNALS,
    SIGNALS,
    TREND_WINDOWS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
    RECOMMENDATIONS,
    RECOMMENDATION_EVIDENCE,
)
