"""Reading a local table by the files of its log: the rows are the table's own."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from stonks_core.stores.lake.files import files_of
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from tests.assets.automation_stage import filled

DAYS = [date(2026, 3, day) for day in (1, 2, 3)]


def fill(lake: Lake) -> None:
    for number, day in enumerate([*DAYS, DAYS[1]]):
        row = filled(RECOMMENDATIONS, day=day.isoformat(), recommendation_id=f"r{number}", ticker=f"T{number}")
        lake.merge(RECOMMENDATIONS, [row])


def test_only_the_files_of_the_days_are_listed(lake: Lake) -> None:
    assert files_of(lake.ensure(RECOMMENDATIONS)) == []
    assert lake.read(RECOMMENDATIONS, days=(DAYS[0], DAYS[0])).num_rows == 0
    fill(lake)
    handle = lake.ensure(RECOMMENDATIONS)
    assert len(files_of(handle)) == 4
    assert len(files_of(handle, (DAYS[1], DAYS[1]))) == 2
    assert files_of(handle, (date(2025, 1, 1), date(2025, 2, 1))) == []


def test_what_is_read_is_what_delta_reads(lake: Lake) -> None:
    fill(lake)
    lake.delete(RECOMMENDATIONS, "day = '2026-03-02' AND recommendation_id IN ('r1')")
    ours = lake.read(RECOMMENDATIONS).sort_by("recommendation_id")
    theirs = lake.ensure(RECOMMENDATIONS).to_pyarrow_dataset().to_table(columns=ours.schema.names)
    assert ours.equals(theirs.cast(ours.schema).sort_by("recommendation_id"))
    assert ours["recommendation_id"].to_pylist() == ["r0", "r2", "r3"]


@pytest.mark.parametrize("name", ["a b", "ü#x", "q?z", "plain"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    lake = Lake(LakeLocation(str(tmp_path / name)))
    fill(lake)
    assert lake.read(RECOMMENDATIONS, days=(DAYS[1], DAYS[2])).num_rows == 3


def test_pieces_name_what_is_known_and_bring_what_is_new(lake: Lake) -> None:
    fill(lake)
    days, columns = (DAYS[0], DAYS[2]), ("recommendation_id",)
    first = dict(lake.pieces(RECOMMENDATIONS, days, (), columns))
    assert sorted(row for piece in first.values() if piece for row in piece["recommendation_id"].to_pylist()) == [
        *("r0", "r1", "r2", "r3")
    ]
    assert all(isinstance(piece, pa.Table) and piece.schema.names == ["recommendation_id"] for piece in first.values())
    again = dict(lake.pieces(RECOMMENDATIONS, days, first.keys(), columns))
    assert again.keys() == first.keys()
    assert set(again.values()) == {None}
