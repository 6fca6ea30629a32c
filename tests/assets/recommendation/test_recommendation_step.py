"""From records in the lake to recommendations whose every piece of evidence is a sentence of a document."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from stonks_assets.aggregation.competitive_step import materialise_competitive_signals
from stonks_assets.aggregation.projections_step import materialise_projections
from stonks_assets.aggregation.signals_step import materialise_signals
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.pipeline import Pipeline
from stonks_assets.recommendation.step import materialise_recommendations
from stonks_core.clock import ManualClock
from stonks_core.identifiers import sha256_text
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATION_EVIDENCE, RECOMMENDATIONS, TREND_EVIDENCE, TREND_HISTORY
from stonks_core.stores.lake.silver_tables import DOCUMENTS, GLOBAL_EVENTS, IMPACT_RECORDS, MACRO_IMPACTS

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
FILLERS = {"string": "", "double": 0.5, "int64": 0, "bool": False, "binary": b""}
SENTENCE = {
    "a1": "Acme raised its guidance for the year.",
    "a2": "Orders at Acme grew faster than expected.",
    "a3": "A strike at Acme ended after a day.",
    "m1": "The port of Rotterdam was closed.",
}


def filled(table, **given):
    """A row of a table with fillers where nothing is given."""
    row = {}
    for field in table.schema:
        kind = str(field.type)
        row[field.name] = None if field.nullable else FILLERS.get(kind, NOW)
    return {**row, **given}


@pytest.fixture
def pipeline(lake, database) -> Pipeline:
    with database.connection() as connection:
        for ticker, name in (("ACME", "Acme Corporation"), ("BETA", "Beta Inc"), ("CARGO", "Cargo Lines")):
            connection.execute("INSERT INTO companies (ticker, legal_name) VALUES (%s, %s)", (ticker, name))
        connection.execute(
            """
            INSERT INTO competitor_relationships (company_id, competitor_id, relationship, strength)
            SELECT a.company_id, b.company_id, 'direct_competitor', 1 FROM companies a, companies b
            WHERE a.ticker = 'ACME' AND b.ticker = 'BETA'
            """
        )
    made = Pipeline(load_settings({"MARKET_CALENDAR": "24/7"}), lake, database, ManualClock(NOW))
    for name, hours, sentiment in (("a1", 3, 0.9), ("a2", 2, 0.8), ("a3", 1, -0.3)):
        tell(made, name, NOW - timedelta(hours=hours), sentiment)
    text = f"News. {SENTENCE['m1']}"
    document = "20260310-m1"
    at = NOW - timedelta(hours=2)
    clocks = {"published_at": at, "available_at": at}
    lake.merge(
        DOCUMENTS,
        [filled(DOCUMENTS, day="2026-03-10", document_id=document, publisher="World Wire", text=text, **clocks)],
    )
    shared = {"day": "2026-03-10", "event_id": "e1", "document_id": document, "cluster_id": document, **clocks}
    quote = {"quote": SENTENCE["m1"], "quote_start": 6, "quote_end": len(text), "document_sha256": sha256_text(text)}
    lake.merge(GLOBAL_EVENTS, [filled(GLOBAL_EVENTS, **shared, **quote)])
    macro = {"macro_impact_id": "m1", "ticker": "CARGO", "sentiment": -0.9, "impact": 0.9, "confidence": 0.9}
    lake.merge(MACRO_IMPACTS, [filled(MACRO_IMPACTS, **shared, **macro, duration="medium", credibility=0.9)])
    return made


def tell(pipeline, name, at, sentiment, **record):
    """One document about Acme with one impact record."""
    text = f"Intro. {SENTENCE.get(name, name)}"
    document = f"{at:%Y%m%d}-{name}"
    day = at.date().isoformat()
    clocks = {"published_at": at, "available_at": at}
    source = {"day": day, "document_id": document, "publisher": "", "source_name": "Polygon News", "text": text}
    pipeline.lake.merge(DOCUMENTS, [filled(DOCUMENTS, **source, sha256=sha256_text(text), **clocks)])
    row = {
        "day": day,
        "impact_id": name,
        "document_id": document,
        "cluster_id": document,
        "ticker": "ACME",
        "sentiment": sentiment,
        "impact": 0.95,
        "catalyst": "guidance_raise",
        "horizon": "days",
        "confidence": 0.95,
        "credibility": 0.95,
        "quote": SENTENCE.get(name, name),
        "quote_start": 7,
        "quote_end": len(text),
        "document_sha256": sha256_text(text),
    }
    pipeline.lake.merge(IMPACT_RECORDS, [filled(IMPACT_RECORDS, **{**row, **record}, **clocks)])


def cycle(pipeline, as_of=NOW):
    pipeline.clock.advance_to(max(as_of, pipeline.clock.now()))
    for step in (
        materialise_competitive_signals,
        materialise_signals,
        materialise_trends,
        materialise_projections,
    ):
        step(pipeline, as_of.date(), as_of)
    return materialise_recommendations(pipeline, as_of.date(), as_of)


def said(pipeline, ticker="ACME", window="1d"):
    rows = pipeline.lake.read(RECOMMENDATIONS).to_pylist()
    found = [row for row in rows if (row["ticker"], row["window"]) == (ticker, window)]
    return max(found, key=lambda row: row["as_of"])


def test_evidence_down_to_the_sentence_of_each_layer(pipeline):
    report = cycle(pipeline)
    assert report.failed == 0
    assert report.written["recommendations"] == 15
    texts = {d["document_id"]: d["text"] for d in pipeline.lake.read(DOCUMENTS).to_pylist()}
    evidence = pipeline.lake.read(RECOMMENDATION_EVIDENCE).to_pylist()
    for row in evidence:
        text = texts[row["document_id"]]
        assert text[row["quote_start"] : row["quote_end"]] == row["quote"]
        assert sha256_text(text) == row["document_sha256"]
    assert {row["layer"] for row in evidence} == {"company", "macro", "competitive"}
    issued = {row["recommendation_id"] for row in pipeline.lake.read(RECOMMENDATIONS).to_pylist()}
    assert {row["recommendation_id"] for row in evidence} == issued


def test_what_is_said_of_good_news(pipeline):
    cycle(pipeline)
    row = said(pipeline)
    assert (row["action"], row["mode"], row["suppression"]) == ("buy", "paper_eligible", "")
    assert row["thesis"].startswith("Buy Acme Corporation (ACME)")
    assert "“Acme raised its guidance for the year” (Polygon News, 10 March 2026)" in row["thesis"]
    assert "The strongest reason, raised guidance: “" in row["thesis"]
    assert "Against it, raised guidance: “A strike at Acme ended after a day”" in row["thesis"]
    assert row["thesis_author"] == "template"
    assert row["expires_at"] == NOW + timedelta(hours=12)
    assert row["as_of"] == NOW
    trends = {t["trend_id"]: t for t in pipeline.lake.read(TREND_HISTORY).to_pylist()}
    assert trends[row["trend_id"]]["score"] == row["score"]
    assert json.loads(row["input_versions"])


def test_news_about_others_alone_is_for_information(pipeline):
    cycle(pipeline)
    assert said(pipeline, "CARGO")["suppression"] == "macro_only"
    rival = said(pipeline, "BETA")
    assert (rival["suppression"], rival["mode"]) == ("pattern_only", "informational")
    assert "about Acme Corporation" in rival["thesis"]


def test_running_again_says_nothing_new(pipeline):
    cycle(pipeline)
    before = pipeline.lake.read(RECOMMENDATIONS).to_pylist()
    assert cycle(pipeline).written["recommendations"] == 0
    assert pipeline.lake.read(RECOMMENDATIONS).to_pylist() == before


def test_the_same_is_not_repeated_within_five_minutes_but_is_after(pipeline):
    cycle(pipeline)
    soon = NOW + timedelta(minutes=4)
    materialise_trends(pipeline, DAY, soon, timedelta(0))
    report = materialise_recommendations(pipeline, DAY, soon)
    assert report.written["recommendations"] + report.figures["repeated"] == 15
    assert report.figures["repeated"] >= 10
    later = NOW + timedelta(minutes=9)
    materialise_trends(pipeline, DAY, later, timedelta(0))
    assert materialise_recommendations(pipeline, DAY, later).written["recommendations"] == 15


def test_a_trend_that_was_left_unspoken_by_a_killed_run_is_spoken_of_next(pipeline):
    cycle(pipeline)
    later = NOW + timedelta(minutes=20)
    materialise_trends(pipeline, DAY, later)
    next_cycle = later + timedelta(minutes=1)
    assert materialise_recommendations(pipeline, DAY, next_cycle).written["recommendations"] == 15
    assert said(pipeline)["as_of"] == later


def test_an_earlier_as_of_sees_no_later_trend(pipeline):
    cycle(pipeline)
    assert materialise_recommendations(pipeline, DAY, NOW - timedelta(minutes=1)).figures["trends"] == 0


def test_evidence_without_a_record_is_noted_and_left_out(pipeline):
    for step in (materialise_signals, materialise_trends):
        step(pipeline, DAY, NOW)
    pipeline.lake.delete(IMPACT_RECORDS, "day = '2026-03-10' AND impact_id = 'a3'")
    report = materialise_recommendations(pipeline, DAY, NOW)
    assert report.failed == 5
    ranked = pipeline.lake.read(TREND_EVIDENCE).num_rows
    assert pipeline.lake.read(RECOMMENDATION_EVIDENCE).num_rows == ranked - 5
    errors = pipeline.database.fetch("SELECT error FROM failures WHERE stage = 'recommendations'")
    assert "1 of its signals have no record with a quote" in errors[0]["error"]


def test_a_falling_score_is_an_objection(pipeline):
    sentiment = 0.9
    for step in range(6):
        at = NOW + timedelta(minutes=20 * step)
        sentiment -= 0.35
        tell(pipeline, f"n{step}", at, sentiment, catalyst="other")
        cycle(pipeline, at)
    objected = [r for r in pipeline.lake.read(RECOMMENDATIONS).to_pylist() if "lowered by a fifth" in r["thesis"]]
    assert objected
    trends = {t["trend_id"]: t for t in pipeline.lake.read(TREND_HISTORY).to_pylist()}
    for row in objected:
        assert row["confidence"] == pytest.approx(0.8 * trends[row["trend_id"]]["confidence"])


def test_a_rewriter_without_a_model_leaves_the_template(pipeline):
    pipeline.database.execute("UPDATE ai_agents SET active = true WHERE agent = 'thesis-rewriter'")
    silent = load_settings({"MARKET_CALENDAR": "24/7", "OLLAMA_REPLAY_ONLY": "true"})
    pipeline.settings = silent
    assert cycle(pipeline).written["recommendations"] == 15
    assert said(pipeline)["thesis_author"] == "template"
    rows = pipeline.database.fetch("SELECT error FROM failures WHERE stage = 'thesis_rewrite'")
    assert len(rows) == 1
    assert "theses stay as they are" in rows[0]["error"]
