"""Without a document: what comes out is what would have been, had it never come."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stonks_audit.counterfactual import Counterfactual, Said, counterfactual
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import COMPETITIVE_SIGNALS
from stonks_core.stores.postgres import Database
from tests.api import trades
from tests.audit.conftest import NOW, Row, World, live_through, priced, registered, world_over

FIGURES = ("action", "mode", "risk_class", "suppression", "score", "strength", "confidence", "contradiction")


def what_if(world: World, *documents: str, ticker: str = "ACME", window: str = "1d", **options: Any) -> Counterfactual:
    settings = load_settings({"MARKET_CALENDAR": "24/7"})
    name = world.said(ticker, window)["recommendation_id"]
    return counterfactual(world.pipeline.database, world.lake, settings, name, documents, NOW, **options)


def figures(said: Said | None) -> Row:
    assert said is not None
    return {name: getattr(said, name) for name in FIGURES}


@pytest.fixture
def other_world(lake: Lake, database: Database) -> World:
    registered(database)
    priced(lake)
    return world_over(lake, database)


def test_it_is_what_a_world_without_the_documents_says(story: World, other_world: World) -> None:
    names = ("a1", "storm")
    live_through(other_world, *names)
    gone = [f"{NOW:%Y%m%d}-{name}" for name in names]
    for ticker, windows in (("ACME", ("1d", "7d")), ("BETA", ("1d",)), ("CARGO", ("1d",))):
        for window in windows:
            done = what_if(story, *gone, ticker=ticker, window=window)
            assert figures(done.before) == {name: story.said(ticker, window)[name] for name in FIGURES}
            if ticker == "CARGO" and "storm" in names:
                assert done.after is None
            else:
                assert figures(done.after) == {name: other_world.said(ticker, window)[name] for name in FIGURES}


def test_a_document_of_another_company_is_taken_out_of_the_competitors_trend(story: World) -> None:
    done = what_if(story, f"{NOW:%Y%m%d}-a2", ticker="BETA")
    assert done.removed_signals == 1
    assert done.before.score != figures(done.after)["score"]


def test_the_next_copy_takes_the_place_of_the_first_teller_and_that_is_said(story: World) -> None:
    first, copy = f"{NOW:%Y%m%d}-a2", f"{NOW:%Y%m%d}-copy"
    done = what_if(story, first)
    assert [(s.layer, s.removed, s.document_id) for s in done.successors] == [("company", first, copy)]
    assert any(f"the copy {copy} takes its place" in note for note in done.notes)
    assert what_if(story, copy).after == done.before  # a copy weighs nothing
    whole = what_if(story, first, whole_story=True)
    assert whole.successors == ()
    assert whole.after == what_if(story, first, copy).after != done.after


def test_later_news_is_newer_without_what_came_before_it(story: World) -> None:
    done = what_if(story, f"{NOW:%Y%m%d}-a1")
    assert "later signals would have been newer than they were" in done.notes[-1]


def test_without_all_of_it_nothing_would_have_been_said(story: World) -> None:
    done = what_if(story, *story.told, ticker="ACME")
    assert done.after is None
    assert done.size_after.dollars is None


def test_what_does_not_speak_of_the_company_is_told_to_matter_not_at_all(story: World) -> None:
    storm = f"{NOW:%Y%m%d}-storm"
    done = what_if(story, storm)
    assert done.after == done.before
    assert done.notes == (f"document {storm} had no signal of ACME by 2026-03-10 15:00 UTC: none is taken away",)


def test_patterns_that_a_document_is_a_sample_of_are_held_and_that_is_said(other_world: World) -> None:
    for days in (7, 8, 9):
        other_world.tell(f"old{days}", NOW - timedelta(days=days), 0.8)
    other_world.tell("lone", NOW - timedelta(days=7), 0.8, catalyst="litigation")
    other_world.tell("young", NOW - timedelta(days=2), 0.8)
    other_world.tell("news", NOW - timedelta(hours=2), 0.8)
    other_world.cycle()
    (news,) = (row for row in other_world.lake.read(COMPETITIVE_SIGNALS).to_pylist() if row["impact_id"] == "i-news")
    assert (news["pattern"], news["samples"]) == ("cross", 3)
    old, young, lone = (
        f"{NOW - timedelta(days=n):%Y%m%d}-{name}" for n, name in ((8, "old8"), (2, "young"), (7, "lone"))
    )
    done = what_if(other_world, old, young, lone, ticker="BETA")
    assert done.notes[-1] == (
        f"document {old} is earlier news of ACME too (guidance_raise), and responses to such news are what 1 of the "
        "competitive signals that are left rest on: these are held as they were"
    )
    assert sum("held as they were" in note for note in done.notes) == 1
    assert not any("held" in note for note in what_if(other_world, old, ticker="ACME").notes)


def test_unknown_names_are_refused(story: World) -> None:
    with pytest.raises(NotFoundError, match="there is no document '20260310-nothing'"):
        what_if(story, "20260310-nothing")
    with pytest.raises(NotFoundError, match="begins with its day"):
        what_if(story, "nothing")
    with pytest.raises(BadInputError, match="no document was named"):
        what_if(story, " ")
    with pytest.raises(BadInputError, match="at once"):
        what_if(story, *(f"20260310-{number}" for number in range(51)))


def test_an_input_that_came_late_is_not_blamed_on_the_document(told: World) -> None:
    before = what_if(told, f"{NOW:%Y%m%d}-a2")
    told.tell("slow", NOW - timedelta(hours=5), -1.0)
    told.cycle(NOW + timedelta(minutes=1))
    name = before.recommendation_id
    settings = load_settings({"MARKET_CALENDAR": "24/7"})
    late = counterfactual(told.pipeline.database, told.lake, settings, name, before.without, NOW)
    assert late == before


def account(world: World) -> None:
    world.pipeline.database.execute(
        "INSERT INTO broker_accounts (account_id, mode, sandbox, status, cash, equity, buying_power, synced_at)"
        " VALUES ('acc-1', 'paper', true, 'ACTIVE', 1000, 1000, 1000, %s)",
        (NOW,),
    )


def decided(world: World, order: Row | None, clamps: list[Row], **inputs: str) -> None:
    account(world)
    trades.decide(
        world.pipeline.database,
        "d1",
        "recommendation",
        world.said()["recommendation_id"],
        "Buy.",
        NOW,
        trace={"inputs": {"tier": "moderate", **inputs}, "clamps": clamps, "order": order},
    )


def test_a_size_that_was_decided_is_worked_out_again_from_its_trace(told: World) -> None:
    said = told.said()
    clamps = [
        {"rule": "tier_position", "limit": None, "after": "1000.00", "note": ""},
        {"rule": "absolute_cap", "limit": "900.00", "after": "700.00", "note": ""},
    ]
    traced = {"active_pool": "10000", "mean_correlation": "0.0", "size": "700.00"}
    decided(told, {"side": "buy", "quantity": None}, clamps, **traced)
    done = what_if(told, f"{NOW:%Y%m%d}-against", f"{NOW:%Y%m%d}-late")
    assert (done.size_basis, done.size_name) == ("decision", "d1")
    assert done.size_before.dollars == Decimal("700.00")
    assert done.after is not None
    assert done.after.confidence > said["confidence"]
    scale = (Decimal(str(done.after.confidence)) - Decimal("0.55")) / Decimal("0.45")
    assert done.size_after.dollars is not None
    assert abs(done.size_after.dollars - min(Decimal(1000) * scale, Decimal(900))) < Decimal("0.01")


def test_a_size_that_nobody_decided_comes_from_the_portfolio_of_today(told: World) -> None:
    nobody = what_if(told, f"{NOW:%Y%m%d}-against", f"{NOW:%Y%m%d}-late")
    assert nobody.size_basis == "nobody"
    account(told)
    database = told.pipeline.database
    database.execute(
        "INSERT INTO cash_ledger (account_id, at, trigger, amount, balance) VALUES ('acc-1', %s, 'opening', 1000, 1000)",
        (NOW,),
    )
    done = what_if(told, f"{NOW:%Y%m%d}-against", f"{NOW:%Y%m%d}-late")
    assert (done.size_basis, done.size_name) == ("portfolio of today", "acc-1")
    assert done.before.action == "watch"
    assert done.size_before.sentence == "The 1d view of ACME is watch: nothing to order."
    assert (done.after.action if done.after else "") == "buy"
    assert done.size_after.dollars == Decimal(50)
    assert database.fetch("SELECT 1 FROM daily_risk_snapshots") == []  # looking settles nothing
