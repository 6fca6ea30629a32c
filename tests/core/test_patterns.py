"""What happened after such news before: patterns by hand, their bounds, and asking a real lake for them."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.errors import NotFoundError
from stonks_core.patterns.asking import plain, responses_before
from stonks_core.patterns.matching import News, Past, find_cross_company_patterns, find_self_patterns, samples_of
from stonks_core.patterns.rules import PatternRules, staleness, trust
from stonks_core.prices.sessions import sessions
from stonks_core.registry.universe import Company, Competitor, Universe
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.vocabulary import Relationship

RULES = PatternRules()
FIRST = datetime(2025, 6, 1, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOLD = (20, 40, 60, 80)
NOW = FIRST + 100 * DAY
TICKERS = ("AAA", "BBB", "CCC", "DDD")


def test_trust_by_hand() -> None:
    found = trust(np.array([0.02, 0.04, -0.01, 0.03]), DAY, major=False, rules=RULES)
    assert found.mean_response == pytest.approx(0.02)
    assert found.consistency == 0.75
    assert found.confidence == pytest.approx(0.75 * (1 - math.exp(-4 / 5)))
    assert trust(np.array([0.02, 0.04]), DAY, major=False, rules=RULES).confidence == 0


def test_major_decisions_count_more_but_never_more_than_wholly() -> None:
    few, many = np.array([0.1] * 4), np.array([0.1] * 40)
    assert trust(few, DAY, major=True, rules=RULES).confidence == pytest.approx(1.3 * (1 - math.exp(-4 / 5)))
    assert trust(many, DAY, major=True, rules=RULES).confidence == 1.0
    assert trust(many, 180 * DAY, major=True, rules=RULES).confidence == 0.5


def test_staleness_falls_linearly_between_90_and_180_days() -> None:
    ages = (0, 90, 135, 180, 300)
    assert [staleness(timedelta(days=age), RULES) for age in ages] == [1.0, 1.0, 0.75, 0.5, 0.5]


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=30), st.integers(0, 400), st.booleans())
def test_confidence_is_a_share_and_age_never_raises_it(responses: list[float], days: int, major: bool) -> None:
    found = trust(np.array(responses), days * DAY, major=major, rules=RULES)
    assert 0 <= found.confidence <= 1
    assert 0 <= found.consistency <= 1
    assert min(responses) - 1e-9 <= found.mean_response <= max(responses) + 1e-9
    assert (found.confidence == 0) or len(responses) >= 3
    older = trust(np.array(responses), (days + 30) * DAY, major=major, rules=RULES)
    assert older.confidence <= found.confidence
    if not major:
        assert found.confidence <= trust(np.array(responses), days * DAY, major=True, rules=RULES).confidence


@given(st.integers(3, 40))
def test_more_samples_that_agree_are_trusted_more(count: int) -> None:
    fewer, more = (trust(np.full(n, 0.01), DAY, major=False, rules=RULES) for n in (count, count + 1))
    assert fewer.confidence < more.confidence


@given(st.integers(1, 300), st.integers(1, 300), st.floats(0, 1), st.integers(0, 700))
def test_staleness_holds_for_any_setting(recent: int, window: int, penalty: float, age: int) -> None:
    rules = replace(RULES, staleness_recent_days=recent, staleness_window_days=window, staleness_decay_penalty=penalty)
    assert penalty - 1e-12 <= staleness(age * DAY, rules) <= 1


def bars(jumps: dict[str, float], days: int = 110) -> pa.Table:
    """Daily bars of four companies, flat but for a jump in the session after each story."""
    rows = []
    for ticker in TICKERS:
        price = 100.0
        for n in range(days):
            price *= 1 + (jumps.get(ticker, 0.0) if n - 1 in TOLD else 0.0)
            end = FIRST + n * DAY
            prices = dict.fromkeys(("open", "high", "low", "close"), price)
            rows.append(
                {"day": end.date().isoformat(), "ticker": ticker, "span": "1d", "start_at": end - timedelta(hours=6),
                 "end_at": end, "feed": "sandbox", **prices, "volume": 1.0, "vwap": None, "raw_sha256": "0" * 64,
                 "published_at": end, "available_at": end + timedelta(minutes=1)}
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=MARKET_SNAPSHOTS.schema)


def records(days: tuple[int, ...] = TOLD, **fields: object) -> pa.Table:
    """A story about AAA an hour after the close of each day."""
    rows = []
    for n in days:
        at = FIRST + n * DAY + timedelta(hours=1)
        document = f"{at:%Y%m%d}-{n}"
        rows.append(
            {"day": at.date().isoformat(), "impact_id": f"i{n}", "document_id": document, "cluster_id": document,
             "ticker": "AAA", "sentiment": 0.5, "impact": 0.8, "catalyst": "product_launch", "horizon": "days",
             "confidence": 0.9, "credibility": 0.6, "quote": "It happened.", "quote_start": 0, "quote_end": 12,
             "document_sha256": "0" * 64, "published_at": at, "available_at": at + timedelta(minutes=1), **fields}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=IMPACT_RECORDS.schema)


NEWS = News("AAA", "product_launch", NOW, NOW)


def past(jumps: dict[str, float], stories: pa.Table | None = None) -> Past:
    return Past.of(records() if stories is None else stories, sessions(bars(jumps), NOW, TICKERS))


def test_a_self_pattern_is_the_companys_own_abnormal_response() -> None:
    found = find_self_patterns(past({"AAA": 0.04}), NEWS, RULES)
    assert set(found) == {"AAA"}
    assert (found["AAA"].samples, found["AAA"].consistency, found["AAA"].enough) == (4, 1.0, True)
    assert found["AAA"].mean_response == pytest.approx(0.04 - 0.04 / 4)
    assert found["AAA"].confidence == pytest.approx(1 - math.exp(-4 / 5))


def test_cross_company_patterns_are_those_of_others_who_have_prices() -> None:
    told = past({"AAA": 0.04, "BBB": -0.02})
    found = find_cross_company_patterns(told, NEWS, ["BBB", "CCC", "ZZZ"], RULES)
    assert set(found) == {"BBB", "CCC"}
    assert found["BBB"].mean_response == pytest.approx(-0.02 - 0.02 / 4)
    assert found["BBB"].source == "AAA"


def test_every_sample_can_be_looked_up() -> None:
    told = past({"AAA": 0.04})
    found = samples_of(told, find_self_patterns(told, NEWS, RULES)["AAA"])
    assert [sample.document_id for sample in found] == [
        f"{FIRST + n * DAY + timedelta(hours=1):%Y%m%d}-{n}" for n in reversed(TOLD)
    ]
    newest = found[0]
    assert newest.published_at == FIRST + 80 * DAY + timedelta(hours=1)
    assert (newest.base_day, newest.end_day) == ("2025-08-20", "2025-08-25")
    assert newest.response == pytest.approx(0.03)


def test_too_few_samples_are_shown_and_not_trusted() -> None:
    found = find_self_patterns(past({"AAA": 0.04}, records(TOLD[:2])), NEWS, RULES)["AAA"]
    assert (found.samples, found.confidence, found.enough) == (2, 0.0, False)
    assert find_self_patterns(past({}), replace(NEWS, catalyst="litigation"), RULES) == {}


@pytest.mark.parametrize("later", [81, 83, 86])
def test_nothing_that_was_known_later_is_a_sample(later: int) -> None:
    """The last story's five sessions end on day 85; before its bar is known there are three samples."""
    at = FIRST + later * DAY
    found = find_self_patterns(past({"AAA": 0.04}), replace(NEWS, published_at=at, available_at=at), RULES)["AAA"]
    assert found.samples == (4 if later == 86 else 3)


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"routine_lookback_days": 45}, {"samples": 2}),
        ({"min_pattern_samples": 5}, {"enough": False, "confidence": 0.0}),
        ({"staleness_recent_days": 10}, {"confidence": pytest.approx((1 - math.exp(-4 / 5)) * (1 - 0.5 * 239 / 4080))}),
        ({"staleness_recent_days": 5, "staleness_window_days": 6}, {"confidence": pytest.approx(0.5 * (1 - math.exp(-0.8)))}),
    ],
)  # fmt: skip
def test_each_rule_has_its_effect(changed: dict[str, int], seen: dict[str, object]) -> None:
    found = find_self_patterns(past({"AAA": 0.04}), NEWS, replace(RULES, **changed))["AAA"]
    assert {name: getattr(found, name) for name in seen} == seen


UNIVERSE = Universe(
    companies={ticker: Company(ticker, ticker, f"{ticker} Inc", "", "", None) for ticker in TICKERS},
    exposures={},
    competitors=(
        Competitor("AAA", "CCC", Relationship.SECTOR_PEER, 0.5),
        Competitor("AAA", "BBB", Relationship.DIRECT_COMPETITOR, 0.9),
        Competitor("DDD", "AAA", Relationship.SUPPLIER, 0.9),
    ),
    sources=(),
)


@pytest.fixture
def told(lake: Lake) -> Lake:
    lake.merge(IMPACT_RECORDS, records())
    lake.merge(IMPACT_RECORDS, records((50,), catalyst="litigation", impact_id="l", cluster_id="l"))
    lake.merge(MARKET_SNAPSHOTS, bars({"AAA": 0.04, "BBB": -0.02}))
    return lake


def test_asking_the_lake_answers_for_the_company_and_its_competitors(told: Lake) -> None:
    found = [plain(response) for response in responses_before(told, UNIVERSE, RULES, "AAA", NOW)]
    assert [(row["catalyst"], row["kind"], row["responder"], row["relationship"]) for row in found] == [
        ("litigation", "self", "AAA", ""),
        ("litigation", "cross", "BBB", "direct_competitor"),
        ("litigation", "cross", "CCC", "sector_peer"),
        ("product_launch", "self", "AAA", ""),
        ("product_launch", "cross", "BBB", "direct_competitor"),
        ("product_launch", "cross", "CCC", "sector_peer"),
    ]
    assert found[4]["mean_response"] == pytest.approx(-0.025)
    assert len(found[4]["stories"]) == found[4]["samples"] == 4
    only = responses_before(told, UNIVERSE, RULES, "AAA", NOW, ["litigation"])
    assert {response.pattern.catalyst for response in only} == {"litigation"}


def test_asking_for_an_earlier_instant_sees_less(told: Lake) -> None:
    early = FIRST + 50 * DAY
    own = next(r for r in responses_before(told, UNIVERSE, RULES, "AAA", early) if r.kind == "self")
    assert own.pattern.samples == 2
    assert responses_before(told, UNIVERSE, RULES, "BBB", NOW) == []
    with pytest.raises(NotFoundError, match="was not tracked"):
        responses_before(told, UNIVERSE, RULES, "ZZZ", NOW)
