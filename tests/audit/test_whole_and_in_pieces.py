"""Two runs over the same days give the same bytes: one whole, one in pieces, killed again and again, each instant twice.

What necessarily differs is `input_versions`, the numbers of the commits that a row was read from; all else is compared.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from deltalake import DeltaTable

from stonks_assets.extraction.macro_step import materialise_macro_impacts
from stonks_audit.recompute import canonical
from stonks_core.clock import ManualClock
from stonks_core.identifiers import sha256_text
from stonks_core.stores.lake import gold_tables, silver_tables
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from tests.audit.conftest import NOW, STEPS, World, priced, registered, world_over

T = TypeVar("T")
TABLES = (
    *(silver_tables.MACRO_IMPACTS, silver_tables.COMPETITIVE_SIGNALS, silver_tables.SIGNALS),
    *(gold_tables.TREND_WINDOWS, gold_tables.TREND_HISTORY, gold_tables.TREND_EVIDENCE, gold_tables.TREND_PROJECTIONS),
    *(gold_tables.RECOMMENDATIONS, gold_tables.RECOMMENDATION_EVIDENCE),
)
INSTANTS = (NOW - timedelta(days=1), NOW - timedelta(minutes=20), NOW)
ALL_STEPS = (materialise_macro_impacts, *STEPS)
STORIES = (("a0", 30, 0.9), ("a1", 9, 0.8), ("a2", 3, 0.7), ("a3", 2, -0.6), ("a4", 0.5, 0.5))
KILLS = 8


class Killed(BaseException):
    """The process is gone."""


class Mortal(Lake):
    """A lake whose process dies before or after its next commit but some."""

    def __init__(self, lake: Lake, lives: int, after: bool) -> None:
        super().__init__(lake.location)
        self._lives, self._after = lives, after

    def _committed(self, table: LakeTable, operation: Callable[[DeltaTable], T]) -> T:
        self._lives -= 1
        if self._lives == 0 and not self._after:
            raise Killed
        done = super()._committed(table, operation)
        if self._lives == 0:
            raise Killed
        return done


def tell(world: World, first: float, last: float) -> None:
    """The stories and the storm that were published between so many hours ago."""
    for name, hours, sentiment in STORIES:
        if last <= hours < first:
            world.tell(name, NOW - timedelta(hours=hours), sentiment)
    if last <= 4 < first:
        world.happen("storm", NOW - timedelta(hours=4))


def whole(lake: Lake, database: Database) -> World:
    """Everything there at once, each instant computed once."""
    world = world_over(lake, database)
    tell(world, 99, 0)
    for at in INSTANTS:
        for step in ALL_STEPS:
            step(world.pipeline, at.date(), at)
    return world


def in_pieces(lake: Lake, database: Database) -> tuple[World, int]:
    """Stories come as they are published; processes die, are started anew, and do what was done once more."""
    chance = random.Random(20260310)
    world, kills, told = world_over(lake, database), 0, 99.0
    for at in INSTANTS:
        hours = (NOW - at) / timedelta(hours=1)
        tell(world, told, hours)
        told = hours
        for repeat in range(2):
            unkillable = repeat == 1
            while not _cycle(world, at, 99 if unkillable or kills >= KILLS else chance.randint(1, 5), chance):
                kills += 1
    return world, kills


def _cycle(world: World, at: datetime, lives: int, chance: random.Random) -> bool:
    lake = Mortal(Lake(world.lake.location), lives, chance.random() < 0.5)
    pipeline = replace(world.pipeline, lake=lake, clock=ManualClock(NOW))
    try:
        for step in ALL_STEPS:
            step(pipeline, at.date(), at)
    except Killed:
        return False
    return True


def digests(lake: Lake) -> dict[str, str]:
    """By table: the hash of its rows' canonical bytes."""
    found = {}
    for table in TABLES:
        columns = [name for name in table.schema.names if name != "input_versions"]
        rows = lake.read(table, columns=columns).to_pylist()
        keyed = {(table.name, "/".join(str(row[name]) for name in ("day", *table.key))): row for row in rows}
        assert len(keyed) == len(rows) > 0, table.name
        found[table.name] = sha256_text(canonical(keyed))
    return found


def test_the_bytes_are_the_same(lake: Lake, database: Database) -> None:
    registered(database)
    other = Lake(replace(lake.location, root=f"{lake.location.root}-in-pieces"))
    for one in (lake, other):
        priced(one)
    first = digests(whole(lake, database).lake)
    database.execute("DELETE FROM pipeline_control")
    pieces, kills = in_pieces(other, database)
    assert kills == KILLS
    assert digests(pieces.lake) == first
