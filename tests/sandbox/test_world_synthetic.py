"""The synthetic world: the same for every process, silent about the future, and moved by its news."""

import json
import math
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stonks_core.vocabulary import SECTORS, Catalyst
from stonks_sandbox.world.clock import WallClock
from stonks_sandbox.world.synthetic.draws import day_number, day_start
from stonks_sandbox.world.synthetic.effects import NewsPath
from stonks_sandbox.world.synthetic.events import Calendar, Event
from stonks_sandbox.world.synthetic.factors import Factors
from stonks_sandbox.world.synthetic.grid import Grid
from stonks_sandbox.world.synthetic.universe import by_ticker, profiles
from stonks_sandbox.world.synthetic.world import SyntheticWorld

NOW = datetime(2026, 11, 22, 10, 41, 7, tzinfo=UTC)
DAY = timedelta(days=1)


def world_at(now: datetime, seed: int = 7) -> SyntheticWorld:
    return SyntheticWorld(seed, WallClock(lambda: now))


@cache
def shared_world() -> SyntheticWorld:
    return world_at(NOW)


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return shared_world()


def test_universe_is_large_enough_and_well_formed() -> None:
    companies = [profile.company for profile in profiles()]
    assert len(companies) >= 24
    assert len({company.sector for company in companies}) >= 8
    assert {company.sector for company in companies} <= set(SECTORS)
    assert len({company.cik for company in companies}) == len(companies)
    tickers = {company.ticker for company in companies}
    for profile in profiles():
        assert set(profile.company.peers) <= tickers - {profile.ticker}
        assert sum(profile.regions.values()) == pytest.approx(1)
        assert profile.company.aliases
    stamped = sum((company.cik or 0) % 3 == 0 for company in companies)
    assert abs(stamped / len(companies) - 1 / 3) < 0.05


def test_two_processes_tell_the_same_history(world: SyntheticWorld) -> None:
    later = world_at(NOW + timedelta(days=40, hours=5))
    start, end = NOW - 2 * DAY, NOW - timedelta(hours=1)
    assert list(later.articles(start, end)) == list(world.articles(start, end))
    assert list(later.filings(start, end)) == list(world.filings(start, end))
    yesterday = day_start(day_number(NOW) - 1)
    for seconds in (60, 3600, 86_400):
        assert later.bars("LFRG", yesterday, yesterday + DAY, seconds) == world.bars(
            "LFRG", yesterday, yesterday + DAY, seconds
        )


def test_another_seed_is_another_market(world: SyntheticWorld) -> None:
    other = world_at(NOW, seed=8)
    assert other.last_price("LFRG") != world.last_price("LFRG")
    ids = {article.article_id for article in world.articles(NOW - DAY, NOW)}
    assert not ids & {article.article_id for article in other.articles(NOW - DAY, NOW)}


def test_nothing_after_the_present_leaves(world: SyntheticWorld) -> None:
    later = world_at(NOW + DAY)
    soon = later.articles(NOW + timedelta(seconds=1), NOW + DAY)
    filed = later.filings(NOW + timedelta(seconds=1), NOW + DAY)
    assert soon
    assert filed
    assert not world.articles(NOW + timedelta(seconds=1), NOW + DAY)
    assert not world.filings(NOW + timedelta(seconds=1), NOW + DAY)
    assert world.article_at(soon[0].path) is None
    assert world.filing(filed[0].accession) is None
    assert all(bar.start <= NOW for bar in world.bars("GLEE", NOW - timedelta(minutes=5), NOW + DAY, 5))
    assert world.next_bar("GLEE", NOW) is None


def test_running_bar_grows_only_with_time(world: SyntheticWorld) -> None:
    minute = NOW.replace(second=0)
    seen = [world_at(minute + timedelta(seconds=s)).bars("WELD", minute, minute + DAY, 60)[0] for s in (0, 20, 59)]
    final = world_at(minute + timedelta(seconds=60)).bars("WELD", minute, minute + timedelta(seconds=60), 60)[0]
    assert seen[0].volume == 0
    assert {bar.open for bar in seen} == {final.open}
    assert seen[0].volume <= seen[1].volume <= seen[2].volume <= final.volume
    assert seen[1].high <= seen[2].high <= final.high
    assert seen[1].low >= seen[2].low >= final.low


def test_every_length_of_bar_tells_the_same_day(world: SyntheticWorld) -> None:
    begin = day_start(day_number(NOW) - 2)
    day = world.bars("PLMT", begin, begin + DAY, 86_400)[0]
    for seconds in (5, 60, 300, 3600):
        bars = world.bars("PLMT", begin, begin + DAY, seconds)
        assert len(bars) == 86_400 // seconds
        assert bars[0].open == day.open
        assert bars[-1].close == day.close
        assert max(bar.high for bar in bars) == day.high
        assert min(bar.low for bar in bars) == day.low
        assert sum(bar.volume for bar in bars) == day.volume
        assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)


def test_daily_history_reaches_four_hundred_days_back(world: SyntheticWorld) -> None:
    bars = world.bars("SIPS", NOW - 400 * DAY, NOW, 86_400)
    assert len(bars) == 400
    assert all(later.start - earlier.start == DAY for earlier, later in pairwise(bars))
    assert all(0 < bar.low <= bar.high < 100 * by_ticker()["SIPS"].base_price for bar in bars)


@settings(max_examples=25, deadline=None)
@given(offset=st.integers(0, 20_000), ticker=st.sampled_from(sorted(by_ticker())))
def test_next_bar_begins_strictly_after_and_has_begun(offset: int, ticker: str) -> None:
    market = shared_world()
    after = NOW - timedelta(seconds=offset, microseconds=offset)
    bar = market.next_bar(ticker, after)
    if bar is None:
        assert NOW - after < timedelta(seconds=5)
    else:
        assert after < bar.start <= min(NOW, after + timedelta(seconds=5))


def test_unknown_questions_are_answered_with_nothing_or_a_sentence(world: SyntheticWorld) -> None:
    assert world.company("NOPE") is None
    assert world.last_price("NOPE") is None
    assert world.bars("NOPE", NOW - DAY, NOW, 60) == []
    assert world.article_at("no/2026/99/99/x.html") is None
    assert world.filing("nonsense") is None
    with pytest.raises(ValueError, match="divides a day"):
        world.bars("LFRG", NOW - DAY, NOW, 7)
    with pytest.raises(ValueError, match="begins on"):
        world_at(datetime(2015, 1, 1, tzinfo=UTC))


def _effects(days: int) -> list[tuple[float, float]]:
    """True effect of each company event, and the log return from just after its jump to the next day's close."""
    market = shared_world()
    last = day_number(NOW) - 3
    pairs = []
    for day in range(last - days, last):
        for event in market.calendar.events(day):
            if event.company is None or not event.effects:
                continue
            ticker = profiles()[event.company].ticker
            jumped = day_start(day) + timedelta(seconds=300 * event.segment)
            entry = market.bars(ticker, jumped, jumped + timedelta(seconds=300), 300)[0].open
            close = market.bars(ticker, day_start(day + 1), day_start(day + 2), 86_400)[0].close
            pairs.append((event.own_effect, math.log(close / entry)))
    return pairs


def test_news_moves_prices_and_acting_right_after_it_pays() -> None:
    effect, reaction = np.array(_effects(25)).T
    assert len(effect) > 800
    assert np.corrcoef(effect, reaction)[0, 1] > 0.2
    assert np.mean(np.sign(effect) * reaction) > 0.003


class _Without(Calendar):
    """The same market in which one event never happened."""

    gone: str = ""

    def events(self, day: int) -> list[Event]:
        return [event for event in super().events(day) if event.event_id != self.gone]


def test_prices_before_an_event_know_nothing_of_it() -> None:
    factors = Factors(7)
    day = day_number(NOW) - 2
    real, without = Calendar(7, factors), _Without(7, factors)
    event = max((e for e in real.events(day) if 60 < e.segment < 240), key=lambda e: abs(e.own_effect))
    assert event.company is not None
    without.gone = event.event_id
    with_it, without_it = (Grid(7, factors, NewsPath(c)).fine(day, event.company) for c in (real, without))
    edge = event.segment * 60
    assert event.at < day_start(day) + timedelta(seconds=5 * edge)
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(with_it, name)[:edge], getattr(without_it, name)[:edge])
    step = math.log(with_it.open[edge] / without_it.open[edge])
    assert step == pytest.approx(event.own_effect * event.jump, abs=2e-3)


def test_documents_come_steadily_and_in_all_kinds(world: SyntheticWorld) -> None:
    articles = world.articles(NOW - 4 * DAY, NOW)
    assert len(articles) > 4 * 24 * 3
    assert {article.kind for article in articles} == {"news", "macro", "rumour"}
    assert all(article.kind != "macro" or (not article.tickers and "macro" in article.keywords) for article in articles)
    assert len({article.article_id for article in articles}) == len(articles)
    assert len({article.path for article in articles}) == len(articles)
    assert all(world.article_at(article.path) == article for article in articles[:20])
    for article in articles:
        assert "{" not in article.title
        for ticker in article.tickers:
            assert by_ticker()[ticker].short in article.html


def test_filings_carry_their_truth_in_the_header(world: SyntheticWorld) -> None:
    filings = world.filings(NOW - 3 * DAY, NOW)
    assert filings
    for filing in filings:
        assert [document.type for document in filing.documents] == ["8-K", "EX-99.1"]
        assert f"ACCESSION NUMBER:\t\t{filing.accession}".encode() in filing.header
        assert world.filing(filing.accession) == filing
    results = [filing for filing in filings if "2.02" in filing.items]
    assert results
    assert all(b"<table" in filing.documents[1].content for filing in results)


def test_truth_file_knows_every_document_and_no_future(world: SyntheticWorld, tmp_path: Path) -> None:
    truth = world.truth_file(tmp_path)
    truth.extend(NOW - 5 * DAY)
    count = truth.extend(NOW)
    lines = (tmp_path / "truth" / "events.jsonl").read_text().splitlines()
    assert len(lines) == count
    events = [json.loads(line) for line in lines]
    assert len({event["event_id"] for event in events}) == count
    told = {document["id"] for event in events for document in event["documents"]}
    assert {article.article_id for article in world.articles(NOW - 3 * DAY, NOW)} <= told
    assert {filing.accession for filing in world.filings(NOW - 3 * DAY, NOW)} <= told
    assert all(datetime.fromisoformat(event["at"]) <= NOW for event in events)
    false = [event for event in events if event["false_rumour"]]
    assert false
    assert all(not event["effects"] for event in false)
    assert {event["catalyst"] for event in events} == {catalyst.value for catalyst in Catalyst}


def test_copies_repeat_their_origin_and_contradictions_do_not(world: SyntheticWorld) -> None:
    begin = day_number(NOW) - 3
    by_id = {article.article_id: article for article in world.articles(day_start(begin), NOW)}

    def words(identity: str) -> set[str]:
        text = by_id[identity].html
        return set(text[text.index("<article>") : text.index("</article>")].split())

    alike, against = [], []
    for event in world.calendar.events(begin):
        plans = world.newsroom.plans(event)
        origin = next((plan for plan in plans if plan.role == "origin"), None)
        if origin is None:
            continue
        for plan in plans:
            if plan.role in {"copy", "contradiction"}:
                one, two = words(origin.document_id), words(plan.document_id)
                (alike if plan.role == "copy" else against).append(len(one & two) / len(one | two))
    assert min(alike) > 0.6
    assert max(against) < 0.5
