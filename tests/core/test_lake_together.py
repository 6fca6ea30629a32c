"""Several at one lake: tails of what others wrote, writers of one and of many processes, conflicts."""

import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from stonks_core.errors import CommitConflictError
from stonks_core.stores.lake import lake as lake_module
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from tests.core.things import DAY, THINGS, held, thing


def test_a_tail_brings_what_came_after(lake: Lake) -> None:
    first = lake.merge(THINGS, [thing("a")]).version
    second = lake.merge(THINGS, [thing("b")]).version
    assert lake.tail(THINGS, first)[0]["name"].to_pylist() == ["b"]
    rows, version = lake.tail(THINGS, second)
    assert (rows.num_rows, version) == (0, second)
    assert rows.schema.equals(THINGS.schema)
    assert sorted(lake.tail(THINGS, 0, columns=["name"])[0]["name"].to_pylist()) == ["a", "b"]
    assert lake.tail(THINGS, -1)[0].num_rows == 2


def test_a_tail_goes_on_by_key_after_a_compaction(lake: Lake) -> None:
    seen: dict[str, float] = {}
    cursor = 0
    for number in range(4):
        lake.merge(THINGS, [thing(f"n{number}", float(number))])
        if number == 2:
            assert lake.compact(THINGS, DAY) == 3
        rows, cursor = lake.tail(THINGS, cursor)
        seen |= {row["name"]: row["value"] for row in rows.to_pylist()}
    assert seen == held(lake)


def test_a_cursor_that_is_no_longer_kept_means_all_rows(lake: Lake) -> None:
    for number in range(12):
        lake.merge(THINGS, [thing(f"n{number}")])
    folder = Path(lake.location.table_uri(THINGS.name))
    for version in range(9):
        (folder / "_delta_log" / f"{version:020d}.json").unlink()
    rows, version = Lake(lake.location).tail(THINGS, 3)
    assert (rows.num_rows, version) == (12, 12)


def test_a_reader_sees_what_another_wrote(lake: Lake) -> None:
    other = Lake(lake.location)
    assert other.version(THINGS) == 0
    lake.merge(THINGS, [thing("a")])
    assert other.read(THINGS).num_rows == 1


def test_writers_of_one_process_lose_nothing(lake: Lake) -> None:
    problems: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  told to the test
                problems.append(error)

        return run

    def write(name: str, own: Lake) -> None:
        for number in range(4):
            own.merge(THINGS, [thing(f"{name}{number}"), thing("shared", float(number))], update=True)

    threads = [
        threading.Thread(target=guarded(lambda: write("a", lake))),
        threading.Thread(target=guarded(lambda: write("b", lake))),
        threading.Thread(target=guarded(lambda: write("c", Lake(lake.location)))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(held(lake)) == 13


def _write_in_process(root: str, name: str) -> None:
    own = Lake(LakeLocation(root))
    for number in range(4):
        own.merge(THINGS, [thing(f"{name}{number}")])


def test_writers_of_two_processes_lose_nothing(lake: Lake) -> None:
    lake.ensure(THINGS)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_in_process, args=(lake.location.root, name)) for name in ("a", "b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(held(lake)) == 8


def test_a_writer_that_is_never_first_gives_up_with_a_sentence(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_module, "ATTEMPTS", 3)
    monkeypatch.setattr(lake_module, "wait_random_exponential", lambda **_: lambda _: 0)
    tried: list[int] = []

    def always_late(handle: DeltaTable) -> None:
        tried.append(handle.version())
        raise CommitFailedError("somebody was first")

    with pytest.raises(CommitConflictError, match="things was committed to by another writer 3 times in a row"):
        lake._committed(THINGS, always_late)
    assert len(tried) == 3
