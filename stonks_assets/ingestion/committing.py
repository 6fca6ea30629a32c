"""Items on their way into a raw table: each once, for ever, with its parts in the same commit."""

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.protocol import RawItem
from stonks_assets.ingestion.raw_index import RawIndex
from stonks_assets.pipeline import Pipeline
from stonks_core.identifiers import sha256_bytes
from stonks_core.registry.universe import Source
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.vocabulary import SourceType

SETTLING = timedelta(hours=6)
TOGETHER_BYTES = 64_000_000


@dataclass
class _Brought:
    """What one source has brought, and how many items of it were new once it is committed."""

    source: Source
    day: date
    items: Sequence[RawItem]
    new: int | None = None

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)


class Committer:
    """The one writer of a raw table. Sources that are asked at once share it, and one commit takes what all have brought.

    Every commit of a table costs time, then and at each later look at it, however few rows it has.
    """

    def __init__(self, pipeline: Pipeline, source_type: SourceType) -> None:
        self._lake, self._table, self._database = pipeline.lake, raw_table(source_type), pipeline.database
        self._index = RawIndex(pipeline.database, pipeline.lake, source_type)
        self._committing, self._queueing = threading.Lock(), threading.Lock()
        self._queue: list[_Brought] = []
        self._index.catch_up()

    def known(self, item_ids: Collection[str]) -> Set[str]:
        """Those of the items that were ever fetched."""
        return self._index.known(item_ids)

    def commit(self, source: Source, day: date, items: Sequence[RawItem]) -> int:
        """Commit what was never fetched before; how many items that were.

        The lake comes first: a kill before the index knows is healed by its next catching up.
        """
        if not items:
            return 0
        mine = _Brought(source, day, items)
        with self._queueing:
            self._queue.append(mine)
        with self._committing:
            if mine.new is None:  # nobody has committed it along with his own
                self._commit_with_others(mine)
        return mine.new or 0

    def _commit_with_others(self, mine: _Brought) -> None:
        together = self._take(mine)
        try:
            self._write(together)
        except BaseException:
            with self._queueing:  # each of the others tries for itself
                self._queue += [other for other in together if other is not mine]
            raise

    def _take(self, mine: _Brought) -> list[_Brought]:
        """Mine and what others have brought meanwhile, as much as one commit should hold."""
        with self._queueing:
            self._queue.remove(mine)
            together, size = [mine], mine.size
            while self._queue and size + self._queue[0].size <= TOGETHER_BYTES:
                together.append(self._queue.pop(0))
                size += together[-1].size
        return together

    def _write(self, together: Sequence[_Brought]) -> None:
        """One commit. Processes take turns, so that the index is right about what is there and nobody needs to look."""
        with self._database.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"commit:{self._table.name}",))
            self._index.catch_up()
            taken = set(self._index.known([item.item_id for brought in together for item in brought.items]))
            rows: list[dict[str, object]] = []
            fresh: dict[str, date] = {}
            counts = []
            for brought in together:
                before = len(fresh)
                for item in brought.items:
                    if item.item_id not in taken:
                        taken.add(item.item_id)
                        fresh[item.item_id] = brought.day
                        rows += rows_of(brought.source, brought.day, item)
                counts.append(len(fresh) - before)
            if rows:
                version = self._lake.version(self._table)
                self._index.add(fresh, version, self._lake.append(self._table, rows).version)
        for brought, new in zip(together, counts, strict=True):
            brought.new = new


def rows_of(source: Source, day: date, item: RawItem) -> Iterator[dict[str, object]]:
    """The rows of an item: its own, then one for each of its parts.

    `available_at` is the fetch time of a live fetch; of one that came after its day had settled, the publication with
    the source's latency (DOMAIN 1).
    """
    answers = [item.answer, *(part.answer for part in item.parts)]
    fetched = max(answer.at for answer in answers)
    backfilled = fetched > datetime.combine(day + timedelta(days=1), time(), UTC) + SETTLING
    shared = {
        "day": day.isoformat(),
        "source_id": source.source_id,
        "source_type": source.source_type.value,
        "source_name": source.name,
        "ticker": item.ticker or None,
        "credibility": source.credibility,
        "published_at": item.published_at,
        "available_at": (item.published_at or fetched) + source.publication_latency if backfilled else fetched,
        "backfilled": backfilled,
    }
    own = _answer(item.answer) | {"url": item.url or item.answer.url}
    yield {**shared, **own, "item_id": item.item_id, "kind": item.kind, "detail": _json(item.detail)}
    for number, part in enumerate(item.parts, 1):
        yield {
            **shared,
            **_answer(part.answer),
            "item_id": f"{item.item_id}#{part.name}",
            "kind": part.kind,
            "part_of": item.item_id,
            "part": part.name,
            "part_number": number,
            "detail": _json(part.detail),
        }


def _answer(answer: Answer) -> dict[str, object]:
    return {
        "sha256": sha256_bytes(answer.content),
        "url": answer.url,
        "http_status": answer.status,
        "request": _json(answer.request),
        "response_headers": _json(answer.safe_headers),
        "media_type": answer.media_type,
        "payload": answer.content,
        "fetched_at": answer.at,
    }


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
