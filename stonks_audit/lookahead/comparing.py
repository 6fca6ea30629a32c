"""Two computations of one instant, row by row."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from stonks_audit.lookahead.plants import is_planted
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable

IGNORED = frozenset({"input_versions"})
"""Versions of tables: two lakes that hold the same rows may have come to them by another number of commits."""
Row = dict[str, Any]
Rows = Mapping[tuple[str, ...], Row]


@dataclass(frozen=True)
class Leak:
    """One column of one derived row that is another one when more is there than was known; or a row too many or few.

    `against` is what the truncated lake was held against; `truncated` and `found` are the column's two values.
    """

    asset: str
    as_of: datetime
    against: str
    ticker: str
    key: str
    column: str
    truncated: Any
    found: Any


def rows_of(lake: Lake, table: LakeTable, days: tuple[date, date]) -> Rows:
    """A table's rows of some days by key, plants left out."""
    columns = [name for name in table.schema.names if name not in IGNORED and name != "fingerprint"]
    found = lake.read(table, days=days, columns=columns).to_pylist()
    return {tuple(str(row[name]) for name in ("day", *table.key)): row for row in found if not is_planted(row)}


def leaks(
    asset: str, as_of: datetime, against: str, truncated: Rows, found: Rows, tickers: Collection[str]
) -> Iterator[Leak]:
    """Every difference between two computations, of some companies or all."""
    for key in sorted({*truncated, *found}):
        ours, theirs = truncated.get(key), found.get(key)
        ticker = str((ours or theirs or {}).get("ticker", ""))
        if tickers and ticker and ticker not in tickers:
            continue
        named = "/".join(key)
        if ours is None or theirs is None:
            sides = {"truncated": None if ours is None else "a row", "found": None if theirs is None else "a row"}
            yield Leak(asset, as_of, against, ticker, named, "", **sides)
            continue
        for column, value in ours.items():
            if _bits(value) != _bits(theirs[column]):
                yield Leak(asset, as_of, against, ticker, named, column, value, theirs[column])


def known_later(asset: str, table: LakeTable, lake: Lake, at: datetime, against: str) -> Iterator[Leak]:
    """Derived rows, plants included, that were known only after the instant that they were computed for."""
    column = str(table.knowledge)
    names = [name for name in ("day", *table.key, "ticker", column) if name in table.schema.names]
    later = ds.field(column) > pa.scalar(at, UTC_MICROS)
    for row in lake.read(table, columns=list(dict.fromkeys(names)), where=later).to_pylist():
        key = "/".join(str(row[name]) for name in ("day", *table.key))
        yield Leak(asset, at, against, str(row.get("ticker", "")), key, column, "nothing known later", row[column])


def changed_tickers(truncated: Rows, found: Rows) -> frozenset[str]:
    """The companies with any row that is another one."""
    differing = (key for key in {*truncated, *found} if truncated.get(key) != found.get(key))
    return frozenset(str((truncated.get(key) or found.get(key) or {})["ticker"]) for key in differing)


def by_asset(found: Iterable[Leak], compared: Mapping[str, int]) -> Sequence[dict[str, Any]]:
    """How many rows of each asset were compared, how many leaks it has, and where the first one is."""
    held: dict[str, list[Leak]] = {asset: [] for asset in compared}
    for leak in found:
        held.setdefault(leak.asset, []).append(leak)
    return [
        {
            "asset": asset,
            "compared": compared.get(asset, 0),
            "leaks": len(of_it),
            "first": f"{of_it[0].key} {of_it[0].column}".strip() if of_it else "",
        }
        for asset, of_it in held.items()
    ]


def _bits(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value
