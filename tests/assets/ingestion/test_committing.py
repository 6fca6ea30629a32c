"""Items into raw rows: once for ever, with their parts, whatever was killed in between."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from stonks_assets.ingestion.committing import Committer, _Brought, rows_of
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.protocol import RawItem, RawPart
from stonks_assets.ingestion.raw_index import RawIndex
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.errors import CommitConflictError
from stonks_core.registry.universe import Source
from stonks_core.settings import Settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.arriving import Rows
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake, Written
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOON.date()
NEWS = SourceType.NEWS_API
TABLE = raw_table(NEWS)
SOURCE = Source("s-1", NEWS, "the wire", {}, 0.6, "", None)


def item(name: str, content: bytes = b"{}", *, at: datetime = NOON, parts: int = 0) -> RawItem:
    pages = tuple(
        RawPart(f"p{n}", "article_page", Answer(f"https://x/{n}", 200, {}, b"page", at)) for n in range(parts)
    )
    request = {"method": "GET", "url": "https://x/", "headers": {}}
    answer = Answer("https://x/", 200, {"content-type": "application/json", "set-cookie": "s"}, content, at, request)
    return RawItem(name, "article", answer, published_at=NOON - timedelta(hours=1), parts=pages)


@pytest.fixture
def pipeline(database: Database, lake: Lake) -> Pipeline:
    return Pipeline(Settings(), lake, database, ManualClock(NOON))


def stored(pipeline: Pipeline) -> list[tuple[str, str]]:
    rows = pipeline.lake.read(TABLE, columns=["day", "item_id"]).to_pylist()
    return sorted((row["item_id"], row["day"]) for row in rows)


def test_an_item_is_kept_verbatim_with_its_parts_its_request_and_no_secret(pipeline: Pipeline) -> None:
    assert Committer(pipeline, NEWS).commit(SOURCE, TODAY, [item("a", b'{"x" : 1}', parts=2)]) == 1
    own, *parts = sorted(pipeline.lake.read(TABLE).to_pylist(), key=lambda row: str(row["item_id"]))
    assert (own["payload"], own["part_of"], own["http_status"]) == (b'{"x" : 1}', None, 200)
    assert json.loads(own["request"])["method"] == "GET"
    assert json.loads(own["response_headers"]) == {"content-type": "application/json"}
    assert [(p["item_id"], p["part_of"], p["part"], p["part_number"]) for p in parts] == [
        ("a#p0", "a", "p0", 1),
        ("a#p1", "a", "p1", 2),
    ]


def test_an_item_arrives_once_for_ever_whatever_day_and_bytes_it_comes_with(pipeline: Pipeline) -> None:
    committer = Committer(pipeline, NEWS)
    assert committer.commit(SOURCE, TODAY, [item("a"), item("b"), item("a", b"again")]) == 2
    assert committer.commit(SOURCE, TODAY + timedelta(days=40), [item("a", b"other"), item("c")]) == 1
    assert stored(pipeline) == [("a", "2026-03-10"), ("b", "2026-03-10"), ("c", "2026-04-19")]
    assert committer.known(["a", "c", "d"]) == {"a", "c"}
    assert pipeline.lake.read(TABLE, columns=["payload"])["payload"].to_pylist().count(b"other") == 0


def test_what_was_committed_without_the_index_is_taken_in_at_the_next_start(pipeline: Pipeline) -> None:
    Committer(pipeline, NEWS).commit(SOURCE, TODAY, [item("a")])
    pipeline.lake.merge(TABLE, [*rows_of(SOURCE, TODAY, item("b", parts=1))])  # killed before the index knew
    assert RawIndex(pipeline.database, pipeline.lake, NEWS).known(["b"]) == frozenset()
    again = Committer(pipeline, NEWS)
    assert again.known(["a", "b", "b#p0"]) == {"a", "b"}
    assert again.commit(SOURCE, TODAY + timedelta(days=1), [item("b")]) == 0


def test_an_empty_index_is_made_from_the_lake_and_a_new_lake_empties_it(pipeline: Pipeline, tmp_path: object) -> None:
    Committer(pipeline, NEWS).commit(SOURCE, TODAY, [item("a"), item("b")])
    pipeline.database.execute("TRUNCATE raw_items, raw_indexes")
    assert Committer(pipeline, NEWS).known(["a", "b"]) == {"a", "b"}
    pipeline.lake = Lake(LakeLocation(f"{tmp_path}/another"))
    assert Committer(pipeline, NEWS).known(["a", "b"]) == frozenset()
    assert Committer(pipeline, NEWS).commit(SOURCE, TODAY, [item("a")]) == 1


def test_compaction_and_another_process_s_commits_do_not_confuse_the_index(pipeline: Pipeline) -> None:
    committer = Committer(pipeline, NEWS)
    for name in "abc":
        committer.commit(SOURCE, TODAY, [item(name)])
    assert pipeline.lake.compact(TABLE, TODAY) == 3
    Committer(pipeline, NEWS).commit(SOURCE, TODAY, [item("d")])
    committer.commit(SOURCE, TODAY, [item("e")])
    row = pipeline.database.fetch_one("SELECT version FROM raw_indexes")
    assert row == {"version": pipeline.lake.version(TABLE)}
    assert committer.known([*"abcdef"]) == set("abcde")


def test_sources_that_commit_at_once_share_commits_and_each_item_comes_once(pipeline: Pipeline) -> None:
    committer, together = Committer(pipeline, NEWS), threading.Barrier(12)

    def bring(number: int) -> int:
        together.wait()
        return committer.commit(
            SOURCE, TODAY, [item(f"own{number}"), item("shared", parts=1), item(f"half{number // 2}")]
        )

    before = pipeline.lake.version(TABLE)
    with ThreadPoolExecutor(12) as pool:
        counts = list(pool.map(bring, range(12)))
    assert sum(counts) == 12 + 1 + 6
    names = [name for name, _ in stored(pipeline)]
    assert sorted(set(names)) == names, "none twice"
    assert len(names) == 12 + 2 + 6
    assert pipeline.lake.version(TABLE) - before < 12


def test_processes_take_turns_and_see_what_the_other_has_brought(pipeline: Pipeline, postgres: Postgres) -> None:
    with Database(postgres, pipeline.database.name) as other:
        second = Pipeline(pipeline.settings, Lake(pipeline.lake.location), other, pipeline.clock)
        committers, together = [Committer(pipeline, NEWS), Committer(second, NEWS)], threading.Barrier(2)

        def bring(committer: Committer) -> int:
            counts = 0
            for number in range(8):
                together.wait()
                counts += committer.commit(SOURCE, TODAY + timedelta(days=number), [item(f"i{number}")])
            return counts

        with ThreadPoolExecutor(2) as pool:
            counts = list(pool.map(bring, committers))
    assert sum(counts) == 8
    assert [name for name, _ in stored(pipeline)] == [f"i{number}" for number in range(8)]


class Refusing(Lake):
    """A lake that refuses its first append."""

    refused = False

    def append(self, table: LakeTable, rows: Rows) -> Written:
        if not self.refused:
            self.refused = True
            raise CommitConflictError("somebody else was first")
        return super().append(table, rows)


def test_who_shared_a_commit_that_failed_tries_for_himself(pipeline: Pipeline) -> None:
    pipeline.lake = Refusing(pipeline.lake.location)
    committer = Committer(pipeline, NEWS)
    mine, other = _Brought(SOURCE, TODAY, [item("a")]), _Brought(SOURCE, TODAY, [item("b")])
    committer._queue += [mine, other]
    with pytest.raises(CommitConflictError):
        committer._commit_with_others(mine)
    assert committer._queue == [other]
    assert committer.commit(SOURCE, TODAY, [item("c")]) == 1
    assert (other.new, [name for name, _ in stored(pipeline)]) == (1, ["b", "c"])


@pytest.mark.parametrize("seconds", [None, 0, 90, 3600.5, -1, "60", True])
def test_a_backfilled_item_counts_as_known_from_its_publication_on_with_the_source_s_latency(seconds: object) -> None:
    source = Source("s", NEWS, "n", {} if seconds is None else {"publication_latency_seconds": seconds}, 0.5, "", None)
    late = item("a", at=datetime(2026, 3, 11, 6, 0, 1, tzinfo=UTC))
    (row,) = rows_of(source, TODAY, late)
    wait = seconds if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0 else 60
    assert row["backfilled"] is True
    assert row["available_at"] == NOON - timedelta(hours=1) + timedelta(seconds=wait)
    (live,) = rows_of(source, date(2026, 3, 10), item("a", at=datetime(2026, 3, 11, 6, tzinfo=UTC)))
    assert (live["backfilled"], live["available_at"]) == (False, datetime(2026, 3, 11, 6, tzinfo=UTC))
