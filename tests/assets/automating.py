"""Sources and rows for the tests of what happens by itself."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.silver_tables import DOCUMENTS, MARKET_SNAPSHOTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
At = Callable[[datetime], Pipeline]


def filled(table: LakeTable, **given: object) -> dict[str, object]:
    """A row of a table with something in every column that needs it."""
    blank = {"string": "", "double": 1.0, "int64": 1, "bool": False, "binary": b""}
    fields = {f.name: blank.get(str(f.type), NOON) for f in table.schema if not f.nullable}
    return {**fields, **given}


def add_source(database: Database, name: str = "news", source_type: str = "news_api", **state: object) -> str:
    row = database.fetch_one(
        "INSERT INTO sources (source_type, name) VALUES (%s, %s) RETURNING source_id::text AS id", (source_type, name)
    )
    assert row is not None
    if state:
        columns = {
            "source_id": row["id"],
            "next_attempt_at": NOON + timedelta(minutes=5),
            "last_success_at": NOON,
            **state,
        }
        names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
        database.execute(f"INSERT INTO source_states ({names}) VALUES ({holes})", list(columns.values()))  # type: ignore[arg-type]
    return str(row["id"])


def document(name: str, day: date = TODAY, **more: object) -> dict[str, object]:
    given = {"status": "parsed", "document_type": "article", **more}
    return filled(DOCUMENTS, day=day.isoformat(), document_id=name, **given)


def bar(day: date) -> dict[str, object]:
    return filled(MARKET_SNAPSHOTS, day=day.isoformat(), ticker="AAA", span="1d", feed="sandbox")
