"""`stonks bench aggregate` at a tiny size: its shape, and that every peer finds the same. Nothing here is about speed."""

import json
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.bench.aggregate import Sizes, agree
from stonks_cli.bench.aggregate_peers import FIGURES, PEERS, by_duckdb, by_loop
from stonks_cli.bench.commands import AGGREGATE
from stonks_cli.bench.made_signals import AS_OF, fill
from stonks_core.errors import StonksError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import SIGNALS

TINY = ("--signals", "180", "--peers", "180", "--cycle", "180", "--companies", "5")


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["bench", "aggregate", *TINY, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_section_has_the_columns_that_are_shown(report: dict[str, Any]) -> None:
    assert set(report) == {"machine", *AGGREGATE}
    for name, (_, columns) in AGGREGATE.items():
        for row in report[name]:
            assert set(columns) <= set(row), name


def test_the_limit_stands_first_and_the_peers_beside_ours(report: dict[str, Any]) -> None:
    sizes = [(row["count"], row["what"].partition(":")[0]) for row in report["growth"]]
    assert sizes == [(180, what) for what in ("limit", "limit", "ours")]
    assert {row["what"] for row in report["peers"]} >= {"ours", *PEERS} - {"peer: polars"}
    assert all(row["scans"] == 1 for row in report["peers"] if row["what"] == "limit: scan")


def test_a_cycle_reads_what_is_new(report: dict[str, Any]) -> None:
    first, nothing, new, again, refreshed = report["cycles"]
    assert (first["due"], first["read"], refreshed["due"]) == (5, 180, 5)
    assert (nothing["due"], nothing["read"], again["read"]) == (0, 0, 0)
    assert new["what"].endswith("new signals")
    assert new["due"] > 0


def test_answers_that_differ_are_refused(lake: Lake) -> None:
    fill(lake, 180, 3)
    assert lake.read(SIGNALS).num_rows == 180
    ours = by_duckdb(lake, AS_OF, AS_OF)
    agree(ours, by_loop(lake, AS_OF, AS_OF), "loop")
    figures, evidence = ours
    for column in FIGURES:
        moved = pa.array([value + 1e-7 for value in figures[column].to_pylist()])
        wrong = figures.set_column(figures.column_names.index(column), column, moved)
        with pytest.raises(StonksError, match=f"peer differs from ours by .* in {column}"):
            agree(ours, (wrong, evidence), "peer")
    with pytest.raises(StonksError, match="peer found"):
        agree(ours, (figures, evidence.slice(1)), "peer")


def test_full_grows_to_ten_million() -> None:
    assert Sizes().full.growth == (100_000, 1_000_000, 10_000_000)
