"""A recommendation comes out again byte for byte, and where it does not, the difference and its reason are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from stonks_audit.recompute import recompute
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.settings import load_settings
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_HISTORY, TREND_PROJECTIONS
from stonks_core.stores.lake.silver_tables import IMPACT_RECORDS, SIGNALS
from tests.audit.conftest import NOW, World


def again(world: World, name: str, **variables: str) -> Any:
    settings = load_settings({"MARKET_CALENDAR": "24/7", **variables})
    return recompute(world.pipeline.database, world.lake, settings, name)


def test_every_kind_of_recommendation_comes_out_byte_for_byte(story: World) -> None:
    rows = story.lake.read(RECOMMENDATIONS).to_pylist()
    assert len({row["as_of"] for row in rows}) == 4
    kinds = {
        (row["ticker"], row["action"], row["mode"], row["suppression"], "fifth" in row["thesis"]): row for row in rows
    }
    assert len(kinds) >= 4
    for row in kinds.values():
        done = again(story, row["recommendation_id"])
        assert done.equal, done.by_knowledge.differences
        assert done.by_knowledge.sha256 == done.by_versions.sha256 == done.stored_sha256
        assert done.notes == ()


def test_settings_of_today_do_not_matter(told: World) -> None:
    name = told.said("BETA")["recommendation_id"]
    before = again(told, name)
    told.pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('competitive_enabled', 'false')")
    settings = {"COMPETITIVE_SIGNAL_WEIGHT": "0.9", "MARKET_CALENDAR": "XNYS", "PROJECTION_CONFIDENCE_THRESHOLD": "1"}
    assert again(told, name, **settings) == before
    assert before.equal


def test_a_layer_that_was_off_stays_off(told: World) -> None:
    told.pipeline.database.execute("INSERT INTO risk_configs (key, value) VALUES ('competitive_enabled', 'false')")
    told.cycle(NOW + timedelta(minutes=20))
    told.pipeline.database.execute("DELETE FROM risk_configs")
    told.tell("more", NOW + timedelta(minutes=1), 0.1)
    done = again(told, told.said("ACME")["recommendation_id"])
    assert done.equal


def test_what_was_said_while_projections_could_not_be_read_comes_out_without_them(told: World) -> None:
    log = Path(told.lake.location.table_uri(TREND_PROJECTIONS.name)) / "_delta_log"
    newest = max(log.glob("*.json"))
    kept = newest.read_text()
    newest.write_text("{this is no log")
    told.tell("meanwhile", NOW + timedelta(minutes=1), 0.4)
    told.cycle(NOW + timedelta(minutes=20))
    newest.write_text(kept)
    said = told.said()
    assert "where the trend is heading could not be read" in said["thesis"]
    done = again(told, said["recommendation_id"])
    assert done.equal, (done.by_knowledge.differences, done.by_versions)
    told.cycle(NOW + timedelta(minutes=40))  # the table is read again
    assert "could not be read" not in told.said("BETA")["thesis"]


def test_a_record_that_came_late_is_told_from_an_error(told: World) -> None:
    name = told.said()["recommendation_id"]
    told.tell("slow", NOW - timedelta(hours=5), -1.0)  # read by the model only after the recommendation
    told.cycle(NOW + timedelta(minutes=20))
    done = again(told, name)
    assert done.equal
    assert not done.by_knowledge.equal
    assert {d.table for d in done.by_knowledge.differences} >= {"trend_history", "recommendations"}
    assert done.notes == (
        "rows came late, or were replaced, after it was computed: as the tables stand now it comes out otherwise",
    )


def test_with_the_versions_gone_knowledge_time_gives_the_same_bytes(told: World) -> None:
    name = told.said()["recommendation_id"]
    told.tell("next", NOW + timedelta(minutes=1), 0.5)
    told.cycle(NOW + timedelta(minutes=20))
    _forget_old_files(told, SIGNALS.name)
    done = again(told, name)
    assert done.equal
    assert not done.by_versions.equal
    assert "of lake table signals is no longer kept" in done.notes[0]
    assert done.notes[0].endswith("read by knowledge time the bytes are equal all the same")


def _forget_old_files(world: World, table: str) -> None:
    handle = DeltaTable(world.lake.location.table_uri(table))
    handle.optimize.compact()
    assert handle.vacuum(0, dry_run=False, enforce_retention_duration=False)


def test_what_was_tampered_with_is_found_and_named(told: World) -> None:
    row = told.said()
    with _rewritten(told, row, score=row["score"] + 1e-15):
        done = again(told, row["recommendation_id"])
    assert not done.equal
    assert [(d.table, d.column) for d in done.by_knowledge.differences] == [("recommendations", "score")]
    assert done.by_versions.differences == done.by_knowledge.differences


@contextmanager
def _rewritten(world: World, row: dict[str, Any], **changed: Any) -> Iterator[None]:
    world.lake.delete(RECOMMENDATIONS, f"recommendation_id = '{row['recommendation_id']}'")
    world.lake.merge(RECOMMENDATIONS, [row | changed])
    yield


def test_a_reworded_thesis_is_not_held_against_the_template(told: World) -> None:
    row = told.said()
    with _rewritten(told, row, thesis="In other words.", thesis_author="thesis-rewriter"):
        assert again(told, row["recommendation_id"]).equal
    with _rewritten(told, row, thesis="In other words."):
        assert [d.column for d in again(told, row["recommendation_id"]).by_knowledge.differences] == ["thesis"]


def test_a_row_of_an_older_release_is_computed_with_todays_settings_and_that_is_said(told: World) -> None:
    row = told.said()
    trend = next(t for t in told.lake.read(TREND_HISTORY).to_pylist() if t["trend_id"] == row["trend_id"])
    told.lake.delete(TREND_HISTORY, f"trend_id = '{row['trend_id']}'")
    told.lake.merge(TREND_HISTORY, [trend | {"input_versions": '{"signals": 1}'}])
    with _rewritten(told, row, input_versions='{"signals": 1}'):
        done = again(told, row["recommendation_id"])
    assert done.equal
    assert [note.split(" ")[1] for note in done.notes[:2]] == ["layers'", "projections'"]


def test_a_beginning_is_enough_and_unknown_names_are_refused(told: World) -> None:
    name = told.said()["recommendation_id"]
    assert again(told, name[:12]).recommendation_id == name
    with pytest.raises(NotFoundError, match="there is no recommendation"):
        again(told, "nothing")
    with pytest.raises(BadInputError, match="id is needed"):
        again(told, " ")
    told.lake.delete(TREND_HISTORY, f"trend_id = '{told.said()['trend_id']}'")
    with pytest.raises(NotFoundError, match="is not in the lake's history"):
        again(told, name)


def test_nothing_is_written(told: World) -> None:
    tables = (SIGNALS, IMPACT_RECORDS, TREND_HISTORY, RECOMMENDATIONS)
    before = [told.lake.version(table) for table in tables]
    again(told, told.said()["recommendation_id"])
    assert [told.lake.version(table) for table in tables] == before
