"""A synthetic day that was played without faults, once, and what it takes to play it again with some."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from tests.acceptance.stage import fresh_database, sandbox
from tests.faults.passing import Passing
from tests.faults.plan import calm
from tests.faults.playing import Item, Script, instant, play, stored, through
from tests.faults.proxy import Proxy, proxy_before

DAY = date(2026, 3, 4)
FILERS = 8
Fresh = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class Source:
    """A source behind its proxy, and fresh databases that know its companies."""

    proxy: Proxy
    passing: Passing
    fresh: Fresh


@dataclass(frozen=True)
class Calm:
    """A source, and what a script without faults brought from it."""

    source: Source
    script: Script
    held: Mapping[Item, bytes]


@pytest.fixture(scope="package")
def passing() -> Passing:
    """Time that passes when somebody waits."""
    return Passing()


@contextmanager
def source(
    folder: Path, first: date, passing: Passing, postgres: Postgres, template: str, recorded: Path | None = None
) -> Iterator[Source]:
    """The synthetic world, or a recorded one, at the beginning of a day; a few of its companies file."""
    start = instant(first, 0, 1)
    folder.mkdir(exist_ok=True)
    with (
        sandbox(folder / "state", start, recorded=recorded) as running,
        proxy_before(running.url, passing.now) as proxy,
        fresh_database(postgres, template) as known,
    ):
        with through(proxy, passing, folder, known, start):
            pass  # opening it is enough
        known.execute(
            "UPDATE companies SET cik = NULL WHERE ticker NOT IN (SELECT ticker FROM companies WHERE cik IS NOT NULL "
            "ORDER BY ticker LIMIT %s)",
            (FILERS,),
        )
        known.execute("TRUNCATE rate_limits")
        known.close()
        yield Source(proxy, passing, lambda: fresh_database(postgres, known.name))


def undisturbed(folder: Path, over: Source, script: Script, **more: str) -> Calm:
    """Play a script without faults."""
    with over.fresh() as database:
        player = play(over.proxy, over.passing, folder, database, calm(), script, **more)
        return Calm(over, script, stored(player.pipeline, script.types))


@pytest.fixture(scope="package")
def quiet(
    passing: Passing, postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Calm]:
    """A synthetic day, with Polygon's news, without faults."""
    with source(tmp_path_factory.mktemp("source"), DAY, passing, postgres, template) as over:
        yield undisturbed(tmp_path_factory.mktemp("quiet"), over, Script((DAY,)))
