"""Items on their way into a raw table: each once, for ever, with its parts in the same commit."""

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
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


class Committer:
    """The one writer of a raw table; sources that are asked at once share it."""

    def __init__(self, pipeline: Pipeline, source_type: SourceType) -> None:
        self._lake, self._table = pipeline.lake, raw_table(source_type)
        self._index = RawIndex(pipeline.database, pipeline.lake, source_type)
        self._lock = threading.Lock()
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
        with self._lock:
            known = self._index.known([item.item_id for item in items])
            fresh = {item.item_id: item for item in reversed(items) if item.item_id not in known}
            if not fresh:
                return 0
            before = self._lake.version(self._table)
            rows = [row for item in fresh.values() for row in rows_of(source, day, item)]
            written = self._lake.merge(self._table, rows)
            self._index.add(dict.fromkeys(fresh, day), before, written.version)
            return len(fresh)


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
        "available_at": (item.published_at or fetched) + latency(source) if backfilled else fetched,
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


def latency(source: Source) -> timedelta:
    """How long after publication a backfilled item of the source counts as known."""
    seconds = source.config.get("publication_latency_seconds")
    valid = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0
    return timedelta(seconds=float(seconds) if valid else 60)  # type: ignore[arg-type]


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
