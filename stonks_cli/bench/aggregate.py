"""Aggregation: signals of ninety days to five windows with evidence, beside the scan of the columns and beside peers.

The limit is `stream`: every column that any of them needs, of every row, read from the Delta table through the lake's
own reading in batches, and let go again. Each line is a process of its own; its CPU seconds are those of all its
threads, from before the first byte is read until the answer stands, imports left out. Limits and ours are the best of
`TURNS` processes that take turns: what a machine needs to find fresh memory is not theirs, and can be as much as all else.
`x scan` is a line's CPU divided by the limit's of the same size, and `x read` divided by that of `Lake.read`, which holds
the same columns in memory as one table. All answers are held against each other to 1e-9.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.aggregation.parts import ENCODED, company_parts
from stonks_assets.aggregation.trend_rows import SIGNAL_COLUMNS
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.trends_step import materialise_trends
from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.pipeline import Pipeline
from stonks_cli.bench.aggregate_peers import FIGURES, PEERS, Answer
from stonks_cli.bench.ground import ground
from stonks_cli.bench.made_signals import AS_OF, fill
from stonks_cli.bench.measuring import Cost, P, T, apart, machine, measured
from stonks_core.clock import ManualClock
from stonks_core.columns import floats
from stonks_core.errors import StonksError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.silver_tables import SIGNALS
from stonks_core.stores.lake.streaming import count_rows, stream
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database

CLOSED = AS_OF - timedelta(hours=18)
LOOPED = 100_000
"""Beyond so many signals the loop per company is left out: of a million it takes half a minute, and gigabytes."""
ALONE = 10_000
"""From so many signals on a line has a process of its own; fewer tell nothing about memory."""
TURNS, REPEATED = 5, 1_000_000
"""How often limits and ours are measured, up to so many signals."""
OPTIONAL = {"polars": "polars"}
CLOSE_ENOUGH = 1e-9
Row = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """How many signals, of how many companies: those of the growth, those of the peers, and that of the cycles."""

    growth: tuple[int, ...] = (100_000, 300_000, 1_000_000)
    peers: tuple[int, ...] = (100_000, 1_000_000)
    cycle: int = 1_000_000
    companies: int = 5000

    @property
    def full(self) -> "Sizes":
        """From 0.1 to 10 million; takes minutes."""
        return replace(self, growth=(100_000, 1_000_000, 10_000_000), peers=(100_000, 1_000_000, 10_000_000))


def run(sizes: Sizes) -> dict[str, object]:
    """Every figure, measured now."""
    found: dict[str, list[Row]] = {"growth": [], "peers": [], "cycles": []}
    with tempfile.TemporaryDirectory(prefix="stonks-bench-") as folder:
        for count in sorted({*sizes.growth, *sizes.peers, sizes.cycle}):
            place = str(Path(folder) / str(count))
            fill(Lake(LakeLocation(place)), count, sizes.companies)
            rows = list(_measured(place, count, peers=count in sizes.peers))
            if count in sizes.growth:
                found["growth"] += [row for row in rows if not str(row["what"]).startswith("peer")]
            if count in sizes.peers:
                found["peers"] += rows
        found["cycles"] = list(_cycles(Path(folder) / str(sizes.cycle)))
    missing = [
        {"what": package, "advice": f"pip install {package}"}
        for module, package in OPTIONAL.items()
        if find_spec(module) is None
    ]
    return {"machine": {**machine(), "companies": sizes.companies}, **found, "missing": missing}


def _measured(place: str, count: int, *, peers: bool) -> Iterator[Row]:
    alone = apart if count >= ALONE else _here
    scans, reads, costs = [], [], []
    for _ in range(TURNS if ALONE <= count <= REPEATED else 1):
        scans.append(alone(_limit, place)[1])
        reads.append(alone(_held, place)[1])
        ours, cost = alone(_answer, place, "ours")
        costs.append(cost)
    limits = (scan, read) = _best(scans), _best(reads)
    yield _row("limit: scan", count, scan, *limits)
    yield _row("limit: in memory", count, read, *limits)
    yield _row("ours", count, _best(costs), *limits)
    for name in PEERS if peers else ():
        looped = "loop" in name and count > LOOPED
        absent = any(package in name and find_spec(package) is None for package in OPTIONAL)
        if not looped and not absent:
            theirs, cost = alone(_answer, place, name)
            agree(ours, theirs, name)
            yield _row(name, count, cost, *limits)


def _best(costs: Sequence[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.cpu)


def _here(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


def _row(name: str, count: int, cost: Cost, scan: Cost, read: Cost) -> Row:
    over = {"scans": round(cost.cpu / scan.cpu, 2), "reads": round(cost.cpu / read.cpu, 2)}
    return {**cost.row(name, count), "cpu_us_each": round(1e6 * cost.cpu / count, 3), **over}


def _limit(place: str) -> tuple[int, Cost]:
    return measured(lambda: sum(batch.num_rows for batch in _batches(_lake(place))))


def _held(place: str) -> tuple[int, Cost]:
    lake = _lake(place)
    return measured(lambda: lake.read(SIGNALS, days=_days(), as_of=AS_OF, columns=SIGNAL_COLUMNS).num_rows)


def _answer(place: str, name: str) -> tuple[Answer, Cost]:
    """The answer and its cost, with whatever a library does at its first call done before."""
    lake = _lake(place)
    work: Callable[[], Answer] = partial(_ours, lake) if name == "ours" else partial(PEERS[name], lake, AS_OF, CLOSED)
    with tempfile.TemporaryDirectory(prefix="stonks-bench-") as folder:
        warm = Lake(LakeLocation(folder))
        fill(warm, 30, 3, days=2)
        _ours(warm) if name == "ours" else PEERS[name](warm, AS_OF, CLOSED)
    found, cost = measured(work)
    return (_named(found), cost) if name == "ours" else (found, cost)


def _ours(lake: Lake) -> Answer:
    """The pipeline's own path from the lake to trends and evidence."""
    trends, evidence = [], []
    for part in company_parts(_batches(lake), count_rows(lake, SIGNALS, _days())):
        found = aggregate(part, AS_OF, LayerWeights(), CLOSED)
        trends.append(found[0])
        evidence.append(found[1])
    return pa.concat_tables(trends), pa.concat_tables(evidence)


def _named(found: Answer) -> Answer:
    """The evidence with its trend's ticker and window."""
    trends, evidence = found
    names = trends.select(["trend_id", "ticker", "window"])
    return trends, evidence.select(["trend_id", "evidence_score"]).join(names, "trend_id")


def _batches(lake: Lake) -> Iterator[pa.RecordBatch]:
    return stream(lake, SIGNALS, columns=SIGNAL_COLUMNS, days=_days(), as_of=AS_OF, encoded=ENCODED)


def _lake(place: str) -> Lake:
    lake = Lake(LakeLocation(place))
    lake.ensure(SIGNALS)
    return lake


def _days() -> tuple[date, date]:
    return ((AS_OF - LONGEST).date() - timedelta(days=1), AS_OF.date())


def agree(ours: Answer, theirs: Answer, name: str) -> None:
    """Both have the same trends with the same figures, and evidence of the same scores."""
    for mine, other, columns in zip(ours, theirs, (FIGURES, ("evidence_score",)), strict=True):
        keys = ["ticker", "window", *(("evidence_score",) if columns == ("evidence_score",) else ())]
        left, right = (_sorted(table, keys) for table in (mine, other))
        if left.num_rows != right.num_rows or any(left[key] != right[key] for key in keys[:2]):
            raise StonksError(f"{name} found {right.num_rows} rows of {columns[0]}, and ours are {left.num_rows}")
        for column in columns:
            off = np.max(np.abs(floats(left, column) - floats(right, column)), initial=0.0)
            if not off <= CLOSE_ENOUGH:
                raise StonksError(f"{name} differs from ours by {off} in {column}")


def _sorted(table: pa.Table, keys: list[str]) -> pa.Table:
    plain = table.set_column(table.column_names.index("ticker"), "ticker", table["ticker"].cast(pa.string()))
    plain = plain.set_column(plain.column_names.index("window"), "window", plain["window"].cast(pa.string()))
    return plain.take(pc.sort_indices(plain, [(key, "ascending") for key in keys])).combine_chunks()


def _cycles(place: Path) -> Iterator[Row]:
    """What the trends' step costs in a cycle: at first, with nothing new, with a hundred new signals, and as a refresh."""
    with _pipeline(place) as pipeline:
        clock = iter(AS_OF + timedelta(seconds=15 * number) for number in range(1, 5))
        yield _cycle("the first", pipeline, next(clock))
        yield _cycle("nothing new", pipeline, next(clock))
        new = _new_signals(pipeline.lake, (at := next(clock)))
        pipeline.lake.merge(SIGNALS, new)
        yield _cycle(f"{new.num_rows} new signals", pipeline, at)
        yield _cycle("nothing new again", pipeline, next(clock))
        yield _cycle("all refreshed", pipeline, AS_OF + timedelta(minutes=20))


def _cycle(name: str, pipeline: Pipeline, at: datetime) -> Row:
    report, cost = measured(lambda: materialise_trends(pipeline, at.date(), at))
    return {
        **cost.row(name, 1),
        "due": report.figures["tickers_due"],
        "read": report.figures["signals"],
        "rows": sum(report.written.values()),
    }


def _new_signals(lake: Lake, at: datetime) -> pa.Table:
    """The last hundred signals again, as other stories that were published just now."""
    rows = lake.read(SIGNALS, days=((at - timedelta(days=2)).date(), at.date())).slice(0, 100).to_pylist()
    for number, row in enumerate(rows):
        told = {"published_at": at - timedelta(seconds=10), "available_at": at - timedelta(seconds=5)}
        row |= {"signal_id": f"new{number}", "cluster_id": f"new{number}", "day": at.date().isoformat(), **told}
    return pa.Table.from_pylist(rows, schema=SIGNALS.schema)


@contextmanager
def _pipeline(place: Path) -> Iterator[Pipeline]:
    with ground() as standing:
        name = f"aggregate_{os.getpid()}"
        ensure_database(standing.postgres, name)
        migrate(standing.postgres, name)
        settings = load_settings({"STONKS_HOME": str(standing.folder)})
        with Database(standing.postgres, name, application="bench") as database:
            yield Pipeline(settings, Lake(LakeLocation(str(place))), database, ManualClock(AS_OF))
