"""Who is asked for a source: by its own word, by the settings, and never in a way that mixes real money with played prices."""

from typing import Any

import pytest

from stonks_assets.ingestion.alpaca_data import AlpacaMarketAdapter
from stonks_assets.ingestion.alpaca_news import AlpacaNewsAdapter
from stonks_assets.ingestion.polygon import MacroNewsAdapter, PolygonNewsAdapter
from stonks_assets.ingestion.polygon_market import PolygonMarketAdapter
from stonks_assets.ingestion.seeding import _insert_sources
from stonks_assets.ingestion.sources import PROVIDERS, adapter_for, provider_of
from stonks_assets.ingestion.step import SourcesDownError, ingest
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError
from stonks_core.registry.universe import Source
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import NOON, TODAY, ask_for

POLYGON = {"MARKET_DATA_API_KEY": "key"}
ALPACA = {"BROKER_API_KEY": "key-1234", "BROKER_API_SECRET": "secret-1234"}
MARKET, NEWS, MACRO = SourceType.MARKET_API, SourceType.NEWS_API, SourceType.MACRO_NEWS


def source(source_type: SourceType, provider: object = None) -> Source:
    config = {} if provider is None else {"provider": provider}
    return Source("s-1", source_type, "the source", config, 0.5, "", None)


def adapter(lake: Lake, database: Database, environment: dict[str, str], asked: Source) -> Any:
    pipeline = Pipeline(load_settings(environment), lake, database, ManualClock(NOON))
    with adapter_for(pipeline, asked) as found:
        return found


@pytest.mark.parametrize(
    ("environment", "source_type", "provider", "wanted"),
    [
        ({}, MARKET, None, PolygonMarketAdapter),
        ({}, MARKET, "alpaca", AlpacaMarketAdapter),
        ({}, NEWS, "alpaca", AlpacaNewsAdapter),
        (POLYGON, MARKET, None, PolygonMarketAdapter),
        (ALPACA, MARKET, None, AlpacaMarketAdapter),
        (ALPACA, NEWS, None, AlpacaNewsAdapter),
        ({**POLYGON, **ALPACA}, MARKET, None, PolygonMarketAdapter),
        ({**POLYGON, **ALPACA}, NEWS, "alpaca", AlpacaNewsAdapter),
        ({**POLYGON, **ALPACA, "MARKET_DATA_PROVIDER": "alpaca"}, NEWS, None, AlpacaNewsAdapter),
        ({**POLYGON, **ALPACA, "MARKET_DATA_PROVIDER": "alpaca"}, NEWS, "polygon", PolygonNewsAdapter),
        (POLYGON, MACRO, None, MacroNewsAdapter),
    ],
)
def test_a_source_is_asked_of_whom_it_names_or_the_settings(
    lake: Lake, database: Database, environment: dict[str, str], source_type: SourceType, provider: Any, wanted: type
) -> None:
    assert type(adapter(lake, database, environment, source(source_type, provider))) is wanted


@pytest.mark.parametrize(
    ("environment", "source_type", "provider", "words"),
    [
        ({}, MARKET, "bloomberg", "'bloomberg', but for market_api it must be polygon or alpaca"),
        ({}, MARKET, 7, "'7', but"),
        ({}, MACRO, "alpaca", "for macro_news it must be"),
        ({}, SourceType.FILINGS_API, "alpaca", "there is only one"),
        (ALPACA, MARKET, "polygon", "MARKET_DATA_API_KEY is not set"),
        (ALPACA, MACRO, None, "MARKET_DATA_API_KEY is not set"),
        (POLYGON, MARKET, "alpaca", "BROKER_API_KEY is not set"),
        (POLYGON, NEWS, "alpaca", "BROKER_API_KEY is not set"),
    ],
)
def test_a_source_that_cannot_be_asked_says_why(
    lake: Lake, database: Database, environment: dict[str, str], source_type: SourceType, provider: Any, words: str
) -> None:
    found = adapter(lake, database, environment, source(source_type, provider))
    with pytest.raises(PermanentError, match="source the source cannot be asked") as caught:
        found.fetch(ask_for(source_type)[0])
    assert words in str(caught.value)


def test_such_a_source_fails_for_itself(lake: Lake, database: Database) -> None:
    pipeline = Pipeline(load_settings({}), lake, database, ManualClock(NOON))
    database.execute(
        "INSERT INTO sources (source_type, name, config) VALUES ('macro_news', 'odd', '{\"provider\": \"none\"}')"
    )
    with pytest.raises(SourcesDownError, match=r"odd: .*'none'"):
        ingest(pipeline, MACRO, TODAY, NOON)
    assert database.fetch("SELECT error_class FROM ingestion_runs") == [{"error_class": "permanent"}]


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, {"Polygon daily bars", "Polygon news", "Polygon macro news", "SEC EDGAR", "Alpaca"}),
        (ALPACA, {"Alpaca daily bars", "Alpaca news", "SEC EDGAR", "Alpaca"}),
    ],
)
def test_seeded_sources_name_who_is_asked(
    lake: Lake, database: Database, environment: dict[str, str], names: set[str]
) -> None:
    pipeline = Pipeline(load_settings(environment), lake, database, ManualClock(NOON))
    with database.connection() as connection:
        _insert_sources(connection, pipeline)
    sources = pipeline.universe(NOON).sources
    assert {found.name for found in sources} == names
    for found in sources:
        known = PROVIDERS.get(found.source_type)
        assert (found.config.get("provider") in known) if known else ("provider" not in found.config)
        assert provider_of(found, pipeline.settings) == found.config.get("provider", "")
