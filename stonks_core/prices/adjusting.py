"""Bars as of an instant: one feed a day, splits taken out of the prices, dividends put back into the returns. Pure.

Bars are stored as traded. A split counts once its ex-date has come and it was known; prices before it are divided by
its ratio and volumes multiplied, so that a whole series is in the scale in which shares trade at `as_of`. A dividend
leaves prices alone and is put back into `total_return`, the series that returns are taken from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.stores.lake.tables import UTC_MICROS

DAILY = "1d"
SNAPSHOT = "snapshot"
SPLIT = "split"
DIVIDEND = "dividend"
FEEDS = ("sip", "polygon", "polygon_delayed", "iex", "sandbox")
"""Feeds, the preferred one first; any other comes last, by name."""
PROVIDERS = ("polygon", "alpaca", "sandbox")
"""Who lists corporate actions, the preferred one first: two vendors name the same action by ids of their own."""
TOTAL_RETURN = "total_return"
PRICES = ("open", "high", "low", "close")

Floats = npt.NDArray[np.float64]


def effective(ex_date: str) -> datetime:
    """The instant from which a split counts: 00:00 UTC of its ex-date (ISO), after one session and before the next."""
    return datetime.combine(date.fromisoformat(ex_date), time(), UTC)


@dataclass(frozen=True)
class Split:
    """`ratio` new shares for each old one from `ex_date` (ISO) on: 10 for a 10:1 split, 0.1 for a reverse one."""

    ex_date: str
    ratio: float


@dataclass(frozen=True)
class Dividend:
    """Dollars a share, in the shares of `ex_date` (ISO)."""

    ex_date: str
    amount: float


@dataclass(frozen=True)
class Actions:
    """One ticker's splits and dividends that count at an instant, by ex-date."""

    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()

    def ratio_after(self, day: str) -> float:
        """How many of today's shares one share of the end of that day has become."""
        return float(np.prod([split.ratio for split in self.splits if split.ex_date > day]))


def known_bars(bars: pa.Table, as_of: datetime) -> pa.Table:
    """The bars that could be used at `as_of`, of one feed per ticker, span and day, by ticker and end.

    `bars` has columns of the lake table of market snapshots, `day`, `ticker`, `span`, `feed`, `end_at`, `close` and
    `available_at` among them; bars without a positive close are left out.
    """
    at = pa.scalar(as_of, UTC_MICROS)
    bars = bars.filter((pc.field("available_at") <= at) & (pc.field("close") > 0)).combine_chunks()
    names = sorted(set(pc.unique(bars["feed"]).to_pylist()), key=_preference(FEEDS))
    if len(names) > 1:
        rank = pc.cast(pc.index_in(bars["feed"], value_set=pa.array(names, pa.string())), pa.int64())
        best = _least_per_group(bars.select(["ticker", "span", "day"]), rank)
        bars = bars.filter(pa.array(best))
    return bars.sort_by([("ticker", "ascending"), ("end_at", "ascending"), ("span", "ascending")])


def _least_per_group(keys: pa.Table, rank: pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows hold the least rank of their group."""
    frame = keys.to_pandas()
    frame["rank"] = np.asarray(rank.to_numpy(zero_copy_only=False))
    least = frame.groupby(list(keys.column_names), sort=False)["rank"].transform("min")
    return np.asarray(frame["rank"] == least, dtype=np.bool_)


def known_actions(actions: pa.Table, as_of: datetime) -> Mapping[str, Actions]:
    """Each ticker's actions that were known at `as_of` and whose ex-date had come by its UTC date.

    Where a vendor corrected an action the newest terms known by then count; of several vendors that list actions of a
    kind for one ex-date, one speaks. Dividends in another currency than dollars are left out.
    """
    at, today = pa.scalar(as_of, UTC_MICROS), as_of.date().isoformat()
    rows = actions.filter((pc.field("available_at") <= at) & (pc.field("ex_date") <= today)).to_pylist()
    spoken: dict[tuple[str, str, str], str] = {}
    for row in rows:
        group = (row["ticker"], row["kind"], row["ex_date"])
        spoken[group] = min(spoken.get(group, row["provider"]), row["provider"], key=_preference(PROVIDERS))
    newest: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["available_at"], row["terms"])):
        group = (row["ticker"], row["kind"], row["ex_date"])
        if row["provider"] == spoken[group]:
            newest[*group, row["action_id"]] = row
    found: dict[str, list[dict[str, Any]]] = {}
    for key in sorted(newest):
        found.setdefault(key[0], []).append(newest[key])
    return {ticker: _actions(rows) for ticker, rows in found.items()}


def _actions(rows: Sequence[Mapping[str, Any]]) -> Actions:
    ordered = sorted(rows, key=lambda row: str(row["ex_date"]))
    return Actions(
        tuple(Split(r["ex_date"], r["split_to"] / r["split_from"]) for r in ordered if r["kind"] == SPLIT),
        tuple(
            Dividend(r["ex_date"], r["cash_amount"])
            for r in ordered
            if r["kind"] == DIVIDEND and r["currency"] in (None, "", "USD")
        ),
    )


def adjusted(bars: pa.Table, actions: pa.Table, as_of: datetime) -> pa.Table:
    """Bars as stored in the scale of `as_of`, with the column `total_return` beside them; see the module's head.

    `total_return` ends at the last close and carries each dividend as bought back at the close of its ex-date, so that
    the ratio of two of its values less 1 is (close + dividend) / previous close - 1 over a single session.
    """
    bars = known_bars(bars, as_of)
    columns = {name: _floats(bars, name) for name in (*PRICES, "volume") if name in bars.column_names}
    columns[TOTAL_RETURN] = columns["close"].copy()
    days, daily = _texts(bars, "day"), _texts(bars, "span") == DAILY
    tickers = _texts(bars, "ticker")
    for ticker, own in known_actions(actions, as_of).items():
        first, last = (int(np.searchsorted(tickers, ticker, side=side)) for side in ("left", "right"))
        if first < last:
            rows = slice(first, last)
            _adjust({name: column[rows] for name, column in columns.items()}, days[rows], daily[rows], own)
    for name, column in columns.items():
        place = bars.schema.get_field_index(name)
        values = pa.array(column, pa.float64())
        bars = bars.append_column(name, values) if place < 0 else bars.set_column(place, name, values)
    return bars


def _adjust(part: Mapping[str, Floats], days: npt.NDArray[Any], daily: npt.NDArray[np.bool_], own: Actions) -> None:
    """One ticker's columns, changed where they stand."""
    for split in own.splits:
        before = days < split.ex_date
        for name in part:
            if name == "volume":
                part[name][before] *= split.ratio
            else:
                part[name][before] /= split.ratio
    for dividend in own.dividends:
        later = np.flatnonzero(days >= dividend.ex_date)
        if later.size == 0:
            continue
        same = later[days[later] == days[later[0]]]
        finished = same[daily[same]]
        base = part["close"][finished[-1] if finished.size else same[-1]]
        amount = dividend.amount / own.ratio_after(dividend.ex_date)
        part[TOTAL_RETURN][: later[0]] /= 1.0 + amount / base


def in_todays_shares(quantity: Decimal, price: Decimal, traded_on: str, own: Actions) -> tuple[Decimal, Decimal]:
    """A fill of a day (ISO) in today's shares: their number and the dollars for each; its value stays what it was."""
    ratio = Decimal(str(own.ratio_after(traded_on)))
    return (quantity, price) if ratio == 1 else (quantity * ratio, price / ratio)


def _preference(order: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    return lambda name: (order.index(name) if name in order else len(order), name)


def _floats(table: pa.Table, name: str) -> Floats:
    return np.array(table[name].to_numpy(), dtype=np.float64)


def _texts(table: pa.Table, name: str) -> npt.NDArray[Any]:
    return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=object)
