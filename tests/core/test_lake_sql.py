"""SQL over the lake: views follow the tables' versions, empty tables are typed, refusals are sentences."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.duck import LakeSql, literal
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.outcome_tables import OUTCOMES
from stonks_core.stores.lake.registry import TABLES
from stonks_core.stores.lake.tables import Grade, LakeTable, blob, flag, instant, real, text, whole

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
KINDS = LakeTable(
    "kinds",
    Grade.SILVER,
    "tests",
    "All types.",
    ("name",),
    (text("name", "n"), real("r", "r"), whole("w", "w"), flag("f", "f"), blob("b", "b"), instant("available_at", "t")),
)


def row(name: str, day: str = "2026-03-10", **more: Any) -> dict[str, Any]:
    return {"day": day, "name": name, "r": 0.5, "w": 7, "f": True, "b": b"\x01", "available_at": NOON, **more}


def test_every_table_has_a_typed_view_before_its_first_row(lake: Lake) -> None:
    sql = LakeSql(lake, TABLES)
    for table in TABLES:
        empty = sql.query(f'SELECT * FROM "{table.name}"', tables=[table.name])
        assert empty.num_rows == 0
        assert empty.column_names == table.schema.names
    assert sql.rows("SELECT sum(hit) AS hits, max(end_day) AS newest FROM outcomes") == [{"hits": None, "newest": None}]
    sql.close()


def test_a_view_keeps_its_types_when_rows_come(lake: Lake) -> None:
    sql = LakeSql(lake, [KINDS])
    empty = sql.query("SELECT * FROM kinds").schema
    lake.merge(KINDS, [row("a")])
    full = sql.query("SELECT * FROM kinds")
    assert full.schema.types == empty.types
    assert full.column_names == KINDS.schema.names
    (found,) = full.to_pylist()
    assert found == row("a")


def test_views_follow_the_tables(lake: Lake) -> None:
    sql = LakeSql(lake, [KINDS])
    count = "SELECT count(*) AS n FROM kinds"
    assert sql.rows(count) == [{"n": 0}]
    for expected, name in enumerate("abc", 1):
        lake.merge(KINDS, [row(name)])
        assert sql.rows(count) == [{"n": expected}]
    assert sql.versions() == {"kinds": 3}
    lake.compact(KINDS, date(2026, 3, 10))
    assert sql.rows(count) == [{"n": 3}]
    lake.delete(KINDS, "name = 'a'")
    assert sql.rows("SELECT name FROM kinds ORDER BY name") == [{"name": "b"}, {"name": "c"}]
    lake.replace_day(KINDS, date(2026, 3, 10), [])
    assert sql.rows(count) == [{"n": 0}]


def test_only_the_named_tables_are_brought_up(lake: Lake) -> None:
    sql = LakeSql(lake, [KINDS, OUTCOMES])
    sql.query("SELECT 1")
    lake.merge(KINDS, [row("a")])
    assert sql.rows("SELECT count(*) AS n FROM kinds", tables=["outcomes"]) == [{"n": 0}]
    assert sql.rows("SELECT count(*) AS n FROM kinds", tables=["kinds"]) == [{"n": 1}]


def test_days_stay_texts_and_instants_are_utc(lake: Lake) -> None:
    sql = LakeSql(lake, [KINDS])
    lake.merge(KINDS, [row("a"), row("b", "2026-03-11", available_at=NOON.replace(hour=23))])
    assert sql.rows("SELECT name FROM kinds WHERE day = '2026-03-11'") == [{"name": "b"}]
    assert sql.rows(f"SELECT name FROM kinds WHERE available_at <= {literal(NOON)}") == [{"name": "a"}]
    assert sql.rows("SELECT name FROM kinds WHERE available_at > ? AND w = ?", [NOON, 7]) == [{"name": "b"}]
    assert sql.rows("SELECT hour(available_at) AS h FROM kinds ORDER BY h") == [{"h": 12}, {"h": 23}]


@pytest.mark.parametrize("query", ["SELECT nothing FROM kinds", "SELECT * FROM absent", "SELEKT", "SELECT ?"])
def test_a_query_that_cannot_be_answered_is_refused_in_a_sentence(lake: Lake, query: str) -> None:
    with pytest.raises(BadInputError, match="the query was refused: "):
        LakeSql(lake, [KINDS]).query(query)


def test_threads_may_share_one(lake: Lake) -> None:
    sql = LakeSql(lake, [KINDS])
    lake.merge(KINDS, [row("a")])
    answers: list[int] = []

    def ask() -> None:
        for _ in range(5):
            answers.append(sql.rows("SELECT count(*) AS n FROM kinds")[0]["n"])  # noqa: PERF401

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 15
