"""Tables that only tests have, rows of them, and what a lake holds of them."""

from datetime import UTC, date, datetime
from typing import Any

from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.tables import Grade, LakeTable, instant, real, text

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 10)
THINGS = LakeTable(
    name="things",
    grade=Grade.SILVER,
    owner="tests",
    doc="Things of a test.",
    key=("name",),
    columns=(
        text("name", "its name"),
        real("value", "a number", null=True),
        text("note", "a word", null=True),
        instant("available_at", "when it could be known"),
    ),
)
STATES = LakeTable(
    name="states",
    grade=Grade.GOLD,
    owner="tests",
    doc="States of a test.",
    key=("name",),
    columns=(text("name", "its name"), real("value", "a number"), instant("as_of", "computed for")),
    knowledge="as_of",
)
TIMELESS = LakeTable("timeless", Grade.GOLD, "tests", "No clock.", ("name",), (text("name", "its name"),), None)


def thing(
    name: str, value: float | None = 1.0, *, day: date = DAY, known: datetime = NOON, **more: Any
) -> dict[str, Any]:
    return {"day": day.isoformat(), "name": name, "value": value, "available_at": known, **more}


def state(name: str, value: float, as_of: datetime) -> dict[str, Any]:
    return {"day": DAY.isoformat(), "name": name, "value": value, "as_of": as_of}


def held(lake: Lake, table: LakeTable = THINGS) -> dict[str, float]:
    rows = lake.read(table, columns=["name", "value"]).to_pylist()
    assert len(rows) == len({row["name"] for row in rows})
    return {row["name"]: row["value"] for row in rows}
