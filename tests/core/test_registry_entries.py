"""What may be entered: bounds of every field, and of every source's configuration."""

import json
from datetime import timedelta
from typing import Any

import pytest

from stonks_core.errors import BadFieldsError
from stonks_core.registry.entries import CompanyChange, Entry, Exposure, NewCompany, Rivalry, SourceEntry, entry
from stonks_core.registry.source_config import MODELS, checked_config, provider_of
from stonks_core.registry.universe import Source
from stonks_core.vocabulary import SourceType

APPLE: dict[str, Any] = {"ticker": "AAPL", "legal_name": "Apple Inc."}


def source(config: dict[str, object], source_type: SourceType = SourceType.NEWS_API) -> Source:
    return Source("s", source_type, "name", config, 0.5, "", None)


@pytest.mark.parametrize(
    ("model", "values", "where"),
    [
        (NewCompany, {**APPLE, "ticker": "aapl"}, "ticker"),
        (NewCompany, {**APPLE, "ticker": "AAPL\n"}, "ticker"),
        (NewCompany, {**APPLE, "ticker": "ABCDEFGHIJKLM"}, "ticker"),
        (NewCompany, {**APPLE, "legal_name": "  "}, "legal_name"),
        (NewCompany, {**APPLE, "legal_name": "Apple\x00"}, "legal_name"),
        (NewCompany, {**APPLE, "sector": "Tech"}, "sector"),
        (NewCompany, {**APPLE, "cik": 0}, "cik"),
        (NewCompany, {**APPLE, "cik": "320193"}, "cik"),
        (NewCompany, {**APPLE, "colour": "red"}, "colour"),
        (NewCompany, {"ticker": "AAPL"}, "legal_name"),
        (CompanyChange, {"active": 1}, "active"),
        (Exposure, {"revenue_by_region": {"europe": 0.6, "china": 0.5}}, "all together"),
        (Exposure, {"revenue_by_region": {"moon": 0.6}}, "revenue_by_region.moon.[key]"),
        (Exposure, {"revenue_by_region": {"europe": -0.1}}, "revenue_by_region.europe"),
        (Exposure, {"commodity_sensitivity": {"oil": 1.1}}, "commodity_sensitivity.oil"),
        (Exposure, {"commodity_sensitivity": {"oil": float("nan")}}, "commodity_sensitivity.oil"),
        (Exposure, {"supply_chain_regions": ["china", "china"]}, "all together"),
        (Rivalry, {"strength": 1.5}, "strength"),
        (Rivalry, {"strength": 0.5, "relationship": "enemy"}, "relationship"),
        (SourceEntry, {"source_type": "fax", "name": "x"}, "source_type"),
        (SourceEntry, {"source_type": "news_api", "name": "x", "credibility": 2}, "credibility"),
        (SourceEntry, {"source_type": "web_scrape", "name": "x"}, "config.url"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_field(model: type[Entry], values: dict[str, Any], where: str) -> None:
    with pytest.raises(BadFieldsError) as refused:
        entry(model, values)
    assert [field for field, _ in refused.value.fields] == [where]


def test_shares_that_sum_to_one_but_for_rounding_are_taken() -> None:
    shares = {"europe": 0.1, "china": 0.2, "north_america": 0.7}
    assert entry(Exposure, {"revenue_by_region": shares}).revenue_by_region == shares


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (SourceType.MARKET_API, {}),
        (SourceType.MARKET_API, {"provider": "alpaca", "feed": "sip"}),
        (SourceType.NEWS_API, {"provider": "rss", "url": "https://news.example/a?b=c"}),
        (SourceType.MACRO_NEWS, {"provider": "rss", "url": "http://127.0.0.1:8080/feed"}),
        (SourceType.FILINGS_API, {"forms": ["8-K", "10-K/A", "SC 13D"]}),
        (SourceType.WEB_SCRAPE, {"url": "https://news.example"}),
        (SourceType.BROKER, {"polling_interval_seconds": 1, "publication_latency_seconds": 0}),
    ],
)
def test_a_configuration_is_kept_as_it_was_given(kind: SourceType, config: dict[str, Any]) -> None:
    assert json.loads(json.dumps(checked_config(kind, config))) == config


@pytest.mark.parametrize(
    ("kind", "config", "where"),
    [
        (SourceType.MARKET_API, {"provider": "edgar"}, "config.provider"),
        (SourceType.MARKET_API, {"provider": ["polygon"]}, "config.provider"),
        (SourceType.MARKET_API, {"feed": "iex"}, "config.feed"),
        (SourceType.MARKET_API, {"provider": "alpaca", "feed": "otc"}, "config.feed"),
        (SourceType.NEWS_API, {"provider": "rss"}, "config.url"),
        (SourceType.NEWS_API, {"provider": "rss", "url": "ftp://x.example/"}, "config.url"),
        (SourceType.NEWS_API, {"provider": "rss", "url": "https://me:secret@x.example/"}, "config.url"),
        (SourceType.NEWS_API, {"provider": "rss", "url": "https://x.example:99999/"}, "config.url"),
        (SourceType.WEB_SCRAPE, {"url": "https:///nowhere"}, "config.url"),
        (SourceType.WEB_SCRAPE, {"url": "https://x.example/a b"}, "config.url"),
        (SourceType.FILINGS_API, {"forms": []}, "config.forms"),
        (SourceType.FILINGS_API, {"forms": ["8-k"]}, "config.forms.0"),
        (SourceType.BROKER, {"polling_interval_seconds": 0.5}, "config.polling_interval_seconds"),
        (SourceType.BROKER, {"polling_interval_seconds": 2_592_001}, "config.polling_interval_seconds"),
        (SourceType.BROKER, {"publication_latency_seconds": 86_401}, "config.publication_latency_seconds"),
        (SourceType.BROKER, {"polling_interval_seconds": True}, "config.polling_interval_seconds"),
        (SourceType.BROKER, {"pasword": "x"}, "config.pasword"),
    ],
)
def test_a_key_that_is_bad_or_unknown_is_named(kind: SourceType, config: dict[str, Any], where: str) -> None:
    with pytest.raises(BadFieldsError) as refused:
        checked_config(kind, config)
    assert [field for field, _ in refused.value.fields] == [where]
    assert "secret" not in str(refused.value)


def test_the_first_provider_of_a_type_is_meant_where_none_is_named() -> None:
    assert {kind: provider_of(kind, {}) for kind in MODELS} == {
        SourceType.MARKET_API: "polygon", SourceType.NEWS_API: "polygon", SourceType.MACRO_NEWS: "polygon",
        SourceType.FILINGS_API: "edgar", SourceType.WEB_SCRAPE: "web", SourceType.BROKER: "alpaca",
    }  # fmt: skip
    assert set(MODELS) == set(SourceType)
    assert source({"provider": "rss"}).provider == "rss"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, 60), (0, 0), (1.5, 1.5), (-1, 60), (True, 60), ("5", 60), (86_401, 60), (float("nan"), 60)],
)
def test_a_source_knows_how_late_it_publishes(said: object, seconds: float) -> None:
    config = {} if said is None else {"publication_latency_seconds": said}
    assert source(config).publication_latency == timedelta(seconds=seconds)
