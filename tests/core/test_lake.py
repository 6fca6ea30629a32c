"""The lake's reader and writer over real Delta tables: keys, as-of cuts, refusals, the table contract."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.lake import Lake, Written, instants
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.registry import BY_NAME, TABLES
from stonks_core.stores.lake.tables import Grade, LakeTable, blob, flag, instant, real, text, whole
from tests.core.things import DAY, NOON, STATES, THINGS, TIMELESS, held, state, thing


def test_a_merge_inserts_what_is_new_and_leaves_what_is_known(lake: Lake) -> None:
    assert lake.merge(THINGS, [thing("a"), thing("b")]) == Written(2, 0, 1)
    assert lake.merge(THINGS, [thing("a", 5.0), thing("c")]) == Written(1, 0, 2)
    assert held(lake) == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_an_append_adds_rows_and_looks_for_none(lake: Lake) -> None:
    assert lake.append(THINGS, [thing("a"), thing("a"), thing("b")]).inserted == 2, "of one key in one call the last"
    assert lake.append(THINGS, [thing("b")]).inserted == 1, "what is there is the caller's business"
    version = lake.version(THINGS)
    assert lake.append(THINGS, []) == Written(0, 0, version)
    assert lake.version(THINGS) == version
    assert lake.read(THINGS).num_rows == 3
    with pytest.raises(BadInputError, match="has no column"):
        lake.append(THINGS, [{**thing("c"), "unknown": 1}])


def test_a_merge_with_update_replaces_by_key(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a"), thing("b")])
    written = lake.merge(THINGS, [thing("a", 5.0), thing("c")], update=True)
    assert (written.inserted, written.updated, written.changed) == (1, 1, 2)
    assert held(lake) == {"a": 5.0, "b": 1.0, "c": 1.0}


@pytest.mark.parametrize("update", [False, True])
def test_the_same_merge_again_makes_no_commit(lake: Lake, *, update: bool) -> None:
    rows = [thing("a", None), thing("b", 2.0, note="x")]
    first = lake.merge(THINGS, rows, update=update)
    assert lake.merge(THINGS, rows, update=update) == Written(0, 0, first.version)
    assert lake.merge(THINGS, [], update=update) == Written(0, 0, first.version)
    assert lake.version(THINGS) == first.version


def test_an_update_touches_only_the_rows_that_differ(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a", None), thing("b", 2.0), thing("c", 3.0)])
    assert lake.merge(THINGS, [thing("a", None), thing("b", None), thing("c", 4.0)], update=True).updated == 2
    assert held(lake) == {"a": None, "b": None, "c": 4.0}


def test_of_rows_with_one_key_the_last_counts(lake: Lake) -> None:
    assert lake.merge(THINGS, [thing("a", 1.0), thing("b", 1.0), thing("a", 2.0)]).inserted == 2
    assert held(lake) == {"a": 2.0, "b": 1.0}


def test_the_day_belongs_to_the_key(lake: Lake) -> None:
    other = DAY + timedelta(days=1)
    lake.merge(THINGS, [thing("a", 1.0), thing("a", 2.0, day=other)])
    assert lake.read(THINGS, days=(DAY, DAY))["value"].to_pylist() == [1.0]
    assert lake.read(THINGS, days=(other, other))["value"].to_pylist() == [2.0]
    assert lake.read(THINGS, days=(DAY, other)).num_rows == 2


def test_a_state_is_replaced_by_a_later_one_only(lake: Lake) -> None:
    lake.merge(STATES, [state("a", 2.0, NOON)], update=True)
    assert lake.merge(STATES, [state("a", 1.0, NOON - timedelta(hours=1))], update=True).changed == 0
    assert lake.merge(STATES, [state("a", 9.0, NOON)], update=True).changed == 0
    assert held(lake, STATES) == {"a": 2.0}
    assert lake.merge(STATES, [state("a", 3.0, NOON + timedelta(hours=1))], update=True).updated == 1
    assert held(lake, STATES) == {"a": 3.0}


Step = tuple[str, float, int]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 2.0]), st.integers(0, 1)), min_size=1, max_size=4
        ),
        min_size=1,
        max_size=4,
    ),
    update=st.booleans(),
)
def test_merges_are_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[Step]], *, update: bool
) -> None:
    lake = Lake(LakeLocation(str(tmp_path_factory.mktemp("lake"))))
    expected: dict[tuple[str, str], float] = {}
    for batch in steps:
        days = {0: DAY, 1: DAY + timedelta(days=1)}
        rows = [thing(name, value, day=days[offset]) for name, value, offset in batch]
        last = {(row["day"], row["name"]): row["value"] for row in rows}
        written = lake.merge(THINGS, rows, update=update)
        assert written.inserted == len(set(last) - set(expected))
        assert written.updated == (sum(expected[k] != v for k, v in last.items() if k in expected) if update else 0)
        expected = expected | last if update else last | expected
    found = lake.read(THINGS).to_pylist()
    assert {(row["day"], row["name"]): row["value"] for row in found} == expected
    assert len(found) == len(expected)


known = st.integers(0, 40).map(lambda hours: NOON + timedelta(hours=hours))


@settings(max_examples=12, deadline=None)
@given(
    early=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 20), max_size=5),
    late=st.dictionaries(st.text("xyz", min_size=1, max_size=3), st.integers(21, 40), max_size=5),
)
def test_rows_known_later_never_change_an_earlier_read(
    tmp_path_factory: pytest.TempPathFactory, early: dict[str, int], late: dict[str, int]
) -> None:
    lake, as_of = Lake(LakeLocation(str(tmp_path_factory.mktemp("lake")))), NOON + timedelta(hours=20)
    lake.merge(THINGS, [thing(name, float(h), known=NOON + timedelta(hours=h)) for name, h in early.items()])
    before = lake.read(THINGS, as_of=as_of)
    lake.merge(THINGS, [thing(name, float(h), known=NOON + timedelta(hours=h)) for name, h in late.items()])
    after = lake.read(THINGS, as_of=as_of)
    assert sorted(after["name"].to_pylist()) == sorted(before["name"].to_pylist()) == sorted(early)
    assert lake.read(THINGS).num_rows == len(early) + len(late)


def test_the_cut_is_exact_to_the_microsecond(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a", known=NOON), thing("b", known=NOON + timedelta(microseconds=1))])
    assert lake.read(THINGS, as_of=NOON)["name"].to_pylist() == ["a"]
    assert lake.read(THINGS, as_of=NOON + timedelta(microseconds=1)).num_rows == 2
    assert lake.read(THINGS, as_of=NOON - timedelta(microseconds=1)).num_rows == 0


def test_a_cut_needs_a_clock_and_an_aware_instant(lake: Lake) -> None:
    with pytest.raises(BadInputError, match="timeless has no knowledge time"):
        lake.read(TIMELESS, as_of=NOON)
    with pytest.raises(BadInputError, match="not an aware UTC instant"):
        lake.read(THINGS, as_of=NOON.replace(tzinfo=None))


def test_conditions_on_texts_hold_over_merged_files(lake: Lake) -> None:
    for number in range(4):
        lake.merge(THINGS, [thing(f"n{number}", float(number), note="odd" if number % 2 else "even")], update=True)
        lake.merge(THINGS, [thing("n0", 10.0 + number, note="even")], update=True)
    assert set(lake.read(THINGS, where=ds.field("note") == "odd")["name"].to_pylist()) == {"n1", "n3"}
    assert lake.read(THINGS, where=ds.field("name").isin(["n0", "none"]), columns=["value"]).to_pylist() == [
        {"value": 13.0}
    ]
    both = (ds.field("note") == "even") & (ds.field("value") > 5)
    assert lake.read(THINGS, days=(DAY, DAY), as_of=NOON, where=both, columns=["name"]).to_pylist() == [{"name": "n0"}]
    at = ds.field("available_at").isin(instants([NOON]))
    assert lake.read(THINGS, where=at).num_rows == 4
    assert lake.read(THINGS, where=ds.field("note") == "none").schema.equals(lake.read(THINGS).schema)


def test_an_empty_table_reads_in_its_declared_schema(lake: Lake) -> None:
    for empty in (
        lake.read(THINGS),
        lake.read(THINGS, where=ds.field("name") == "a"),
        lake.read(THINGS, days=(DAY, DAY)),
    ):
        assert empty.schema.equals(THINGS.schema)
        assert empty.num_rows == 0


def test_a_day_is_replaced_whole_and_alone(lake: Lake) -> None:
    other = DAY + timedelta(days=1)
    lake.merge(THINGS, [thing("a"), thing("b"), thing("a", day=other)])
    assert lake.replace_day(THINGS, DAY, [thing("c"), thing("c", 2.0)]).inserted == 1
    assert held(lake, THINGS)["c"] == 2.0
    assert lake.read(THINGS, days=(other, other)).num_rows == 1
    lake.replace_day(THINGS, DAY, [])
    assert lake.read(THINGS, days=(DAY, DAY)).num_rows == 0
    with pytest.raises(BadInputError, match=f"other days than {DAY}"):
        lake.replace_day(THINGS, DAY, [thing("a", day=other)])


def test_rows_are_deleted_by_predicate(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a"), thing("b")])
    assert lake.delete(THINGS, f"day = '{DAY}' AND name IN ('a', 'z')") == 1
    assert list(held(lake)) == ["b"]


BAD: list[tuple[Any, str]] = [
    ([thing("a", known=None)], "things allows no null in available_at, and 1 rows have one"),  # type: ignore[arg-type]
    ([{"day": "2026-03-10", "name": "a"}], "things needs a value for available_at"),
    ([thing("a", colour="red")], "things has no column colour"),
    ([thing("a"), thing("b", colour="red")], "things has no column colour"),
    ([thing("a", "many")], "rows for lake table things break its schema"),  # type: ignore[arg-type]
    ([thing("a", known=NOON.replace(tzinfo=None))], "available_at of a row for lake table things is naive"),
    ([{**thing("a"), "day": "10.03.2026"}], "the day '10.03.2026': give it as YYYY-MM-DD"),
    ([{**thing("a"), "day": "2026-03-10' OR '1'='1"}], "give it as YYYY-MM-DD"),
    (pa.table({"day": ["2026-03-10"], "name": ["a"]}), "things needs a value for available_at"),
    (
        pa.table(
            {
                "day": ["2026-03-10"],
                "name": ["a"],
                "available_at": pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")),
            }
        ),
        "available_at has no time zone",
    ),
    (
        pa.table({"day": ["2026-03-10"], "name": ["a"], "value": ["many"], "available_at": pa.array([NOON])}),
        "rows for lake table things break its schema",
    ),
]


@pytest.mark.parametrize(("rows", "words"), BAD)
def test_rows_that_break_the_schema_are_refused_and_nothing_is_written(lake: Lake, rows: Any, words: str) -> None:
    lake.merge(THINGS, [thing("kept")])
    for write in (lambda: lake.merge(THINGS, rows), lambda: lake.replace_day(THINGS, DAY, rows)):
        with pytest.raises(BadInputError, match=words):
            write()
    assert lake.version(THINGS) == 1


def test_a_table_of_rows_is_cast_to_the_declared_types(lake: Lake) -> None:
    new_york = pa.array([NOON], pa.timestamp("us", tz="America/New_York"))
    rows = pa.table(
        {
            "value": pa.array([3], pa.int32()),
            "name": pa.array(["a"], pa.large_string()),
            "day": ["2026-03-10"],
            "available_at": new_york,
        }
    )
    lake.merge(THINGS, rows)
    (found,) = lake.read(THINGS).to_pylist()
    assert (found["value"], found["available_at"], found["note"]) == (3.0, NOON, None)


def test_every_table_keeps_the_contract(lake: Lake) -> None:
    for table in TABLES:
        handle = lake.ensure(table)
        protocol = handle.protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2), table.name
        assert handle.metadata().partition_columns == ["day"]
        assert handle.metadata().configuration["delta.checkpointInterval"] == "10"
        assert "delta.enableDeletionVectors" not in handle.metadata().configuration
        for field in pa.schema(handle.schema().to_arrow()):
            if pa.types.is_timestamp(field.type):
                assert (field.type.unit, field.type.tz) == ("us", "UTC"), f"{table.name}.{field.name}"
            assert not pa.types.is_null(field.type)


def test_the_registry_declares_tables_that_can_be_merged() -> None:
    assert len(BY_NAME) == len(TABLES)
    for table in TABLES:
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)), table.name
        assert "day" not in names
        for name in table.key:
            assert not table.column(name).nullable, f"{table.name}.{name}: a null key is never found again"
        if table.knowledge is not None:
            column = table.column(table.knowledge)
            assert (column.type, column.nullable) == (pa.timestamp("us", tz="UTC"), False)
        assert table.doc
        assert all(column.doc for column in table.columns)
        assert table.name.isidentifier()


def test_every_type_of_column_survives_the_way(lake: Lake) -> None:
    table = LakeTable(
        "kinds",
        Grade.SILVER,
        "tests",
        "All types.",
        ("name",),
        (
            text("name", "n"),
            real("r", "r"),
            whole("w", "w"),
            flag("f", "f"),
            blob("b", "b"),
            instant("available_at", "t"),
        ),
    )
    row = {
        "day": "2026-03-10",
        "name": "ü",
        "r": 0.1,
        "w": 2**60,
        "f": True,
        "b": b"\x00\xff",
        "available_at": NOON + timedelta(microseconds=7),
    }
    lake.merge(table, [row])
    assert lake.read(table).to_pylist() == [row]
    with pytest.raises(KeyError, match="kinds has no column z"):
        table.column("z")


def test_columns_that_an_older_release_did_not_know_are_added_and_null(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a")])
    newer = replace(THINGS, columns=(*THINGS.columns, text("remark", "new", null=True)))
    opened = Lake(lake.location)
    assert opened.read(newer)["remark"].to_pylist() == [None]
    row = thing("b") | {"remark": "here"}
    assert opened.merge(newer, [row, thing("a")]).inserted == 1
    assert sorted(opened.read(newer, columns=["remark"])["remark"].to_pylist(), key=str) == [None, "here"]
    sql = LakeSql(opened, [newer])
    assert sql.rows("SELECT count(remark) AS n, count(*) AS rows FROM things") == [{"n": 1, "rows": 2}]
    assert Lake(lake.location).version(newer) == opened.version(newer)


def test_a_table_that_lacks_a_column_which_no_row_may_lack_is_refused(lake: Lake) -> None:
    lake.merge(THINGS, [thing("a")])
    newer = replace(THINGS, columns=(*THINGS.columns, text("remark", "new")))
    with pytest.raises(BadInputError, match=r"lake table things at .* lacks remark, which no older row can have"):
        Lake(lake.location).read(newer)
