"""Splits and symbol changes over a world: prices in the shares of their time, tickers of their time, told beforehand."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from stonks_sandbox.__main__ import arguments, build_stage
from stonks_sandbox.polygon import build_polygon
from stonks_sandbox.world.actions import as_adjusted, effective, read_actions
from stonks_sandbox.world.protocol import Action, Rename, Split
from tests.sandbox.test_alpaca_scripted_world import NOON, Played, ScriptedWorld, bar

DAY = date(2026, 3, 5)
MIDNIGHT = effective(Rename("AAA", DAY, "ZZZ"))
SECONDS = (MIDNIGHT - NOON).total_seconds()
FOUR = Split("AAA", DAY, Decimal(1), Decimal(4))
TENTH = Split("AAA", DAY, Decimal(10), Decimal(1))


def world(*actions: Action, quiet: int = 0) -> Played:
    """Bars at 100 from a minute before midnight to a minute after it, but for `quiet` bars after it."""
    starts = [MIDNIGHT + timedelta(seconds=5 * n) for n in range(-12, 12) if not 0 <= n < quiet]
    return Played(ScriptedWorld({"AAA": [bar(at, (100.0,) * 4, 1000.0) for at in starts]}), actions)


def closes(played: Any, ticker: str = "AAA") -> list[float]:
    return [b.close for b in played.bars(ticker, MIDNIGHT - timedelta(seconds=10), MIDNIGHT + timedelta(seconds=10), 5)]


@pytest.mark.parametrize(("split", "price", "volume"), [(FOUR, 25.0, 4000.0), (TENTH, 1000.0, 100.0)])
def test_prices_and_volumes_are_in_the_shares_of_their_time(split: Split, price: float, volume: float) -> None:
    played = world(split)
    played.at(SECONDS + 30)
    assert closes(played) == [100.0, 100.0, price, price]
    (first,) = played.bars("AAA", MIDNIGHT, MIDNIGHT + timedelta(seconds=5), 5)
    assert (first.volume, first.open, first.vwap) == (volume, price, price)
    assert played.last_price("AAA") == price
    assert played.next_bar("AAA", MIDNIGHT - timedelta(seconds=1)) == first
    assert closes(as_adjusted(played)) == [price] * 4


def test_until_somebody_trades_the_last_price_is_of_old_shares() -> None:
    played = world(FOUR, quiet=2)
    played.at(SECONDS + 8)
    assert played.last_price("AAA") == 100.0
    played.at(SECONDS + 11)
    assert played.last_price("AAA") == 25.0


def test_nothing_changes_before_its_day_and_it_is_told_a_week_before() -> None:
    played = world(FOUR)
    played.at(SECONDS - 1)
    assert played.last_price("AAA") == 100.0
    assert played.actions() == [FOUR]
    assert closes(as_adjusted(played)) == [100.0, 100.0]
    played.at(SECONDS - 8 * 86_400)
    assert played.actions() == []
    assert as_adjusted(played) is played


def test_a_renamed_company_trades_under_its_new_ticker_alone() -> None:
    played = world(Rename("AAA", DAY, "ZZZ"), Split("ZZZ", DAY + timedelta(days=1), Decimal(1), Decimal(2)))
    played.at(SECONDS - 1)
    assert [c.ticker for c in played.companies()] == ["AAA"]
    assert played.last_price("ZZZ") is None
    played.at(SECONDS + 30)
    assert [c.ticker for c in played.companies()] == ["ZZZ"]
    assert (played.company("AAA"), played.last_price("AAA"), played.last_price("ZZZ")) == (None, None, 100.0)
    assert closes(played) == [100.0, 100.0], "the old ticker keeps the bars of its time"
    assert closes(played, "ZZZ") == [100.0] * 4
    assert played.next_bar("AAA", MIDNIGHT - timedelta(seconds=1)) is None
    played.at(SECONDS + 86_400)
    assert played.last_price("ZZZ") == 100.0, "nobody has traded since the split"


def test_polygon_lists_splits_and_adjusts_bars_for_them() -> None:
    played = world(FOUR)
    played.at(SECONDS + 30)
    app = FastAPI()
    app.include_router(build_polygon(played), prefix="/polygon")
    client = TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer any"})

    def told(path: str, **params: str) -> Any:
        return client.get(f"/polygon{path}", params=params).raise_for_status().json()["results"]

    (split,) = told("/v3/reference/splits", **{"execution_date.gte": "2026-03-01", "execution_date.lte": "2026-03-05"})
    assert (split["ticker"], split["execution_date"], split["split_from"], split["split_to"]) == (
        "AAA", "2026-03-05", 1, 4,
    )  # fmt: skip
    for params in ({"execution_date.gt": "2026-03-05"}, {"execution_date.lt": "2026-03-05"}, {"ticker": "BBB"}):
        assert told("/v3/reference/splits", **params) == []
    path = "/v2/aggs/ticker/AAA/range/5/second/2026-03-04/2026-03-05"
    assert {row["c"] for row in told(path, adjusted="false")} == {100.0, 25.0}
    assert {row["c"] for row in told(path)} == {25.0}


def test_actions_are_read_from_a_file_and_a_bad_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "actions.json"
    good = [
        {"ticker": "AAA", "day": "2026-03-05", "split_from": 10, "split_to": 1},
        {"ticker": "AAA", "day": "2026-03-05", "new_ticker": "ZZZ"},
    ]
    file.write_text(json.dumps(good))
    assert read_actions(file) == [TENTH, Rename("AAA", DAY, "ZZZ")]
    for bad in (*({**good[0], "split_to": wrong} for wrong in (0, "many")), {"ticker": "AAA"}, "AAA"):
        file.write_text(json.dumps([bad]))
        with pytest.raises(ValueError, match=r"actions\.json"):
            read_actions(file)
    with pytest.raises(ValueError, match="cannot be read"):
        read_actions(tmp_path / "nothing.json")


def test_the_command_plays_them_over_its_market(tmp_path: Path) -> None:
    def stage(*more: str) -> Any:
        words = ["--state", str(tmp_path / "state"), "--clock", "driven", "--start", "2026-03-06T12:00:00Z", *more]
        return build_stage(arguments().parse_args(words)).world

    plain = stage()
    ticker = plain.companies()[0].ticker
    file = tmp_path / "actions.json"
    file.write_text(json.dumps([{"ticker": ticker, "day": "2026-03-05", "split_from": 1, "split_to": 2}]))
    split = stage("--actions", str(file))
    assert split.last_price(ticker) == pytest.approx(plain.last_price(ticker) / 2, abs=0.0001)
