"""`stonks doctor`: is everything there, does it answer, and what to do where it does not."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from stonks_core.errors import StonksError
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import lake_location, prepare
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.opening import open_postgres
from stonks_core.stores.postgres import Database

SKEW_SECONDS = 5.0


@dataclass(frozen=True)
class Finding:
    """One part of the system: whether it is well, what was found, and what to do."""

    part: str
    well: bool
    found: str
    advice: str = ""


def examine(settings: Settings, parts: Sequence[str] = ()) -> Iterator[Finding]:
    """Look at the named parts, or at all: database, lake, sources, broker, LLM and clock, one after the other."""
    for part, (check, advice) in CHECKS.items():
        if parts and part not in parts:
            continue
        try:
            yield Finding(part, well=True, found=check(settings))
        except (StonksError, httpx.HTTPError, OSError) as error:
            yield Finding(part, well=False, found=str(error), advice=advice)


def _database(settings: Settings) -> str:
    with open_postgres(settings) as located, Database(located.postgres, "postgres", size=1) as database:
        row = database.fetch_one("SELECT version() AS version")
        version = str(row["version"]).split(" on ")[0] if row else "?"
        return f"{version} answers on {located.postgres.host}:{located.postgres.port}"


def _lake(settings: Settings) -> str:
    location = lake_location(settings)
    prepare(location, os.environ)
    rows = sum(Lake(location).ensure(table).count() for table in TABLES if _exists(settings, table.name))
    return f"{location.root} holds {rows:,} rows in {len(TABLES)} tables"


def _exists(settings: Settings, name: str) -> bool:
    location = lake_location(settings)
    return not location.local or os.path.isdir(location.table_uri(name))  # noqa: PTH112


def _market_data(settings: Settings) -> str:
    if settings.sandboxed["market_data"]:
        vendor = settings.market_data_provider.capitalize()
        return f"the sandbox plays {vendor} (neither MARKET_DATA_API_KEY nor BROKER_API_KEY)"
    if settings.market_data_provider == "alpaca":
        url, feed = f"{settings.endpoints.trading_data}/v2/stocks/snapshots", settings.broker.feed
        answer = httpx.get(url, params={"symbols": "SPY", "feed": feed}, headers=_alpaca_keys(settings), timeout=10)
        _require_success(answer)
        return f"{settings.endpoints.trading_data} answers: feed {feed}"
    key = settings.market_data.api_key.get_secret_value()
    url = f"{settings.endpoints.polygon}/v1/marketstatus/now"
    _require_success(httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=10))
    return f"{settings.endpoints.polygon} answers"


def _edgar(settings: Settings) -> str:
    if settings.sandboxed["edgar"]:
        return "the sandbox plays EDGAR (no EDGAR_CONTACT)"
    agent = {"User-Agent": f"Stonks Oracle {settings.market_data.edgar_contact}"}
    url = f"{settings.endpoints.edgar_www}/files/company_tickers.json"
    with httpx.stream("GET", url, headers=agent, timeout=10, follow_redirects=True) as answer:
        _require_success(answer)
    return f"{settings.endpoints.edgar_www} answers"


def _broker(settings: Settings) -> str:
    if settings.sandboxed["broker"]:
        return "the sandbox plays Alpaca (no BROKER_API_KEY): paper only"
    answer = httpx.get(f"{settings.endpoints.trading}/v2/account", headers=_alpaca_keys(settings), timeout=10)
    _require_success(answer)
    return f"{settings.endpoints.trading} answers: account {answer.json().get('status')}, mode {settings.broker.mode}"


def _require_success(answer: httpx.Response) -> None:
    """Raises StonksError in one line for an answer that is a refusal."""
    if not answer.is_success:
        raise StonksError(f"{answer.request.url} answered {answer.status_code} {answer.reason_phrase}")


def _alpaca_keys(settings: Settings) -> dict[str, str]:
    return {
        "APCA-API-KEY-ID": settings.broker.api_key.get_secret_value(),
        "APCA-API-SECRET-KEY": settings.broker.api_secret.get_secret_value(),
    }


def _llm(settings: Settings) -> str:
    if settings.sandboxed["llm"]:
        return "the sandbox's rule-based stonks-rules answers (no OLLAMA_BASE_URL)"
    answer = httpx.get(f"{settings.endpoints.ollama.split(',')[0]}/api/tags", timeout=10)
    _require_success(answer)
    names = [model["name"] for model in answer.json()["models"]]
    if settings.endpoints.model not in names and f"{settings.endpoints.model}:latest" not in names:
        raise StonksError(
            f"Ollama answers but has no {settings.endpoints.model}: run `ollama pull {settings.endpoints.model}`"
        )
    return f"Ollama answers and has {settings.endpoints.model}"


def _clock(settings: Settings) -> str:
    if settings.sandboxed["broker"]:
        return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC; the sandbox follows it"
    answer = httpx.head(settings.endpoints.trading, timeout=10)
    there = parsedate_to_datetime(answer.headers["date"])
    skew = abs((datetime.now(UTC) - there).total_seconds())
    if skew > SKEW_SECONDS:
        raise StonksError(f"this machine's clock differs from the broker's by {skew:.0f} s")
    return f"within {skew:.0f} s of the broker's"


CHECKS: Mapping[str, tuple[Callable[[Settings], str], str]] = {
    "database": (_database, "start it with `stonks up`, or correct POSTGRES_*"),
    "lake": (_lake, "check that the folder can be written, or correct MINIO_*"),
    "market data": (_market_data, "check MARKET_DATA_PROVIDER and the key and address of the one it names"),
    "filings": (_edgar, "check EDGAR_CONTACT; the SEC answers 403 without an address"),
    "broker": (_broker, "check BROKER_API_KEY, BROKER_API_SECRET and BROKER_BASE_URL"),
    "LLM": (_llm, "start Ollama, or pull the model with `ollama pull`"),
    "clock": (_clock, "let the machine keep time by NTP"),
}
"""Each part's check, which says what it found or raises, and what to do where it fails."""
