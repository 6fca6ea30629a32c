"""The slices of what happens by itself: rate limits, recovery, data health, and how long rows are kept.

A retention has a lower bound where something is still computed from the rows: recommendations live 45 days and are
judged for 45, trend windows read 90 days back.
"""

from typing import Annotated

from pydantic import Field

from stonks_core.settings.slices import Slice

PerMinute = Annotated[int, Field(ge=1, le=10_000)]
Minutes = Annotated[int, Field(ge=1, le=525_600)]
AtLeastTwoWeeks = Annotated[int, Field(ge=14, le=3650)]
AtLeastALife = Annotated[int, Field(ge=47, le=3650)]
AtLeastAQuarter = Annotated[int, Field(ge=90, le=3650)]


class RateLimits(Slice):
    """Requests a minute by source type, whatever the vendor; a vendor's own limit binds in addition."""

    market_api: PerMinute = Field(
        20, alias="RATE_LIMIT_MARKET_API_PER_MINUTE", description="requests a minute for bars and quotes"
    )
    news_api: PerMinute = Field(
        20, alias="RATE_LIMIT_NEWS_API_PER_MINUTE", description="requests a minute for lists of news"
    )
    macro_news: PerMinute = Field(
        5,
        alias="RATE_LIMIT_MACRO_NEWS_PER_MINUTE",
        description="requests a minute for macro news; with the two above this makes Polygon's 45",
    )
    filings_api: PerMinute = Field(
        240,
        alias="RATE_LIMIT_FILINGS_API_PER_MINUTE",
        description="requests a minute for filings, half of what EDGAR is asked for at most",
    )
    web_scrape: PerMinute = Field(
        120,
        alias="RATE_LIMIT_WEB_SCRAPE_PER_MINUTE",
        description="pages a minute, those that news leads to included",
    )
    broker: PerMinute = Field(
        60,
        alias="RATE_LIMIT_BROKER_PER_MINUTE",
        description="requests a minute for broker statements; the trading daemon needs the rest of Alpaca's 200",
    )


class Recovery(Slice):
    """What is asked for again, and when."""

    stale_document_minutes: Minutes = Field(
        240,
        alias="STALE_DOCUMENT_MINUTES",
        description="minutes after which a parsed document that nobody has read is asked for again",
    )
    failed_extraction_retry_minutes: Minutes = Field(
        60,
        alias="FAILED_EXTRACTION_RETRY_MINUTES",
        description="minutes after its last attempt that a failed extraction is tried again",
    )
    failed_extraction_max_attempts: Annotated[int, Field(ge=0, le=1000)] = Field(
        5,
        alias="FAILED_EXTRACTION_MAX_ATTEMPTS",
        description="retries by schedule of one failed extraction, after which it stays open for a person; 0: none",
    )


class DataHealth(Slice):
    """When the data is too ill for new positions; exits are never held up."""

    gate: bool = Field(
        True,
        alias="DATA_HEALTH_GATE",
        description="whether a failing verdict on the data's health closes the door to new positions; false: it is only shown",
    )
    patience_minutes: Annotated[int, Field(ge=2, le=1440)] = Field(
        10,
        alias="DATA_HEALTH_PATIENCE_MINUTES",
        description="minutes after which a verdict that was not renewed counts no more, and no position is opened",
    )
    failure_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5,
        alias="DATA_HEALTH_FAILURE_SHARE",
        description="share of a stage's items within an hour above which its failures are a finding",
    )
    least_items: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10, alias="DATA_HEALTH_LEAST_ITEMS", description="items within an hour below which shares say nothing"
    )


class Retention(Slice):
    """Days that rows are kept; what the answer to why of an order needs is kept for good."""

    competitive_signals: AtLeastAQuarter = Field(
        90, alias="RETENTION_COMPETITIVE_SIGNALS_DAYS", description="days of competitive signals; windows read 90"
    )
    macro_impacts: AtLeastAQuarter = Field(
        90, alias="RETENTION_MACRO_IMPACTS_DAYS", description="days of macro impacts; windows read 90"
    )
    recommendations: AtLeastALife = Field(
        90, alias="RETENTION_RECOMMENDATIONS_DAYS", description="days of recommendations that led to no order"
    )
    recommendation_evidence: AtLeastALife = Field(
        90,
        alias="RETENTION_RECOMMENDATION_EVIDENCE_DAYS",
        description="days of their evidence; never less than the recommendations themselves",
    )
    trading_decisions: AtLeastALife = Field(
        90, alias="RETENTION_TRADING_DECISIONS_DAYS", description="days of decisions that led to no order"
    )
    risk_evaluations: AtLeastTwoWeeks = Field(
        90, alias="RETENTION_RISK_EVALUATIONS_DAYS", description="days of risk verdicts that belong to no order"
    )
    order_events: AtLeastTwoWeeks = Field(
        60,
        alias="RETENTION_ORDER_EVENTS_DAYS",
        description="days of events of finished orders that changed no state; the others are kept",
    )
    audit_events: AtLeastTwoWeeks = Field(
        90, alias="RETENTION_AUDIT_EVENTS_DAYS", description="days of audit events that speak of no order"
    )
    model_performance_metrics: AtLeastTwoWeeks = Field(
        60, alias="RETENTION_MODEL_PERFORMANCE_METRICS_DAYS", description="days of model metrics"
    )
    agent_performance_log: AtLeastTwoWeeks = Field(
        30, alias="RETENTION_AGENT_PERFORMANCE_LOG_DAYS", description="days of each agent's performance log"
    )
    lake_files: Annotated[int, Field(ge=7, le=30)] = Field(
        7,
        alias="LAKE_VACUUM_DAYS",
        description="days that replaced files of the lake are kept for time travel and running readers",
    )
