"""Ingestion as a function that a process of its own runs, and in which it stops for good at a chosen moment.

`python -m pytest` forks these processes from a server that has imported this module, so that killing many costs little.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest

from stonks_assets.ingestion import step
from stonks_assets.ingestion.step import ingest
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.arriving import Rows
from stonks_core.stores.lake.lake import Lake, Written
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Connection, Database
from stonks_core.vocabulary import SourceType
from tests.faults.passing import Passing, hurried

TYPES = (SourceType.NEWS_API, SourceType.FILINGS_API, SourceType.MACRO_NEWS)
BATCH = 5


class Moment(StrEnum):
    """Where a process may die; the last is the proxy's to see."""

    COMMITTING = "before a commit to the lake"
    COMMITTED = "after a commit to the lake, before anything knows of it"
    BOOKED = "after a transaction"
    ARRIVED = "while a question is on its way"


class Stop:
    """Stops the process for good at the n-th time of a moment, and says so."""

    def __init__(self, told: Pipe, moment: Moment, number: int) -> None:
        self._told, self._moment, self._number = told, moment, number
        self._seen: Counter[Moment] = Counter()

    def __call__(self, moment: Moment) -> None:
        self._seen[moment] += 1
        if moment is self._moment and self._seen[moment] == self._number:
            self._told.send(moment.value)
            threading.Event().wait()


class StoppingLake(Lake):
    """A lake that may stop before and after each commit of rows."""

    def __init__(self, location: LakeLocation, stop: Stop) -> None:
        super().__init__(location)
        self._stop = stop

    def append(self, table: LakeTable, rows: Rows) -> Written:
        self._stop(Moment.COMMITTING)
        written = super().append(table, rows)
        self._stop(Moment.COMMITTED)
        return written


class StoppingDatabase(Database):
    """A database that may stop after each transaction."""

    def __init__(self, postgres: Postgres, name: str, stop: Stop) -> None:
        super().__init__(postgres, name, application="dying")
        self._stop = stop

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with super().connection() as connection:
            yield connection
        self._stop(Moment.BOOKED)


def run_ingest(
    told: Pipe, home: Path, database: str, variables: Mapping[str, str], as_of: datetime, moment: Moment, number: int
) -> None:
    """Ingest a day in small batches; `database` is the name of a migrated one, `variables` make the settings."""
    settings, stop = load_settings(variables), Stop(told, moment, number)
    step.BATCH_ITEMS = BATCH
    with StoppingDatabase(settings.postgres, database, stop) as opened:
        hurried(pytest.MonkeyPatch(), Passing(opened))
        pipeline = Pipeline(settings, StoppingLake(LakeLocation(str(home / "lake")), stop), opened, ManualClock(as_of))
        for source_type in TYPES:
            ingest(pipeline, source_type, as_of.date(), as_of)
    told.send("done")
