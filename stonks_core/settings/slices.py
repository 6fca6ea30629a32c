"""The slices of the settings: one frozen model per subject, one field per environment variable.

A field's alias is its variable's name, its description is what `docs/configuration.md` prints. Defaults that
`services.md`-style deployments know are kept; nothing here reads the environment.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=86_400 * 366, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
PerMinute = Annotated[int, Field(ge=1, le=100_000)]
Days = Annotated[int, Field(ge=1, le=3650)]
Dollars = Annotated[Decimal, Field(ge=0, le=Decimal(1_000_000_000))]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
HttpUrls = Annotated[str, Field(pattern=r"^https?://[^\s/,]+(/[^\s,]*)?( *, *https?://[^\s/,]+(/[^\s,]*)?)*$")]
Origins = Annotated[str, Field(pattern=r"^$|^https?://[^\s/,]+/?( *, *https?://[^\s/,]+/?)*$")]
Host = Annotated[str, Field(pattern=r"^[^\s/@?#\[\]]+$")]
SqlName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


class Slice(BaseModel):
    """A frozen group of settings; `model_fields_set` tells what was set explicitly."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="forbid")


class General(Slice):
    """Where the system lives and how it speaks."""

    home: Path = Field(
        Path(".stonks"),
        alias="STONKS_HOME",
        description="folder that holds all state: database, lake, logs, Dagster's storage",
    )
    deploy_stage: str = Field(
        "",
        alias="DEPLOY_STAGE",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$|^$",
        description="prefix of databases, buckets and lake folders",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", alias="LOG_LEVEL", description="least severe log record that is written"
    )
    json_logs: bool = Field(
        True, alias="JSON_LOGS", description="one JSON object per log record; false: text for people"
    )
    market_calendar: str = Field(
        "",
        alias="MARKET_CALENDAR",
        pattern=r"^[A-Za-z0-9/_]{0,20}$",
        description="exchange_calendars name of the market's calendar; empty: 24/7 where the synthetic sandbox is the broker, XNYS otherwise",
    )
    pipeline_default_off: bool = Field(
        False, alias="PIPELINE_DEFAULT_OFF", description="true: the pipeline toggle starts as off on the first boot"
    )
    symbol_registry_url: HttpUrl = Field(
        "http://symbol-registry:8000",
        alias="SYMBOL_REGISTRY_URL",
        description="kept for old deployments and not called: every process reads the registry from PostgreSQL",
    )


class Ports(Slice):
    """Loopback ports that people type; another free one is taken and said when one is in use."""

    api: Port = Field(8000, alias="STONKS_API_PORT", description="port of the API and the dashboard")
    dagster: Port = Field(3000, alias="STONKS_DAGSTER_PORT", description="port of Dagster's web server")


class Postgres(Slice):
    """PostgreSQL; with neither host nor port set an embedded server is started and supervised."""

    host: Host = Field("localhost", alias="POSTGRES_HOST", description="PostgreSQL host; set it to use your own server")
    port: Port = Field(5432, alias="POSTGRES_PORT", description="PostgreSQL port")
    db: str = Field(
        "",
        alias="POSTGRES_DB",
        pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,40}$|^$",
        description="database name; empty: stonks, with the stage's prefix",
    )
    user: str = Field("stonks", alias="POSTGRES_USER", min_length=1, description="database user")
    password: SecretStr = Field(
        SecretStr("stonks_dev"),
        alias="POSTGRES_PASSWORD",
        description="password; the embedded server makes its own when unset",
    )

    @property
    def embedded(self) -> bool:
        """Whether we start the server ourselves."""
        return not self.model_fields_set & {"host", "port"}


class Minio(Slice):
    """The lake's object store; with no endpoint set the lake is a local folder."""

    endpoint: str = Field(
        "localhost:9000",
        alias="MINIO_ENDPOINT",
        pattern=r"^[^\s/:]+(:\d+)?$",
        description="host and port of an S3-compatible store; set it to keep the lake there",
    )
    access_key: SecretStr = Field(SecretStr("minioadmin"), alias="MINIO_ACCESS_KEY", description="access key")
    secret_key: SecretStr = Field(SecretStr("minioadmin"), alias="MINIO_SECRET_KEY", description="secret key")
    secure: bool = Field(False, alias="MINIO_SECURE", description="use HTTPS")

    @property
    def local(self) -> bool:
        """Whether the lake is a local folder."""
        return "endpoint" not in self.model_fields_set


class Trino(Slice):
    """Trino over the same Delta tables; with no host set SQL is answered by DuckDB in process."""

    host: Host = Field("localhost", alias="TRINO_HOST", description="Trino host; set it to send the SQL explorer there")
    port: Port = Field(8080, alias="TRINO_PORT", description="Trino port")
    catalog: SqlName = Field("lakehouse", alias="TRINO_CATALOG", description="catalogue")
    schema_name: SqlName = Field("stonks", alias="TRINO_SCHEMA", description="schema")


class MarketData(Slice):
    """Polygon, Alpaca's data, EDGAR and pages."""

    api_key: SecretStr = Field(
        SecretStr(""),
        alias="MARKET_DATA_API_KEY",
        description="Polygon.io key; without it and without a broker key the sandbox plays the market",
    )
    provider: Literal["", "polygon", "alpaca"] = Field(
        "",
        alias="MARKET_DATA_PROVIDER",
        description="polygon or alpaca for sources that name none; empty: polygon where its key is set, alpaca where the broker's is, else the sandbox's polygon",
    )
    polygon_requests_per_minute: PerMinute = Field(
        45, alias="POLYGON_REQUESTS_PER_MINUTE", description="requests a minute to Polygon; its free plan allows 5"
    )
    alpaca_requests_per_minute: PerMinute = Field(
        180, alias="ALPACA_DATA_REQUESTS_PER_MINUTE", description="requests a minute to Alpaca's data address"
    )
    base_url: HttpUrl = Field(
        "https://api.polygon.io", alias="MARKET_DATA_BASE_URL", description="Polygon base address"
    )
    edgar_contact: str = Field(
        "",
        alias="EDGAR_CONTACT",
        pattern=r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="e-mail address the SEC asks for in every request; empty: the sandbox plays EDGAR",
    )
    edgar_www_url: HttpUrl = Field("https://www.sec.gov", alias="EDGAR_WWW_URL", description="EDGAR archives and feeds")
    edgar_data_url: HttpUrl = Field("https://data.sec.gov", alias="EDGAR_DATA_URL", description="EDGAR submissions")
    parallel: Annotated[int, Field(ge=1, le=64)] = Field(
        8, alias="INGESTION_PARALLEL", description="sources of one type that are asked side by side"
    )
    sp500_url: HttpUrl = Field(
        "https://raw.githubusercontent.com/datasets/s-and-p-500-companies/main/data/constituents.csv",
        alias="SP500_CONSTITUENTS_URL",
        description="table of the S&P 500's companies (Symbol, Security, GICS Sector, GICS Sub-Industry, CIK) for stonks setup",
    )
    private_origins: Origins = Field(
        "",
        alias="FETCH_PRIVATE_ORIGINS",
        description="comma-separated origins on private addresses that pages may be fetched from; the sandbox's own is set by stonks up",
    )


class Broker(Slice):
    """Alpaca."""

    api_key: SecretStr = Field(
        SecretStr(""), alias="BROKER_API_KEY", description="Alpaca key; empty: the sandbox plays the broker"
    )
    api_secret: SecretStr = Field(SecretStr(""), alias="BROKER_API_SECRET", description="Alpaca secret")
    base_url: str = Field(
        "",
        alias="BROKER_BASE_URL",
        pattern=r"^$|^https?://\S+$",
        description="Alpaca trading address; empty: Alpaca's own for the mode",
    )
    data_url: str = Field(
        "",
        alias="BROKER_DATA_URL",
        pattern=r"^$|^https?://\S+$",
        description="Alpaca market data address; empty: Alpaca's own",
    )
    mode: Literal["paper", "live"] = Field(
        "paper", alias="BROKER_MODE", description="paper or live; live needs BROKER_LIVE_CONFIRM too"
    )
    live_confirm: Literal["", "I accept real losses"] = Field(
        "", alias="BROKER_LIVE_CONFIRM", description="must read exactly so before BROKER_MODE=live starts"
    )
    feed: Literal["iex", "sip"] = Field("iex", alias="BROKER_DATA_FEED", description="Alpaca's market data feed")


class Ollama(Slice):
    """The LLM server."""

    base_url: HttpUrls = Field(
        "http://localhost:11434",
        alias="OLLAMA_BASE_URL",
        description="Ollama address, or several separated by commas; unset and unreachable: the sandbox's rule-based model",
    )
    model: str = Field("qwen3.5:9b", alias="OLLAMA_MODEL", min_length=1, description="default model")
    timeout: Seconds = Field(120, alias="OLLAMA_TIMEOUT", description="seconds one answer may take")
    max_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        2, alias="OLLAMA_MAX_RETRIES", description="further attempts after a transient failure"
    )
    num_ctx: Annotated[int, Field(ge=512, le=262_144)] = Field(
        16_384, alias="OLLAMA_NUM_CTX", description="context window, tokens"
    )
    parallel: Annotated[int, Field(ge=1, le=64)] = Field(2, alias="OLLAMA_PARALLEL", description="requests in flight")
    replay_only: bool = Field(
        False,
        alias="OLLAMA_REPLAY_ONLY",
        description="true: only recorded answers; a missing one is an error instead of a call",
    )
    cycle_budget: Seconds = Field(
        60,
        alias="EXTRACTION_BUDGET_SECONDS",
        description="seconds of extraction per cycle, so that fresh signals are never behind a backlog",
    )


class Signals(Slice):
    """Weights and thresholds of the three layers."""

    macro_signal_weight: Share = Field(
        0.3, alias="MACRO_SIGNAL_WEIGHT", description="weight of macro signals against company signals"
    )
    macro_enabled: bool = Field(
        True, alias="MACRO_ENABLED", description="macro layer; a row in risk_configs overrides it at run time"
    )
    macro_confidence_threshold: Share = Field(
        0.4, alias="MACRO_CONFIDENCE_THRESHOLD", description="least confidence of an event that makes impact records"
    )
    macro_short_term_staleness_hours: Seconds = Field(
        48,
        alias="MACRO_SHORT_TERM_STALENESS_HOURS",
        description="hours after which a short event's weight is quartered",
    )
    projection_confidence_threshold: Share = Field(
        0.3, alias="PROJECTION_CONFIDENCE_THRESHOLD", description="least confidence of a projection that is kept"
    )
    competitive_signal_weight: Share = Field(
        0.2, alias="COMPETITIVE_SIGNAL_WEIGHT", description="weight of competitive signals against company signals"
    )
    competitive_enabled: bool = Field(
        True,
        alias="COMPETITIVE_ENABLED",
        description="competitive layer; a row in risk_configs overrides it at run time",
    )
    competitive_pattern_confidence_threshold: Share = Field(
        0.3, alias="COMPETITIVE_PATTERN_CONFIDENCE_THRESHOLD", description="least pattern confidence"
    )
    competitive_propagation_strength_threshold: Share = Field(
        0.2,
        alias="COMPETITIVE_PROPAGATION_STRENGTH_THRESHOLD",
        description="least impact that is propagated: the news' impact * the relationship's strength * the pattern's "
        "confidence, which is 0.3 where there is no pattern yet; then only strong news reaches close rivals",
    )
    competitive_routine_lookback_days: Days = Field(
        180, alias="COMPETITIVE_ROUTINE_LOOKBACK_DAYS", description="days of history for routine catalysts"
    )
    competitive_major_decision_lookback_days: Days = Field(
        365, alias="COMPETITIVE_MAJOR_DECISION_LOOKBACK_DAYS", description="days of history for major decisions"
    )
    competitive_major_decision_weight_multiplier: Annotated[float, Field(ge=1, le=10)] = Field(
        1.3,
        alias="COMPETITIVE_MAJOR_DECISION_WEIGHT_MULTIPLIER",
        description="factor on the confidence of major decisions",
    )
    competitive_staleness_window_days: Days = Field(
        180,
        alias="COMPETITIVE_STALENESS_WINDOW_DAYS",
        description="age of the newest sample at which the decay is complete, days",
    )
    competitive_staleness_recent_days: Days = Field(
        90, alias="COMPETITIVE_STALENESS_RECENT_DAYS", description="age up to which there is no decay, days"
    )
    competitive_staleness_decay_penalty: Share = Field(
        0.5, alias="COMPETITIVE_STALENESS_DECAY_PENALTY", description="factor left when the decay is complete"
    )
    competitive_min_pattern_samples: Annotated[int, Field(ge=1, le=1000)] = Field(
        3, alias="COMPETITIVE_MIN_PATTERN_SAMPLES", description="least samples of a pattern"
    )
    competitive_propagation_failure_threshold: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, alias="COMPETITIVE_PROPAGATION_FAILURE_THRESHOLD", description="failures in a row that alert the operator"
    )


class Sandbox(Slice):
    """The local stand-ins."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        7, alias="SANDBOX_SEED", description="seed of the synthetic market"
    )
    recorded: str = Field(
        "", alias="SANDBOX_RECORDED", description="folder of a recording to play instead of the synthetic market"
    )
    actions: str = Field(
        "", alias="SANDBOX_ACTIONS", description="JSON file of stock splits and symbol changes that the sandbox plays"
    )
    url: str = Field(
        "",
        alias="SANDBOX_URL",
        pattern=r"^$|^http://127\.0\.0\.1:\d+$",
        description="address of the running sandbox; set by stonks up for its children",
    )
