"""SIGKILL at points all over a cycle, the sandbox's process included: run again it ends where an undisturbed one ends."""

import multiprocessing
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.postgres import Database
from tests.acceptance.crashing import run_cycle
from tests.acceptance.day import NOW
from tests.acceptance.stage import Snapshot, fresh_database, sandbox, snapshot

KILLED_IN = ("bars", "documents", "document_intelligence", "trend_windows", "recommendations")
KILLED_IN_TRADING = ("decide", "send", "sweep")
LONGEST_WAIT = {"bars": 0.8, "documents": 0.6, "document_intelligence": 1.0}
DEADLINE = 60.0
OWN_NAMES = frozenset({"source_id", "input_versions", "response_headers", "sha256", "raw_sha256"})
"""Differ between two homes that saw the same day: random names of sources, versions of tables, the Date header, and
the hash of a payload in which the vendor numbers its answers."""
FILLS = "SELECT order_id, ticker, side, quantity, price, realised_pnl, executed_at FROM fills ORDER BY order_id"
LEDGER = "SELECT trigger, amount FROM cash_ledger ORDER BY trigger, amount"
POSITIONS = "SELECT ticker, quantity, cost FROM positions ORDER BY ticker"


@dataclass(frozen=True)
class End:
    """What a home holds at the end."""

    stored: Snapshot
    orders: dict[str, tuple[Any, ...]]
    books: dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Ends:
    """The end of an undisturbed cycle and that of one that was killed again and again, and where that was."""

    undisturbed: End
    killed: End
    where: tuple[str, ...]


class Home:
    """Two stores and a way to run the cycle over them, to its end or to a kill."""

    def __init__(self, folder: Path, postgres: Postgres, database: Database) -> None:
        self._folder, self._database = folder, database
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.acceptance.crashing"])
        self._variables = {
            "STONKS_HOME": str(folder), "POSTGRES_HOST": postgres.host, "POSTGRES_PORT": str(postgres.port),
            "POSTGRES_USER": postgres.user, "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        }  # fmt: skip

    def run(self, url: str, stage: str = "", wait: float = 0.0) -> str:
        """Run the cycle and kill it `wait` seconds into a stage; the last stage that was begun, or `done`."""
        told, teller = self._context.Pipe(duplex=False)
        variables = {**self._variables, "SANDBOX_URL": url}
        arguments = (teller, self._folder, self._database.name, variables)
        process: ForkServerProcess = self._context.Process(target=run_cycle, args=arguments)
        process.start()
        teller.close()
        last = ""
        try:
            while last != "done" and told.poll(DEADLINE):
                last = told.recv()
                if last == stage:
                    process.join(wait)
                    break
        except EOFError:
            pytest.fail(f"the cycle died by itself after {last!r}")
        finally:
            if last != "done":
                process.kill()
            process.join(DEADLINE)
            told.close()
        assert process.exitcode == (0 if last == "done" else -9)
        return last

    def end(self) -> End:
        """What is stored now."""
        stored = snapshot(Lake(LakeLocation(str(self._folder / "lake"))), self._database)
        columns = (
            "ticker",
            "side",
            "purpose",
            "state",
            "notional",
            "quantity",
            "filled_quantity",
            "filled_average_price",
        )
        orders = {name: tuple(row[c] for c in columns) for name, row in stored.orders.items()}
        books = {"fills": FILLS, "cash": LEDGER, "positions": POSITIONS}
        return End(stored, orders, {name: self._database.fetch(query) for name, query in books.items()})


@pytest.fixture(scope="module")
def ends(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    calm, rough = tmp_path_factory.mktemp("calm"), tmp_path_factory.mktemp("rough")
    chance = random.Random(20260304)
    with fresh_database(postgres, template) as quiet, fresh_database(postgres, template) as shaken:
        with sandbox(calm / "state", NOW) as played:
            assert Home(calm, postgres, quiet).run(played.url) == "done"
        port = int(played.url.rsplit(":", 1)[1])
        home, where = Home(rough, postgres, shaken), list[str]()
        with sandbox(rough / "state", NOW, port=port) as played:
            waits = [chance.uniform(0, LONGEST_WAIT.get(stage, 0.2)) for stage in KILLED_IN]
            where += [home.run(played.url, stage, wait) for stage, wait in zip(KILLED_IN, waits, strict=True)]
        # The sandbox was killed too: it comes back with what it had answered for.
        with sandbox(rough / "state", None, port=port) as played:
            where += [home.run(played.url, stage, chance.uniform(0, 0.05)) for stage in KILLED_IN_TRADING]
            assert home.run(played.url) == "done"
            yield Ends(Home(calm, postgres, quiet).end(), home.end(), tuple(where))


def test_it_was_killed_where_it_was_meant_to_be(ends: Ends) -> None:
    assert ends.where == (*KILLED_IN, *KILLED_IN_TRADING)


def test_the_same_rows_stand_in_every_table(ends: Ends) -> None:
    for table in ends.undisturbed.stored.rows:
        rows, found = (_by_item(table, end.stored) for end in (ends.undisturbed, ends.killed))
        assert found.keys() == rows.keys(), table
        for key, row in rows.items():
            differing = {n for n, value in row.items() if found[key][n] != value} - OWN_NAMES
            assert differing == set(), (table, key, {n: (row[n], found[key][n]) for n in differing})


def _by_item(table: str, stored: Snapshot) -> Mapping[tuple[Any, ...], Mapping[str, Any]]:
    """A table's rows by key; raw ones by item alone, of which none may stand twice with other bytes."""
    rows = stored.rows[table]
    if not table.startswith("raw_"):
        return rows
    by_item = {key[:2]: row for key, row in rows.items()}
    assert len(by_item) == len(rows), f"{table} holds an item twice"
    return by_item


def test_the_hash_of_every_document_is_the_same(ends: Ends) -> None:
    hashes = [
        {row["document_id"]: row["sha256"] for row in end.stored.rows["documents"].values()}
        for end in (ends.undisturbed, ends.killed)
    ]
    assert hashes[0] == hashes[1]


def test_the_day_was_worth_killing(ends: Ends) -> None:
    rows = ends.undisturbed.stored.rows
    for table in ("documents", "impact_records", "signals", "trend_history", "recommendations"):
        assert len(rows[table]) > 10, table
    assert len(ends.undisturbed.orders) > 0


def test_every_order_was_sent_once_and_filled_alike(ends: Ends) -> None:
    assert ends.killed.orders == ends.undisturbed.orders
    assert {order[3] for order in ends.killed.orders.values()} == {"filled"}
    assert ends.killed.stored.decisions == ends.undisturbed.stored.decisions


def test_fills_cash_and_positions_are_the_same(ends: Ends) -> None:
    assert ends.killed.books == ends.undisturbed.books
