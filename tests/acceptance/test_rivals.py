"""From what the synthetic market really told to its rivals: patterns of both kinds, matched, propagated, in trends and theses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from stonks_assets.aggregation.competitive import CROSS, OPPOSITE, SELF
from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.cycle import BARS, GOLD, INGESTION, SILVER, run_stages
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_core.patterns import asking
from stonks_core.patterns.rules import pattern_rules
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import (
    COMPETITIVE_SIGNALS,
    DOCUMENTS,
    IMPACT_RECORDS,
    MARKET_SNAPSHOTS,
    SIGNALS,
)
from stonks_core.vocabulary import Layer
from tests.acceptance.stage import fresh_database, pipeline_over, sandbox

NOW = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
TODAY = NOW.date()
BEFORE = [TODAY - timedelta(days=back) for back in range(18, 5, -1)]
"""Days of news whose five sessions are over today."""
READ = {"raw_news_api": INGESTION["raw_news_api"], **{name: SILVER[name] for name in SILVER if name not in BARS}}
Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """The stores at the end, and a rival whose shares have been traded for a few days only."""

    pipeline: Pipeline
    newcomer: str

    def of_today(self, pattern: str) -> list[Row]:
        rows: list[Row] = self.pipeline.lake.read(COMPETITIVE_SIGNALS, days=(TODAY, TODAY)).to_pylist()
        return [row for row in rows if row["pattern"] == pattern]


@pytest.fixture(scope="module")
def told(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Two weeks of news as the sandbox's model read it, and today's; no record is made up, all settings are the defaults."""
    folder = tmp_path_factory.mktemp("rivals")
    with (
        sandbox(folder / "state", NOW) as played,
        fresh_database(postgres, template) as database,
        pipeline_over(folder, database, played.url, NOW) as (pipeline, _),
    ):
        seed_registry(pipeline)
        database.execute("UPDATE competitor_relationships SET strength = 1")
        for day in [BEFORE[0] - timedelta(days=2), BEFORE[0] - timedelta(days=1), *BEFORE]:
            run_stages(BARS, pipeline, day, NOW)
        for back in range(5, 0, -1):
            run_stages(BARS, pipeline, TODAY - timedelta(days=back), NOW)
        for day in [*BEFORE, TODAY]:
            run_stages(READ, pipeline, day, NOW)
        newcomer = min(row["ticker"] for row in Told(pipeline, "").of_today(CROSS))
        listed = (TODAY - timedelta(days=3)).isoformat()
        pipeline.lake.delete(MARKET_SNAPSHOTS, f"ticker = '{newcomer}' AND day < '{listed}'")
        pipeline.lake.delete(COMPETITIVE_SIGNALS, f"ticker = '{newcomer}'")
        materialise_competitive_signals(pipeline, TODAY, NOW)
        SILVER["signals"](pipeline, TODAY, NOW)
        run_stages(GOLD, pipeline, TODAY, NOW)
        yield Told(pipeline, newcomer)


@pytest.fixture(scope="module")
def documents(told: Told) -> dict[str, Row]:
    return {row["document_id"]: row for row in told.pipeline.lake.read(DOCUMENTS).to_pylist()}


def test_rivals_are_judged_by_how_they_themselves_responded_and_newcomers_by_the_company(told: Told) -> None:
    cross, own = told.of_today(CROSS), told.of_today(SELF)
    assert len({row["ticker"] for row in cross}) >= 2
    assert {row["ticker"] for row in own} == {told.newcomer}
    for row in cross + own:
        assert row["samples"] >= 3
        turn = -1.0 if row["pattern"] == SELF and row["relationship"] in OPPOSITE else 1.0
        assert np.sign(row["sentiment"]) == turn * np.sign(row["mean_response"])
        assert row["pattern_confidence"] >= 0.3
        assert row["impact"] >= 0.2


def test_every_pattern_rests_on_documents_that_were_read_before_and_on_prices_that_were_known(
    told: Told, documents: dict[str, Row]
) -> None:
    universe = told.pipeline.universe(NOW)
    rules = pattern_rules(told.pipeline.settings.signals)
    records = told.pipeline.lake.read(IMPACT_RECORDS).to_pylist()
    kinds = set()
    for source, catalyst in {(row["source_ticker"], row["catalyst"]) for row in told.of_today(CROSS)}:
        before = {r["document_id"] for r in records if (r["ticker"], r["catalyst"]) == (source, catalyst)}
        found = asking.responses_before(told.pipeline.lake, universe, rules, source, NOW, (catalyst,))
        for response in found:
            kinds.add((response.kind, response.pattern.enough))
            assert told.newcomer != response.pattern.responder or response.kind == SELF
            for sample in response.samples:
                assert sample.document_id in before
                assert documents[sample.document_id]["published_at"] == sample.published_at
                assert sample.base_day < sample.end_day < TODAY.isoformat()
    assert {(SELF, True), (CROSS, True)} <= kinds


def test_what_was_propagated_counts_in_the_rivals_trend_and_stands_in_its_recommendation(
    told: Told, documents: dict[str, Row]
) -> None:
    lake = told.pipeline.lake
    reached = {row["competitive_id"]: row for row in told.of_today(CROSS) + told.of_today(SELF)}
    signals = {
        row["source_record_id"]: row
        for row in lake.read(SIGNALS).to_pylist()
        if row["layer"] == Layer.COMPETITIVE and row["source_record_id"] in reached
    }
    assert signals.keys() == reached.keys()
    for name, signal in signals.items():
        assert (signal["ticker"], signal["sentiment"]) == (reached[name]["ticker"], reached[name]["sentiment"])
    rivals = {row["ticker"] for row in reached.values()}
    trends = {row["ticker"]: row for row in lake.read(TREND_WINDOWS).to_pylist() if row["window"] == "1d"}
    assert all(trends[ticker]["competitive_share"] > 0 for ticker in rivals)
    recommended = {row["recommendation_id"]: row for row in lake.read(RECOMMENDATIONS).to_pylist()}
    shown = [row for row in lake.read(RECOMMENDATION_EVIDENCE).to_pylist() if row["source_record_id"] in reached]
    assert {recommended[row["recommendation_id"]]["ticker"] for row in shown} == rivals
    for row in shown:
        text = documents[row["document_id"]]["text"]
        assert text[row["quote_start"] : row["quote_end"]] == row["quote"]
