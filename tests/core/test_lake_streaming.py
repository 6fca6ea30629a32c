"""A table in batches says what it says when it is read whole; and what changed since a version is told by the log."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from stonks_core.errors import BadInputError
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.streaming import changes, count_rows, stream
from stonks_core.stores.lake.tables import Grade, LakeTable, instant, real, text
from tests.core.things import DAY, NOON, TIMELESS

NEWS = LakeTable(
    name="news",
    grade=Grade.SILVER,
    owner="tests",
    doc="News of a test.",
    key=("name",),
    columns=(
        text("name", "its name"),
        text("kind", "a word of few"),
        real("value", "a number", null=True),
        instant("published_at", "when it was published"),
        instant("available_at", "when it could be known"),
    ),
)
ALL = tuple(NEWS.schema.names)
DAYS = (DAY - timedelta(days=3), DAY)
HOUR = timedelta(hours=1)
Row = dict[str, Any]


def news(name: str, value: float = 1.0, *, kind: str = "a", day: date = DAY, known: datetime = NOON) -> Row:
    return {
        "day": day.isoformat(),
        "name": name,
        "kind": kind,
        "value": value,
        "published_at": known,
        "available_at": known,
    }


def streamed(lake: Lake, **how: Any) -> list[Row]:
    batches = list(stream(lake, NEWS, **{"columns": ALL, **how}))
    rows = pa.Table.from_batches(batches).to_pylist() if batches else []
    return sorted(rows, key=lambda row: str(row["name"]))


def read(lake: Lake, **how: Any) -> list[Row]:
    return sorted(lake.read(NEWS, **how).to_pylist(), key=lambda row: str(row["name"]))


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Three days, some rows replaced (files of another layout), some known late."""
    rows = [
        news(f"{back}{n}", n, kind="ab"[n % 2], day=DAY - timedelta(days=back), known=NOON + n * HOUR)
        for back in range(3)
        for n in range(6)
    ]
    lake.merge(NEWS, rows)
    lake.merge(NEWS, [{**row, "value": 0.5} for row in rows[::4]], update=True)
    return lake


def test_batches_hold_what_reading_holds(filled: Lake) -> None:
    assert streamed(filled) == read(filled)
    assert streamed(filled, days=(DAY, DAY)) == read(filled, days=(DAY, DAY))
    assert streamed(filled, as_of=NOON + HOUR) == read(filled, as_of=NOON + HOUR)
    assert len(streamed(filled, as_of=NOON + HOUR)) == 6
    assert streamed(filled, encoded=("kind",)) == read(filled)
    assert streamed(filled, days=(DAY + timedelta(days=1), DAY + timedelta(days=2))) == []
    assert count_rows(filled, NEWS, (DAY, DAY)) == 6


@pytest.mark.parametrize("encoded", [(), ("kind",)])
@pytest.mark.parametrize("wanted", [{"a"}, {"a", "b"}, {"c"}])
def test_only_rows_of_some_values_come(filled: Lake, encoded: tuple[str, ...], wanted: set[str]) -> None:
    expected = [row for row in read(filled) if row["kind"] in wanted]
    assert streamed(filled, encoded=encoded, only=("kind", wanted)) == expected


def test_columns_come_in_the_declared_types(filled: Lake) -> None:
    for batch in stream(filled, NEWS, columns=("kind", "name", "value"), encoded=("kind",)):
        assert batch.schema.names == ["name", "kind", "value"]
        assert batch.schema.field("name").type == pa.string()
        assert batch.schema.field("kind").type == pa.dictionary(pa.int32(), pa.string())


def test_a_column_that_an_older_file_lacks_is_null(lake: Lake) -> None:
    lake.merge(LakeTable("news", NEWS.grade, "tests", "", ("name",), NEWS.columns[:2] + NEWS.columns[3:]),
               [{k: v for k, v in news("old").items() if k != "value"}])  # fmt: skip
    newer = Lake(lake.location)
    newer.merge(NEWS, [news("young", 2.0)])
    assert [(row["name"], row["value"]) for row in streamed(newer)] == [("old", None), ("young", 2.0)]


def test_an_instant_cuts_only_where_the_clock_is_read(filled: Lake) -> None:
    with pytest.raises(BadInputError, match="knowledge time"):
        list(stream(filled, NEWS, columns=("name",), as_of=NOON))
    with pytest.raises(BadInputError, match="knowledge time"):
        list(stream(filled, TIMELESS, columns=("name",), as_of=NOON))


def names(table: pa.Table) -> set[str]:
    return set(table["name"].to_pylist())


def test_a_table_that_stands_still_has_no_changes_and_opens_no_file(filled: Lake) -> None:
    version = filled.version(NEWS)
    for path in Path(filled.location.root).rglob("*.parquet"):
        path.unlink()
    found = changes(filled, NEWS, version, NOON + 9 * HOUR, as_of=NOON + 10 * HOUR, days=DAYS)
    assert found is not None
    assert [table.num_rows for table in (found.come, found.gone, found.awaited)] == [0, 0, 0]


def test_new_replaced_and_deleted_rows_are_in_the_files_that_came_or_went(filled: Lake) -> None:
    version, late = filled.version(NEWS), NOON + 9 * HOUR
    filled.merge(NEWS, [news("new")])
    found = changes(filled, NEWS, version, late, as_of=late, days=DAYS)
    assert found is not None
    assert (names(found.come), names(found.gone)) == ({"new"}, set())
    version = filled.version(NEWS)
    filled.merge(NEWS, [news("new", 7.0)], update=True)
    filled.delete(NEWS, f"day = '{DAY}' AND name = '00'")
    found = changes(filled, NEWS, version, late, as_of=late, days=DAYS)
    assert found is not None
    assert names(found.gone) - names(found.come) == {"00"}
    assert {row["value"] for row in found.come.to_pylist() if row["name"] == "new"} == {7.0}
    other_days = changes(filled, NEWS, version, late, as_of=late, days=(DAYS[0], DAY - timedelta(days=1)))
    assert other_days is not None
    assert (other_days.come.num_rows, other_days.gone.num_rows) == (0, 0)


def test_a_compacted_day_came_and_went_with_the_same_rows(filled: Lake) -> None:
    filled.merge(NEWS, [news("new")])
    version = filled.version(NEWS)
    assert filled.compact(NEWS, DAY) > 1
    found = changes(filled, NEWS, version, NOON + 9 * HOUR, as_of=NOON + 9 * HOUR, days=DAYS)
    assert found is not None
    assert found.come.num_rows > 1
    assert found.come.sort_by("name").equals(found.gone.sort_by("name"))


def test_what_was_stored_before_it_could_be_known_is_awaited(filled: Lake) -> None:
    version = filled.version(NEWS)
    found = changes(filled, NEWS, version, NOON + 2 * HOUR, as_of=NOON + 4 * HOUR, days=(DAY, DAY))
    assert found is not None
    assert names(found.awaited) == {"03", "04"}
    assert (found.come.num_rows, found.gone.num_rows) == (0, 0)


def test_an_instant_that_the_log_has_cut_is_not_missed(lake: Lake) -> None:
    at = NOON + timedelta(microseconds=999)
    lake.merge(NEWS, [news("fine", known=at)])
    found = changes(lake, NEWS, lake.version(NEWS), at - timedelta(microseconds=1), as_of=NOON + HOUR, days=DAYS)
    assert found is not None
    assert names(found.awaited) == {"fine"}


def test_a_version_that_is_not_kept_or_not_there_yet_tells_nothing(filled: Lake) -> None:
    version = filled.version(NEWS)
    assert changes(filled, NEWS, version + 1, NOON, as_of=NOON, days=DAYS) is None
    before = {path.name for path in Path(filled.location.root).rglob("*.parquet")}
    filled.compact(NEWS, DAY)
    filled.merge(NEWS, [{**row, "value": 9.0} for row in read(filled, days=(DAY, DAY))], update=True)
    for path in Path(filled.location.root).rglob("*.parquet"):
        if path.name in before and str(DAY) in str(path):
            path.unlink()
    assert changes(filled, NEWS, version, NOON, as_of=NOON + 9 * HOUR, days=DAYS) is None
