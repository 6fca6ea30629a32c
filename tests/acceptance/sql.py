"""The day's stored rows as tables of DuckDB, read from the lake's own files: nothing of the system's code is asked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from stonks_core.stores.lake.registry import PIPELINE_TABLES
from tests.acceptance.day import Day

Row = dict[str, Any]
CLOSE_ENOUGH = 1e-9
_REGISTRY = {
    "companies": "SELECT ticker, sector, company_id::text FROM companies",
    "exposures": """
        SELECT c.ticker, revenue_by_region::text, commodity_sensitivity::text
        FROM exposure_profiles JOIN companies c USING (company_id)""",
    "relations": """
        SELECT a.ticker AS source, b.ticker AS target, relationship, strength FROM competitor_relationships r
        JOIN companies a ON a.company_id = r.company_id JOIN companies b ON b.company_id = r.competitor_id""",
}


def opened(day: Day) -> duckdb.DuckDBPyConnection:
    """A connection with a view for each lake table, and the registry beside them."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in PIPELINE_TABLES:
        files = DeltaTable(day.pipeline.lake.location.table_uri(table.name)).file_uris()
        if files:
            listed = ", ".join(f"'{file}'" for file in files)
            connection.execute(
                f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet([{listed}], hive_partitioning = true, "
                "hive_types = {'day': VARCHAR}, union_by_name = true)"
            )
    with day.database.connection() as database:
        for name, query in _REGISTRY.items():
            rows = database.execute(query).fetchall()
            connection.register(name, pa.Table.from_pylist(rows))
    return connection


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """The answer to a query as dictionaries."""
    answer: list[Row] = connection.sql(query).to_arrow_table().to_pylist()
    return answer


def agree(
    stored: Iterable[Mapping[str, Any]], computed: Iterable[Mapping[str, Any]], key: Sequence[str], *columns: str
) -> None:
    """Both have the same keys, and the same figures: numbers to 1e-9 of themselves, all else exactly."""
    held = {tuple(row[name] for name in key): row for row in stored}
    found = {tuple(row[name] for name in key): row for row in computed}
    assert held, "nothing is stored: the day says nothing about this formula"
    assert held.keys() - found.keys() == set(), "stored, but not by the formula"
    assert found.keys() - held.keys() == set(), "by the formula, but not stored"
    differing = []
    for name, row in held.items():
        for column in columns:
            ours, theirs = row[column], found[name][column]
            if isinstance(ours, float) and theirs is not None:
                same = ours == pytest.approx(float(theirs), rel=CLOSE_ENOUGH, abs=1e-12)
            else:
                same = ours == theirs
            if not same:
                differing.append({"key": name, "column": column, "stored": ours, "computed": theirs})
    assert differing == [], json.dumps(differing[:5], default=str, indent=1) + f"\n{len(differing)} figures differ"
