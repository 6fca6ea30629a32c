"""Shares by stable hash, hourly budgets and turns: properties of the rules that spread documents over variants."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_assets.extraction.agents import Agent, AgentConfig, Variant
from stonks_assets.extraction.budgets import HourlyBudgets, Spent
from stonks_assets.extraction.figures import invented_numbers
from stonks_assets.extraction.schemas import DocumentAnswer
from stonks_assets.extraction.sections import merge_answers
from stonks_assets.extraction.turns import take_turns
from stonks_core.vocabulary import Catalyst

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BASE = AgentConfig("document-extractor", "base", "m")
DOCUMENTS = [f"20260302-{n:020x}" for n in range(4000)]


def agent(weights: list[float], shadows: list[float] | None = None) -> Agent:
    def named(prefix: str, shares: list[float]) -> tuple[Variant, ...]:
        return tuple(
            Variant(AgentConfig("document-extractor", f"{prefix}{n}", "m"), share) for n, share in enumerate(shares)
        )

    return Agent(BASE, named("v", weights), named("s", shadows or []))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.02, 1), min_size=1, max_size=4))
def test_shares_are_the_weights(weights: list[float]) -> None:
    chosen = [agent(weights).choose(document).variant for document in DOCUMENTS]
    total = max(1.0, sum(weights))
    for n, weight in enumerate(weights):
        assert chosen.count(f"v{n}") / len(DOCUMENTS) == pytest.approx(weight / total, abs=0.04)
    assert chosen.count("base") / len(DOCUMENTS) == pytest.approx(1 - sum(weights) / total, abs=0.04)


@given(st.text(max_size=40), st.lists(st.floats(0, 1), max_size=4))
def test_the_same_document_is_always_read_by_the_same_variant(document: str, weights: list[float]) -> None:
    assert agent(weights).choose(document) == agent(weights).choose(document)


@given(st.sampled_from(DOCUMENTS), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_variant_that_grows_keeps_its_documents(document: str, weight: float, more: float) -> None:
    if agent([weight]).choose(document).variant == "v0":
        assert agent([weight + more]).choose(document).variant == "v0"


def test_shadows_read_their_share_whoever_reads_live() -> None:
    setup = agent([0.5], [0.25, 1.0])
    read = [{config.variant for config in setup.shadows_of(document)} for document in DOCUMENTS]
    assert sum("s0" in names for names in read) / len(DOCUMENTS) == pytest.approx(0.25, abs=0.03)
    assert all("s1" in names for names in read)
    live = [setup.choose(d).variant == "v0" for d, names in zip(DOCUMENTS, read, strict=True) if "s0" in names]
    assert sum(live) / len(live) == pytest.approx(0.5, abs=0.06)


def test_what_answers_depend_on_is_told_apart_and_shares_and_budgets_are_not() -> None:
    same = AgentConfig("document-extractor", "other", "m", tokens_per_hour=5)
    assert same.hash == BASE.hash
    changed = (
        AgentConfig("document-extractor", "base", "n"),
        AgentConfig("document-extractor", "base", "m", "prompt"),
        AgentConfig("document-extractor", "base", "m", options={"seed": 1}),
        AgentConfig("document-extractor", "base", "m", input_token_limit=9),
    )
    assert len({BASE.hash, *(config.hash for config in changed)}) == 5


@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1), st.integers(0, 1500)), max_size=60),
)
def test_no_hour_costs_more_than_the_budget(limit: int, asked: list[tuple[int, float, int]]) -> None:
    budgets, now, spent = HourlyBudgets(), NOON, []
    for estimate, share, seconds in asked:
        now += timedelta(seconds=seconds)
        if budgets.admit("v", limit, estimate, now):
            cost = int(estimate * share)
            budgets.settle("v", estimate, cost, now)
            spent.append((now, cost))
        assert sum(cost for at, cost in spent if now - timedelta(hours=1) < at <= now) <= limit
        assert budgets.used("v", now) <= limit


def test_what_is_promised_counts_until_it_is_settled() -> None:
    budgets = HourlyBudgets([Spent("v", 50, NOON - timedelta(minutes=30)), Spent("w", 900, NOON)])
    assert budgets.admit("v", 100, 40, NOON)
    assert not budgets.admit("v", 100, 20, NOON)
    budgets.settle("v", 40, 0, NOON)
    assert budgets.admit("v", 100, 50, NOON)
    assert not budgets.admit("v", 100, 1, NOON)
    budgets.settle("v", 50, 50, NOON)
    assert budgets.admit("v", 100, 50, NOON + timedelta(minutes=30))
    assert budgets.admit("w", None, 10**9, NOON)


@given(st.lists(st.integers(), max_size=30), st.lists(st.integers(), max_size=30))
def test_turns_lose_nothing_keep_order_and_starve_nobody(documents: list[int], reports: list[int]) -> None:
    order = list(take_turns([("d", n) for n in documents], [("r", n) for n in reports]))
    assert [n for kind, n in order if kind == "d"] == documents
    assert [n for kind, n in order if kind == "r"] == reports
    both = min(len(documents) // 3, len(reports))
    assert [kind for kind, _ in order[: 4 * both]] == ["d", "d", "d", "r"] * both


READ = st.builds(
    DocumentAnswer.model_construct,
    summary=st.text(max_size=50),
    sentiment=st.floats(-1, 1),
    catalyst=st.sampled_from(Catalyst),
    confidence=st.floats(0, 1),
    impacts=st.lists(st.fixed_dictionaries({"ticker": st.sampled_from(["A", "B"])}), max_size=4),
)


@given(st.lists(READ, min_size=1, max_size=6))
def test_merging_sections_loses_no_record_and_stays_in_range(answers: list[DocumentAnswer]) -> None:
    merged = merge_answers(answers)
    assert merged.impacts == [record for answer in answers for record in answer.impacts]
    assert min(a.sentiment for a in answers) - 1e-9 <= merged.sentiment <= max(a.sentiment for a in answers) + 1e-9 or (
        not any(a.confidence for a in answers) and merged.sentiment == 0
    )
    assert merged.confidence == max(a.confidence for a in answers)


@pytest.mark.parametrize(
    ("words", "text", "invented"),
    [
        ("Revenue of $4.2 billion, up 30%.", "revenue of $4.2 billion grew by 30 percent", ()),
        ("4,200 million and 12k", "4.2 billion and 12,000", ()),
        ("It has 3 plants.", "It has three plants.", ()),
        ("Sales of 4.", "Sales of 4 billion.", ("4",)),
        ("Sales of 4 million.", "Sales of 4 billion.", ("4 million",)),
        ("Up 29.8%, or 30%.", "Up 29.8 percent", ("30",)),
        ("The S&P500 in Q3.", "", ()),
    ],
)
def test_numbers_must_be_the_documents(words: str, text: str, invented: tuple[str, ...]) -> None:
    assert invented_numbers(words, text) == invented


@given(st.text(max_size=200))
def test_no_text_invents_its_own_numbers(text: str) -> None:
    assert invented_numbers(text, text) == ()
