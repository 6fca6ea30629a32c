"""A table's rows held against what the table declares. Pure: rows in, a sentence with an example row out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stonks_core.stores.lake.tables import Column, Interval, LakeTable

UNIQUE_KEY = "unique_key"
DECLARED_SCHEMA = "declared_schema"
NO_NULLS = "no_nulls"
RANGES = "ranges"
WORDS = "words"
CLOCK_ORDER = "clock_order"
COLUMN_ORDER = "column_order"
PUBLISHED, AVAILABLE = "published_at", "available_at"
ROUNDING = 1e-9
"""How far a sum of floats may lie outside its interval."""
LONGEST_VALUE = 60
MOST_DAYS = 20


@dataclass(frozen=True)
class Finding:
    """What is wrong, as a sentence without its full stop, and in which days (ISO dates); nothing where a check holds."""

    problem: str = ""
    days: tuple[str, ...] = ()


HOLDS = Finding()


def row_checks(table: LakeTable) -> Mapping[str, str]:
    """The checks that a table's declarations give, each with what it promises."""
    checks = {
        UNIQUE_KEY: f"no two rows share day, {', '.join(table.key)}",
        DECLARED_SCHEMA: "columns are those of the registry",
        NO_NULLS: "no value is missing where one must be",
    }
    if _numbers(table):
        checks[RANGES] = "numbers are finite and within their declared ranges"
    if _vocabularies(table):
        checks[WORDS] = "words are those of their vocabulary"
    if _has_clocks(table):
        checks[CLOCK_ORDER] = f"{PUBLISHED} <= {AVAILABLE}"
    if table.ordered:
        checks[COLUMN_ORDER] = "; ".join(f"{less} <= {more}" for less, more in table.ordered)
    return checks


def columns_needed(table: LakeTable) -> list[str]:
    """The columns that `row_findings` looks at: no text and no payload, unless it is a key."""
    wanted = {"day", *table.key, *(c.name for c in (*_numbers(table), *_vocabularies(table)))}
    wanted |= {name for pair in table.ordered for name in pair}
    wanted |= {PUBLISHED, AVAILABLE} if _has_clocks(table) else set()
    return [name for name in table.schema.names if name in wanted]


def row_findings(table: LakeTable, rows: pa.Table) -> dict[str, Finding]:
    """What is wrong with each row by itself: ranges, words, and the order of clocks and columns, where declared."""
    found: dict[str, list[Breach]] = {name: [] for name in row_checks(table)}
    del found[UNIQUE_KEY], found[DECLARED_SCHEMA], found[NO_NULLS]
    for column in _numbers(table):
        found[RANGES] += _out_of_range(table, rows, column)
    for column in _vocabularies(table):
        wrong = pc.invert(pc.is_in(rows[column.name], value_set=pa.array(column.among, pa.string())))
        strange = pc.and_(pc.is_valid(rows[column.name]), wrong)
        found[WORDS] += _breaches(
            table, rows, strange, f"{column.name} is none of {_listed(column.among)}", column.name
        )
    pairs = [(COLUMN_ORDER, pair) for pair in table.ordered]
    pairs += [(CLOCK_ORDER, (PUBLISHED, AVAILABLE))] if _has_clocks(table) else []
    for check, (less, more) in pairs:
        wrong = pc.greater(rows[less], rows[more])
        found[check] += _breaches(table, rows, wrong, f"{less} is more than {more}", less, more)
    return {name: finding(table, breaches) for name, breaches in found.items()}


def null_finding(table: LakeTable, rows: pa.Table) -> Finding:
    """Values that are missing in the columns at hand, where the table allows no null."""
    required = [c.name for c in table.columns if not c.nullable and c.name in rows.column_names]
    return finding(
        table,
        [b for name in required for b in _breaches(table, rows, pc.is_null(rows[name]), f"{name} is missing", name)],
    )


def duplicate_finding(table: LakeTable, keys: pa.Table) -> Finding:
    """Keys that stand more than once; `keys` holds day and key of every row."""
    groups = keys.group_by(["day", *table.key]).aggregate([([], "count_all")])
    repeated = groups.filter(pc.greater(groups["count_all"], 1))
    if repeated.num_rows == 0:
        return HOLDS
    breach = Breach(
        f"{repeated.num_rows} keys of {table.name} stand more than once, such as {_example(table, repeated, ())}",
        _days(repeated),
    )
    return finding(table, [breach])


def schema_finding(table: LakeTable, held: pa.Schema) -> Finding:
    """Where the table's columns are not those of the registry."""
    wanted = {f.name: _comparable(f.type) for f in table.schema}
    found = {f.name: _comparable(f.type) for f in held}
    wrong = [f"lacks {name}" for name in wanted if name not in found]
    wrong += [f"has {name}, which the registry does not know" for name in found if name not in wanted]
    wrong += [
        f"has {name} as {found[name]} instead of {kind}"
        for name, kind in wanted.items()
        if name in found and found[name] != kind
    ]
    return (
        Finding(f"{table.name} {', '.join(wrong)}: use the release that wrote it, or move it away") if wrong else HOLDS
    )


def missing_finding(table: LakeTable, column: str, rows: pa.Table, known: pa.Array, elsewhere: str) -> Finding:
    """Rows whose value of a column is none of those known elsewhere, such as `trend_history.trend_id`."""
    wrong = pc.invert(pc.is_in(rows[column], value_set=known))
    return finding(table, _breaches(table, rows, wrong, f"{column} has no row in {elsewhere}", column))


@dataclass(frozen=True)
class Breach:
    """One declaration that some rows break: the sentence, and the days of those rows."""

    sentence: str
    days: tuple[str, ...]


def finding(table: LakeTable, found: Iterable[Breach]) -> Finding:
    """The breaches of one check as one finding, with what to do."""
    breaches = list(found)
    if not breaches:
        return HOLDS
    days = tuple(sorted({day for breach in breaches for day in breach.days}))
    what = "; ".join(breach.sentence for breach in breaches)
    where = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return Finding(
        f"{what}: mend the stage {table.owner}, then delete those rows and materialise {where} of {table.name} again",
        days[-MOST_DAYS:],
    )


def _out_of_range(table: LakeTable, rows: pa.Table, column: Column) -> list[Breach]:
    values, there = rows[column.name], pc.is_valid(rows[column.name])
    breaches: list[Breach] = []
    if pa.types.is_floating(column.type):
        strange = pc.and_(there, pc.invert(pc.is_finite(values)))
        breaches += _breaches(table, rows, strange, f"{column.name} is no finite number", column.name)
    if column.within is not None:
        outside = pc.and_(there, _outside(values, column.within, real=pa.types.is_floating(column.type)))
        breaches += _breaches(table, rows, outside, f"{column.name} is not {_worded(column.within)}", column.name)
    return breaches


def _outside(values: pa.ChunkedArray, interval: Interval, *, real: bool) -> pa.ChunkedArray:
    """Which finite values lie outside; null where a value is."""
    finite = pc.is_finite(values)
    slack = ROUNDING if real else 0
    low = pc.less_equal(values, interval.low) if interval.above else pc.less(values, interval.low - slack)
    return pc.and_(finite, pc.or_(low, pc.greater(values, interval.high + slack)))


def _worded(interval: Interval) -> str:
    text = str(interval)
    return f"within {text}" if text.startswith("[") else text


def _breaches(table: LakeTable, rows: pa.Table, wrong: Any, what: str, *shown: str) -> Iterator[Breach]:
    mask = pc.fill_null(wrong, fill_value=False)
    count = pc.sum(mask).as_py() or 0
    if count:
        bad = rows.filter(mask)
        subject = f"in {count} rows of {table.name}" if count > 1 else f"in a row of {table.name}"
        yield Breach(f"{subject} {what}, such as {_example(table, bad, shown)}", _days(bad))


def _example(table: LakeTable, rows: pa.Table, shown: Sequence[str]) -> str:
    """The first row by day and key, so that the same rows always give the same sentence."""
    keys = [name for name in ("day", *table.key) if name in rows.column_names]
    row = rows.select(list(dict.fromkeys((*shown, *keys)))).sort_by([(name, "ascending") for name in keys])
    values = row.slice(0, 1).to_pylist()[0]
    return ", ".join(f"{name} {_said(value)}" for name, value in values.items())


def _said(value: object) -> str:
    text = str(value) if not isinstance(value, str) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _listed(words: Sequence[str]) -> str:
    few = [word or "empty" for word in words[:4]]
    return ", ".join(few) + (f" and {len(words) - 4} more" if len(words) > 4 else "")


def _days(rows: pa.Table) -> tuple[str, ...]:
    return tuple(sorted(day for day in pc.unique(rows["day"]).to_pylist() if day is not None))


def _numbers(table: LakeTable) -> list[Column]:
    return [c for c in table.columns if pa.types.is_floating(c.type) or c.within is not None]


def _vocabularies(table: LakeTable) -> list[Column]:
    return [c for c in table.columns if c.among]


def _has_clocks(table: LakeTable) -> bool:
    return {PUBLISHED, AVAILABLE} <= {c.name for c in table.columns}


def _comparable(kind: pa.DataType) -> str:
    return str(kind).replace("large_", "").replace("_view", "")
