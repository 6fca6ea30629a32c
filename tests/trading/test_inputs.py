"""What trading reads of recommendations, and the statistics of bars that are worked out once."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable
from stonks_trading.history import DailyBar, History
from stonks_trading.inputs import Recommendations
from tests.assets.automation_stage import filled
from tests.trading.bench import at

NOW = at(15)


class Watched(Lake):
    """The real lake, and which pieces were read."""

    read_pieces: list[str]

    def pieces(
        self, table: LakeTable, days: tuple[date, date], known: Collection[str], columns: Sequence[str]
    ) -> Iterator[tuple[str, pa.Table | None]]:
        for name, rows in super().pieces(table, days, known, columns):
            if rows is not None:
                self.read_pieces.append(name)
            yield name, rows


@pytest.fixture
def watched(lake: Lake) -> Watched:
    found = Watched(lake.location)
    found.read_pieces = []
    return found


def recommend(lake: Lake, name: str, **changes: object) -> None:
    row = filled(
        RECOMMENDATIONS,
        day=NOW.date().isoformat(),
        recommendation_id=name,
        ticker="ACME",
        window="7d",
        action="buy",
        mode="paper_eligible",
        as_of=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
        reference_price=12.5,
    )
    lake.merge(RECOMMENDATIONS, [row | changes])


def names(found: Sequence[object]) -> set[str]:
    return {r.recommendation_id for r in found}  # type: ignore[attr-defined]


def test_what_was_known_and_has_not_expired_is_there_and_each_file_is_read_once(lake: Lake, watched: Watched) -> None:
    recommend(lake, "a")
    recommend(lake, "b", expires_at=NOW)
    recommend(lake, "later", as_of=NOW + timedelta(seconds=1))
    old = NOW - timedelta(days=60)
    recommend(lake, "c", day=old.date().isoformat(), as_of=old)
    asked = Recommendations(watched)
    (a,) = asked.at(NOW)
    assert (a.recommendation_id, a.reference_price) == ("a", Decimal("12.5"))
    assert names(asked.at(NOW + timedelta(seconds=1))) == {"a", "later"}
    assert len(watched.read_pieces) == 3
    recommend(lake, "d")
    assert names(asked.at(NOW)) == {"a", "d"}
    assert len(watched.read_pieces) == 4


def test_what_is_taken_out_of_the_lake_is_gone_and_what_is_put_together_stays(lake: Lake, watched: Watched) -> None:
    for name in "abc":
        recommend(lake, name)
    asked = Recommendations(watched)
    assert names(asked.at(NOW)) == set("abc")
    lake.delete(RECOMMENDATIONS, f"day = '{NOW.date().isoformat()}' AND recommendation_id IN ('b')")
    assert names(asked.at(NOW)) == set("ac")
    lake.ensure(RECOMMENDATIONS).optimize.compact()
    assert names(asked.at(NOW)) == set("ac")
    assert names(Recommendations(watched).at(NOW)) == set("ac")


def history(**closes: Sequence[float]) -> History:
    first = NOW - timedelta(days=400)
    return History(
        {
            ticker: [DailyBar(first + timedelta(days=n), close + 1, close - 1, close) for n, close in enumerate(own)]
            for ticker, own in closes.items()
        }
    )


def test_statistics_are_those_of_the_bars_and_symmetric() -> None:
    rng = np.random.default_rng(3)
    walks = {name: list(100 * np.exp(np.cumsum(rng.normal(0, 0.02, 80)))) for name in ("AAA", "BBB")}
    found = history(**walks)
    one, other = (np.diff(walks[name])[-60:] / np.array(walks[name])[-61:-1] for name in ("AAA", "BBB"))
    assert found.correlation("AAA", "BBB") == pytest.approx(float(np.corrcoef(one, other)[0, 1]))
    assert found.correlation("BBB", "AAA") == found.correlation("AAA", "BBB")
    logs = np.diff(np.log(walks["AAA"][-21:]))
    assert found.volatility("AAA") == pytest.approx(float(np.std(logs, ddof=1)) * np.sqrt(252))
    assert found.market_volatility() == pytest.approx(
        np.median([found.volatility("AAA") or 0, found.volatility("BBB") or 0])
    )
    assert found.volatility("ZZZ") is found.atr("ZZZ") is found.correlation("AAA", "ZZZ") is None


def test_the_benchmark_speaks_for_the_market_where_it_has_bars() -> None:
    rng = np.random.default_rng(4)
    calm, wild = (list(100 * np.exp(np.cumsum(rng.normal(0, s, 30)))) for s in (0.001, 0.1))
    assert history(SPY=calm, AAA=wild).market_volatility() == history(SPY=calm).volatility("SPY")
    assert (history(AAA=wild).market_volatility() or 0) > 0.5
