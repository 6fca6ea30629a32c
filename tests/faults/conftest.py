"""A synthetic day that was played without faults, once, and what it takes to play it again with some."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from tests.acceptance.stage import fresh_database, sandbox
from tests.faults.passing import Passing, hurried
from tests.faults.plan import calm
from tests.faults.playing import DOCUMENTS, Item, instant, play, stored, through
from tests.faults.proxy import Proxy, proxy_before

DAY = date(2026, 3, 4)
HOURS = (1, 6, 11, 15, 19, 22)
FILERS = 8
Fresh = Callable[[], AbstractContextManager[Database]]


@dataclass(frozen=True)
class Calm:
    """The source behind its proxy, and what a day without faults brought."""

    proxy: Proxy
    passing: Passing
    held: Mapping[Item, bytes]


@pytest.fixture(scope="package")
def passing() -> Iterator[Passing]:
    """Time that passes when somebody waits."""
    passed = Passing()
    with pytest.MonkeyPatch.context() as patch:
        hurried(patch, passed)
        yield passed


@pytest.fixture(scope="package")
def proxy(passing: Passing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy before the synthetic world at the beginning of the day."""
    state = tmp_path_factory.mktemp("faults") / "state"
    with sandbox(state, instant(DAY, 0, 1)) as running, proxy_before(running.url, passing.now) as standing:
        yield standing


@pytest.fixture(scope="package")
def fresh(
    postgres: Postgres, template: str, proxy: Proxy, passing: Passing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fresh]:
    """Makes fresh databases that know the companies, a few of which file."""
    with fresh_database(postgres, template) as database:
        passing.database = database
        with through(proxy, tmp_path_factory.mktemp("known"), database, instant(DAY, 0, 1)):
            pass  # opening it is enough
        database.execute(
            "UPDATE companies SET cik = NULL WHERE ticker NOT IN (SELECT ticker FROM companies ORDER BY ticker LIMIT %s)",
            (FILERS,),
        )
        database.execute("TRUNCATE rate_limits")
        database.close()
        yield lambda: fresh_database(postgres, database.name)


@pytest.fixture(scope="package")
def quiet(proxy: Proxy, passing: Passing, fresh: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """The day without faults."""
    with fresh() as database:
        player = play(proxy, passing, tmp_path_factory.mktemp("quiet"), database, calm(), DAY, HOURS)
        return Calm(proxy, passing, stored(player.pipeline, DOCUMENTS))
