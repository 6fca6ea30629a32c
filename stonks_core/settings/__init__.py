"""Every setting, parsed once, with types and bounds; the only place that knows environment variables by name.

`load_settings` takes a mapping (a process root hands it the environment), so that nothing else reads `os.environ`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from stonks_core.errors import SettingsError
from stonks_core.settings.notifying import Notifying
from stonks_core.settings.refusal import sentence
from stonks_core.settings.scheduling import DataHealth, RateLimits, Recovery, Retention
from stonks_core.settings.slices import (
    Broker,
    General,
    MarketData,
    Minio,
    Ollama,
    Ports,
    Postgres,
    Sandbox,
    Signals,
    Slice,
    Trino,
)
from stonks_core.settings.trading import Trading

GONE = {
    "REDIS_HOST": "queues are partitioned assets and rows; wake-ups are PostgreSQL's NOTIFY",
    "REDIS_PORT": "see REDIS_HOST",
    "REDIS_DB": "see REDIS_HOST",
    "REDIS_PASSWORD": "see REDIS_HOST",
}


@dataclass(frozen=True)
class Endpoints:
    """Effective addresses of the outside services, and the model that answers."""

    polygon: str
    edgar_www: str
    edgar_data: str
    trading: str
    trading_stream: str
    trading_data: str
    ollama: str
    model: str


def _stream_address(trading: str) -> str:
    return re.sub(r"^http", "ws", trading.rstrip("/")) + "/stream"


@dataclass(frozen=True)
class Settings:
    """All slices. Pass a slice, not the whole, to whatever needs only a slice."""

    general: General = field(default_factory=General)
    ports: Ports = field(default_factory=Ports)
    postgres: Postgres = field(default_factory=Postgres)
    minio: Minio = field(default_factory=Minio)
    trino: Trino = field(default_factory=Trino)
    market_data: MarketData = field(default_factory=MarketData)
    broker: Broker = field(default_factory=Broker)
    ollama: Ollama = field(default_factory=Ollama)
    signals: Signals = field(default_factory=Signals)
    trading: Trading = field(default_factory=Trading)
    notifying: Notifying = field(default_factory=Notifying)
    sandbox: Sandbox = field(default_factory=Sandbox)
    rate_limits: RateLimits = field(default_factory=RateLimits)
    recovery: Recovery = field(default_factory=Recovery)
    data_health: DataHealth = field(default_factory=DataHealth)
    retention: Retention = field(default_factory=Retention)

    @property
    def stage_prefix(self) -> str:
        """`<stage>-` for folders and buckets, or nothing."""
        return f"{self.general.deploy_stage}-" if self.general.deploy_stage else ""

    @property
    def database_name(self) -> str:
        """The application's database: POSTGRES_DB, or `stonks` with the stage before it."""
        return self.postgres.db or self._database("stonks")

    @property
    def dagster_database_name(self) -> str:
        """The database of Dagster's own storage."""
        return self.postgres.db + "_dagster" if self.postgres.db else self._database("dagster")

    def _database(self, name: str) -> str:
        return f"{self.general.deploy_stage.replace('-', '_')}_{name}" if self.general.deploy_stage else name

    @property
    def sandboxed(self) -> Mapping[str, bool]:
        """Which of the outside's parts the sandbox plays."""
        return {
            "market_data": not (self.market_data.api_key.get_secret_value() or self.broker.api_key.get_secret_value()),
            "edgar": not self.market_data.edgar_contact,
            "broker": not self.broker.api_key.get_secret_value(),
            "llm": "base_url" not in self.ollama.model_fields_set,
        }

    @property
    def market_data_provider(self) -> str:
        """Who is asked for bars and news where a source names nobody: MARKET_DATA_PROVIDER, or whose key is there."""
        by_itself = "polygon" if self.market_data.api_key.get_secret_value() or self.sandboxed["broker"] else "alpaca"
        return self.market_data.provider or by_itself

    @property
    def endpoints(self) -> "Endpoints":
        """Where each outside service is spoken to: its own address, or the sandbox's where the sandbox plays it."""
        played, url = self.sandboxed, self.sandbox.url
        broker_host = "api" if self.broker.mode == "live" else "paper-api"
        trading = self.broker.base_url or f"https://{broker_host}.alpaca.markets"
        return Endpoints(
            polygon=f"{url}/polygon" if played["market_data"] else self.market_data.base_url,
            edgar_www=f"{url}/edgar/www" if played["edgar"] else self.market_data.edgar_www_url,
            edgar_data=f"{url}/edgar/data" if played["edgar"] else self.market_data.edgar_data_url,
            trading=f"{url}/alpaca" if played["broker"] else trading,
            trading_stream=_stream_address(f"{url}/alpaca" if played["broker"] else trading),
            trading_data=f"{url}/alpaca-data"
            if played["broker"]
            else self.broker.data_url or "https://data.alpaca.markets",
            ollama=f"{url}/ollama" if played["llm"] else self.ollama.base_url,
            model="stonks-rules:latest" if played["llm"] else self.ollama.model,
        )

    @property
    def calendar_name(self) -> str:
        """The market's calendar: as set, or `24/7` where the synthetic sandbox is the broker, `XNYS` otherwise."""
        if self.general.market_calendar:
            return self.general.market_calendar
        synthetic = self.sandboxed["broker"] and not self.sandbox.recorded
        return "24/7" if synthetic else "XNYS"

    @property
    def trading_enabled(self) -> bool:
        """TRADING_ENABLED where set; otherwise only the sandbox's broker is traded with."""
        return self.sandboxed["broker"] if self.trading.enabled is None else self.trading.enabled

    def with_stage(self, stage: str) -> "Settings":
        """The same system in another stage: other databases, buckets and lake folders."""
        general = self.general.model_copy(update={"deploy_stage": stage})
        postgres = self.postgres.model_copy(update={"db": ""})
        return replace(self, general=general, postgres=postgres)


SLICES: Mapping[str, type[Slice]] = {
    "general": General,
    "ports": Ports,
    "postgres": Postgres,
    "minio": Minio,
    "trino": Trino,
    "market_data": MarketData,
    "broker": Broker,
    "ollama": Ollama,
    "signals": Signals,
    "trading": Trading,
    "notifying": Notifying,
    "sandbox": Sandbox,
    "rate_limits": RateLimits,
    "recovery": Recovery,
    "data_health": DataHealth,
    "retention": Retention,
}


def variables() -> Iterator[tuple[str, type[Slice], str, FieldInfo]]:
    """Every (slice name, slice, variable, field), in the order of the documentation."""
    for name, model in SLICES.items():
        for info in model.model_fields.values():
            yield name, model, str(info.alias), info


def load_settings(environment: Mapping[str, str], dotenv: Path | None = None) -> Settings:
    """Settings from the environment, over those of a `.env` file; an empty value counts as unset.

    Raises SettingsError with one sentence per bad variable: its name, its value (hidden for a secret) and what is
    allowed.
    """
    values = _dotenv(dotenv) if dotenv and dotenv.exists() else {}
    values |= {k: v for k, v in environment.items() if v != ""}
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    for name, model in SLICES.items():
        given = {str(i.alias): values[str(i.alias)] for i in model.model_fields.values() if str(i.alias) in values}
        try:
            parsed[name] = model.model_validate(given)
        except ValidationError as error:
            fields = {str(info.alias): info for info in model.model_fields.values()}
            problems += [sentence(fields[str(detail["loc"][0])], given) for detail in error.errors()]
    if problems:
        raise SettingsError("\n".join(problems))
    settings = Settings(**parsed)
    if problems := list(_contradictions(settings)):
        raise SettingsError("\n".join(problems))
    return settings


def _dotenv(path: Path) -> dict[str, str]:
    """The file's values as they stand there: a `$` in a password is a `$`."""
    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read as settings ({error}): make it a UTF-8 text of NAME=value"
        ) from error
    return {name: value for name, value in found.items() if value}


def _contradictions(settings: Settings) -> Iterator[str]:
    """What is wrong between settings that are right each by itself."""
    broker, market = settings.broker, settings.market_data
    key, secret = broker.api_key.get_secret_value(), broker.api_secret.get_secret_value()
    if bool(key) != bool(secret):
        there, missing = ("BROKER_API_KEY", "BROKER_API_SECRET") if key else ("BROKER_API_SECRET", "BROKER_API_KEY")
        yield f"{there} is set but {missing} is not: set both for Alpaca, or neither for the sandbox's broker"
    if broker.mode == "live" and not broker.live_confirm:
        yield (
            "BROKER_MODE is 'live' but BROKER_LIVE_CONFIRM is not set: set it to 'I accept real losses', "
            "or BROKER_MODE to paper"
        )
    if broker.mode == "live" and not key:
        yield "BROKER_MODE is 'live' but BROKER_API_KEY is not set: the sandbox's broker knows paper only"
    if market.provider == "polygon" and key and not market.api_key.get_secret_value():
        yield (
            "MARKET_DATA_PROVIDER is 'polygon' but MARKET_DATA_API_KEY is not set, and a real broker must not be fed the "
            "sandbox's prices: set the key, or MARKET_DATA_PROVIDER to alpaca"
        )
    if market.provider == "alpaca" and market.api_key.get_secret_value() and not key:
        yield (
            "MARKET_DATA_PROVIDER is 'alpaca' but BROKER_API_KEY is not set: set it, or MARKET_DATA_PROVIDER to polygon, "
            "whose key is there"
        )
