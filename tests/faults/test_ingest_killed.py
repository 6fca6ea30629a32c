"""SIGKILL at moments all over an ingestion: between question and answer, around commits. Run again, nothing is lost."""

import multiprocessing
import random
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.postgres import Database
from tests.faults.conftest import DAY, Calm
from tests.faults.dying import TYPES, Moment, run_ingest
from tests.faults.plan import calm
from tests.faults.playing import addresses, last_of, stored_in
from tests.faults.proxy import Proxy

SEED = 20260304
LATEST = {Moment.COMMITTING: 2, Moment.COMMITTED: 2, Moment.BOOKED: 25, Moment.ARRIVED: 12}
KILLS = 12
DEADLINE = 60.0


@dataclass
class Home:
    """Two stores, and a process that ingests into them to its end or to a kill."""

    folder: Path
    postgres: Postgres
    database: Database
    proxy: Proxy

    def run(self, moment: Moment, number: int) -> bool:
        """Whether it was killed at the n-th time of that moment; otherwise it has come to its end."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.dying"])
        told, teller = context.Pipe(duplex=False)
        arguments = (teller, self.folder, self.database.name, self.variables, last_of(DAY), moment, number)
        process: ForkServerProcess = context.Process(target=run_ingest, args=arguments)
        begun = len(self.proxy.arrivals)
        if moment is Moment.ARRIVED:
            self.proxy.arrived = lambda count: process.kill() if count - begun == number else None
        process.start()
        teller.close()
        try:
            assert told.poll(DEADLINE), "neither an end nor a kill"
            last = told.recv()
        except EOFError:
            last = "killed"
        finally:
            self.proxy.arrived = lambda _: None
            if process.is_alive() and moment is not Moment.ARRIVED:
                process.kill() if last != "done" else None
            process.join(DEADLINE)
            told.close()
        assert process.exitcode == (0 if last == "done" else -9)
        return last != "done"

    @property
    def variables(self) -> dict[str, str]:
        """What makes the process's settings."""
        where = {"POSTGRES_HOST": self.postgres.host, "POSTGRES_PORT": str(self.postgres.port)}
        password = self.postgres.password.get_secret_value()
        who = {"POSTGRES_USER": self.postgres.user, "POSTGRES_PASSWORD": password, "STONKS_HOME": str(self.folder)}
        return {**where, **who, "SANDBOX_URL": self.proxy.url, **addresses(self.proxy)}


@pytest.fixture
def home(quiet: Calm, postgres: Postgres, tmp_path: Path) -> Iterator[Home]:
    proxy = quiet.source.proxy
    proxy.plan = calm()
    proxy.drive(last_of(DAY).isoformat())
    with quiet.source.fresh() as database:
        yield Home(tmp_path, postgres, database, proxy)


def test_killed_anywhere_and_run_again_it_ends_as_undisturbed(quiet: Calm, home: Home) -> None:
    chance, where = random.Random(SEED), list[Moment]()
    for number in range(KILLS):
        moment = list(Moment)[number % len(Moment)]
        if home.run(moment, chance.randint(1, LATEST[moment])):
            where.append(moment)
    assert not home.run(Moment.COMMITTED, 10_000)
    assert set(where) == set(Moment), "it was killed at moments of every kind"
    found = stored_in(Lake(LakeLocation(str(home.folder / "lake"))), TYPES)
    assert found == {item: payload for item, payload in quiet.held.items() if item[0] in TYPES}
    items = sum("#" not in name for _, name in found)
    assert home.database.fetch_one("SELECT count(*) AS n FROM raw_items") == {"n": items}
    assert home.database.fetch("SELECT * FROM source_states WHERE failures_in_a_row > 0") == []


@pytest.mark.parametrize("moment", [Moment.COMMITTED, Moment.BOOKED])
def test_a_run_that_was_killed_is_asked_for_again(home: Home, moment: Moment) -> None:
    assert home.run(moment, 1)
    assert home.database.fetch("SELECT * FROM ingestion_runs") == [], "what did not end is not on record as ended"
    assert not home.run(Moment.COMMITTED, 10_000)
    runs = home.database.fetch("SELECT status, count(*) AS n FROM ingestion_runs GROUP BY 1")
    assert runs == [{"status": "succeeded", "n": len(TYPES)}]
