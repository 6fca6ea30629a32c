"""What a split or a symbol change does to the account: shares, cost, orders that wait, and what a restart finds."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from stonks_sandbox.alpaca.account import Account
from stonks_sandbox.world.actions import effective
from stonks_sandbox.world.protocol import Action, Rename, Split
from tests.sandbox.alpaca_served import KEYS, serve
from tests.sandbox.test_alpaca_scripted_world import NOON, Played, ScriptedWorld, bar
from tests.sandbox.test_alpaca_venue import Desk

DAY = date(2026, 3, 5)
MIDNIGHT = effective(Rename("AAA", DAY, "ZZZ"))
SECONDS = (MIDNIGHT - NOON).total_seconds()
FOUR = Split("AAA", DAY, Decimal(1), Decimal(4))
TENTH = Split("AAA", DAY, Decimal(10), Decimal(1))


def script(price: float = 100.0) -> ScriptedWorld:
    """Bars for three minutes before midnight and three after it, in old shares."""
    return ScriptedWorld({"AAA": [bar(MIDNIGHT + timedelta(seconds=5 * n), (price,) * 4) for n in range(-36, 36)]})


def desk(folder: Path, *actions: Action, qty: str = "10") -> Desk:
    """A desk that holds shares, three minutes before midnight."""
    played = Played(script(), actions)
    played.at(SECONDS - 180)
    made = Desk(played, folder)  # type: ignore[arg-type]
    made.take(qty=qty)
    played.at(SECONDS - 165)
    made.venue.settle()
    assert made.venue.book.qty("AAA") == Decimal(qty)
    return made


def to(made: Desk, seconds: float) -> None:
    made.world.at(SECONDS + seconds)
    made.venue.settle()


@pytest.mark.parametrize(("split", "after"), [(FOUR, "40"), (TENTH, "1")])
def test_a_split_changes_shares_and_neither_cost_nor_cash(tmp_path: Path, split: Split, after: str) -> None:
    made = desk(tmp_path, split)
    cash, cost = made.venue.book.cash, made.venue.book.holdings["AAA"].cost
    equity = Account(made.venue).equity()
    to(made, 6)
    book = made.venue.book
    assert (book.qty("AAA"), book.cash, book.holdings["AAA"].cost) == (Decimal(after), cash, cost)
    assert Account(made.venue).equity() == equity
    to(made, 12)
    assert made.venue.book == book, "once is enough"
    made.restart()
    assert made.venue.book == book


def test_shares_finer_than_a_billionth_are_gone(tmp_path: Path) -> None:
    made = desk(tmp_path, Split("AAA", DAY, Decimal(3), Decimal(1)), qty="1")
    to(made, 6)
    assert made.venue.book.qty("AAA") == Decimal("0.333333333")


def test_open_orders_keep_their_shares_and_prices(tmp_path: Path) -> None:
    """As Alpaca's paper accounts do: after a split of four a stop at 90 is far above a price of 25, and fires."""
    made = desk(tmp_path, FOUR)
    stop = made.take(side="sell", type="stop", stop_price="90", qty="10", time_in_force="gtc")
    to(made, 0)
    kept = made.state(stop)
    assert (kept.qty, kept.stop_price) == (10, 90)
    to(made, 6)
    assert made.state(stop).status == "filled"
    assert made.venue.book.qty("AAA") == 30


def test_a_sell_of_more_than_a_reverse_split_leaves_is_cancelled(tmp_path: Path) -> None:
    made = desk(tmp_path, TENTH)
    small = made.take(side="sell", type="limit", limit_price="2000", qty="1", time_in_force="gtc")
    large = made.take(side="sell", type="limit", limit_price="2000", qty="8", time_in_force="gtc")
    to(made, 6)
    assert (made.state(small).status, made.state(large).status) == ("new", "canceled")
    assert [c.event for c in made.events if c.order.id == large.id][-1] == "canceled"
    assert made.venue.book.qty("AAA") == 1


def test_what_fell_due_before_a_split_is_filled_in_old_shares(tmp_path: Path) -> None:
    """Nobody settled from before the order's fill until long after the split: the order of things stays."""
    made = desk(tmp_path, FOUR)
    more = made.take(qty="2")
    made.store.close()
    made.world.at(SECONDS + 60)
    made.open()
    assert made.state(more).filled_avg_price == pytest.approx(Decimal("100.05"), abs=Decimal("0.01"))
    assert made.venue.book.qty("AAA") == 48
    assert [e.qty for e in made.venue.executions] == [10, 2]


def test_a_rename_moves_the_position_and_ends_the_orders(tmp_path: Path) -> None:
    made = desk(tmp_path, Rename("AAA", DAY, "ZZZ"))
    resting = made.take(side="sell", type="limit", limit_price="150", qty="4", time_in_force="gtc")
    cost = made.venue.book.holdings["AAA"].cost
    to(made, 6)
    assert made.state(resting).status == "canceled"
    assert (made.venue.book.qty("AAA"), made.venue.book.qty("ZZZ")) == (0, 10)
    assert made.venue.book.holdings["ZZZ"].cost == cost
    assert "not found" in made.refusal(symbol="AAA", qty="1").body["message"]
    sold = made.take(symbol="ZZZ", side="sell", qty="10")
    to(made, 20)
    assert made.state(sold).status == "filled"
    made.restart()
    assert made.venue.book.holdings == {}


def test_the_past_equity_knows_the_shares_of_its_time(tmp_path: Path) -> None:
    made = desk(tmp_path, FOUR)
    before, after = MIDNIGHT - timedelta(seconds=30), MIDNIGHT + timedelta(seconds=30)
    to(made, 60)
    one, two = Account(made.venue).equity_at([before, after], 5)
    assert one == two


def test_the_market_data_tells_of_it_beforehand(tmp_path: Path) -> None:
    played = Played(script(), [FOUR, Rename("AAA", DAY + timedelta(days=1), "ZZZ")])
    played.at(SECONDS - 86_400)
    for running in serve(played, tmp_path, requests_per_minute=1000):  # type: ignore[arg-type]
        with httpx.Client(base_url=running.data, headers=KEYS) as client:

            def told(**params: str) -> dict[str, list[dict[str, object]]]:
                answer = client.get("/v1/corporate-actions", params=params).raise_for_status().json()
                return dict(answer["corporate_actions"])

            found = told(start="2026-03-01", end="2026-03-31")
            (split,), (change,) = found["forward_splits"], found["name_changes"]
            assert (split["symbol"], split["ex_date"], split["old_rate"], split["new_rate"]) == (
                "AAA",
                "2026-03-05",
                1,
                4,
            )
            assert (change["old_symbol"], change["new_symbol"]) == ("AAA", "ZZZ")
            assert told(start="2026-03-01", end="2026-03-04") == {}
            assert told(start="2026-03-01", end="2026-03-31", symbols="BBB") == {}
            assert list(told(start="2026-03-01", end="2026-03-31", types="name_change")) == ["name_changes"]
            page = client.get(
                "/v1/corporate-actions", params={"start": "2026-03-01", "end": "2026-03-31", "limit": "1"}
            )
            rest = told(start="2026-03-01", end="2026-03-31", page_token=page.json()["next_page_token"])
            assert list(rest) == ["name_changes"]
