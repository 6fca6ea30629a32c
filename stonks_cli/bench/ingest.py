"""Ingestion: documents a second, many sources at once, and how cost grows with a day's documents and commits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

import httpx
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from stonks_assets.ingestion.committing import Committer, rows_of
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.polygon import PAGE
from stonks_assets.ingestion.protocol import RawItem, RawPart
from stonks_assets.ingestion.step import BATCH_ITEMS, ingest
from stonks_assets.pipeline import Pipeline
from stonks_cli.bench.ground import Ground, ground
from stonks_cli.bench.measuring import MB, Cost, apart, machine, measured
from stonks_cli.bench.served import ENTRIES, NEWS, Goods, Vendor, serving
from stonks_core.registry.universe import Source
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.lake import Lake
from stonks_core.vocabulary import SourceType

DAY = date(2026, 3, 4)
NOW = datetime.combine(DAY, time(23, 59, 59), UTC)
TABLE = raw_table(SourceType.NEWS_API)
WAYS = (0, 25, None)
Row = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    documents: int = 2000
    page_bytes: int = 40_000
    sources: int = 500
    days: tuple[int, ...] = (300, 1000, 3000)
    commits: int = 100
    per_commit: int = 20

    @property
    def full(self) -> "Sizes":
        """A day of a hundred thousand documents, and one of five hundred commits."""
        return replace(self, days=(1000, 10_000, 100_000), commits=500)

    @property
    def marks(self) -> tuple[int, ...]:
        """The commits at which a merge and a read are timed."""
        return tuple(sorted({1, max(1, self.commits // 5), max(1, self.commits // 2), self.commits}))


def run(sizes: Sizes) -> dict[str, object]:
    """Every figure, measured now, by section."""
    with ground() as standing:
        return {
            "machine": machine(),
            "throughput": apart(throughput, standing, sizes),
            "sources": apart(sources_at_once, standing, sizes),
            "growth": [apart(growth, standing, sizes, documents) for documents in sizes.days],
            "commits": [row for every in WAYS for row in apart(commits, standing, sizes, every)],
        }


def throughput(standing: Ground, sizes: Sizes) -> list[Row]:
    """From the HTTP answer to the committed row; beside reading the bytes alone, and writing the rows alone."""
    goods = Goods(f"{DAY}", sizes.documents, sizes.page_bytes)
    with serving(goods) as vendor, standing.pipeline(vendor, NOW) as pipeline:
        _, limit = measured(lambda: _read_bare(vendor))
        _, ours = measured(lambda: ingest(pipeline, SourceType.NEWS_API, DAY, NOW))
        rows = pipeline.lake.read(TABLE)
    batches = [rows.slice(at, 2 * BATCH_ITEMS) for at in range(0, rows.num_rows, 2 * BATCH_ITEMS)]
    _, appended = measured(lambda: _append_bare(standing.lake(), batches))
    _, merged = measured(lambda: _merge_bare(standing.lake(), batches))
    both = Cost(limit.wall + appended.wall, limit.cpu + appended.cpu, limit.memory + appended.memory)
    named = {
        "ours: answer to committed row": ours,
        "limit: bare httpx": limit,
        "peer: deltalake append": appended,
        "peer: deltalake merge": merged,
        "limit and append": both,
    }
    return [_beside(name, cost, ours, sizes.documents) for name, cost in named.items()]


def sources_at_once(standing: Ground, sizes: Sizes) -> list[Row]:
    """As many feeds due at once, each with two new entries and their pages; beside a bare client, one after another."""
    goods = Goods(f"{DAY}", sizes.sources * ENTRIES, sizes.page_bytes, sizes.sources)
    with serving(goods) as vendor, standing.pipeline(vendor, NOW) as pipeline:
        _, limit = measured(lambda: _read_feeds_bare(vendor))
        before = vendor.counts()
        report, ours = measured(lambda: ingest(pipeline, SourceType.WEB_SCRAPE, DAY, NOW))
        after = vendor.counts()
        _, again = measured(lambda: ingest(pipeline, SourceType.WEB_SCRAPE, DAY, NOW))
    counted: Row = {
        "requests": after["requests"] - before["requests"],
        "connections": after["connections"] - before["connections"],
        "most_open": after["most_open"],
        "documents": sum(report.written.values()),
    }
    return [
        _beside("asked, entries committed", ours, ours, sizes.sources) | counted,
        _beside("asked again, nothing new", again, ours, sizes.sources),
        _beside("limit: bare httpx", limit, ours, sizes.sources),
    ]


def growth(standing: Ground, sizes: Sizes, documents: int) -> Row:
    """A day of so many documents at once, then a poll that brings nothing new, and what a document took."""
    goods = Goods(f"{DAY}", documents, sizes.page_bytes)
    with serving(goods) as vendor, standing.pipeline(vendor, NOW) as pipeline:
        _, cost = measured(lambda: ingest(pipeline, SourceType.NEWS_API, DAY, NOW))
        before = vendor.counts()["requests"]
        _, idle = measured(lambda: ingest(pipeline, SourceType.NEWS_API, DAY, NOW))
        asked = vendor.counts()["requests"] - before
        held = sum(_files(pipeline.lake).values())
    return cost.row("a day of documents", documents) | {
        "idle_wall_s": round(idle.wall, 3),
        "idle_cpu_s": round(idle.cpu, 3),
        "idle_requests": asked,
        "lake_mb": round(held / MB, 1),
    }


def commits(standing: Ground, sizes: Sizes, every: int | None) -> list[Row]:
    """A day of many small commits: what a commit and a read take at some of them.

    As it is, with compaction `every` so many commits, or by the peer alone (None).
    """
    if every is None:
        return list(_commit_bare(standing.lake(), sizes))
    goods = Goods(f"{DAY}", 0, sizes.page_bytes)
    way = f"compacted, {every}" if every else "as it is"
    with serving(goods) as vendor, standing.pipeline(vendor, NOW) as pipeline:
        return list(_commit_through(pipeline, sizes, way, every))


def _commit_through(pipeline: Pipeline, sizes: Sizes, way: str, every: int) -> Iterator[Row]:
    (source,) = pipeline.universe(NOW).sources_of(SourceType.NEWS_API)
    committer, maintenance = Committer(pipeline, SourceType.NEWS_API), 0.0
    whole = Cost(0, 0, 0)
    for number in range(1, sizes.commits + 1):
        items = _items(number, sizes)
        _, cost = measured(lambda given=items: committer.commit(source, DAY, given))  # type: ignore[misc]
        whole = Cost(whole.wall + cost.wall, whole.cpu + cost.cpu, max(whole.memory, cost.memory))
        if number in sizes.marks:
            _, read = measured(lambda: pipeline.lake.read(TABLE, days=(DAY, DAY)))
            _, caught = measured(lambda: Committer(pipeline, SourceType.NEWS_API))
            yield {
                "what": way,
                "commit": number,
                "commit_ms": round(1000 * cost.wall, 1),
                "commit_cpu_ms": round(1000 * cost.cpu, 1),
                "so_far_s": round(whole.wall, 2),
                "read_ms": round(1000 * read.wall, 1),
                "start_ms": round(1000 * caught.wall, 1),
                "files": len(_files(pipeline.lake)),
                "maintenance_s": round(maintenance, 2),
            }
        if every and number % every == 0:
            _, compaction = measured(lambda: pipeline.lake.compact(TABLE, DAY))
            maintenance += compaction.wall


def _commit_bare(lake: Lake, sizes: Sizes) -> Iterator[Row]:
    """The peer: deltalake appends the same rows and looks for nothing."""
    handle, whole = lake.ensure(TABLE), 0.0
    source = Source("00000000-0000-0000-0000-000000000000", SourceType.NEWS_API, "news", {}, 0.5, "", None)
    for number in range(1, sizes.commits + 1):
        rows = _arrow(source, _items(number, sizes))
        _, cost = measured(lambda given=rows: write_deltalake(handle, given, mode="append"))  # type: ignore[misc]
        whole += cost.wall
        if number in sizes.marks:
            _, read = measured(handle.to_pyarrow_table)
            yield {
                "what": "peer: append",
                "commit": number,
                "commit_ms": round(1000 * cost.wall, 1),
                "commit_cpu_ms": round(1000 * cost.cpu, 1),
                "so_far_s": round(whole, 2),
                "read_ms": round(1000 * read.wall, 1),
                "files": len(_files(lake)),
            }


def _arrow(source: Source, items: Sequence[RawItem]) -> pa.Table:
    rows = [row for item in items for row in rows_of(source, DAY, item)]
    return pa.Table.from_pylist(rows, schema=TABLE.schema)


def _items(number: int, sizes: Sizes) -> list[RawItem]:
    """Articles as the adapter brings them, told apart by the commit that they come in."""
    page = b"<html>" + b"x" * sizes.page_bytes

    def answer(content: bytes) -> Answer:
        return Answer("http://127.0.0.1/news", 200, {"content-type": "application/json"}, content, NOW, {})

    names = [f"{number}-{n}" for n in range(sizes.per_commit)]
    pages = {name: (RawPart("page", "article_page", answer(page + name.encode())),) for name in names}
    return [RawItem(name, "article", answer(name.encode() * 80), NOW, parts=pages[name]) for name in names]


def _files(lake: Lake) -> Mapping[str, int]:
    """The table's files and their bytes."""
    added = pa.table(lake.ensure(TABLE).get_add_actions(flatten=True))
    return dict(zip(added["path"].to_pylist(), added["size_bytes"].to_pylist(), strict=True))


def _read_bare(vendor: Vendor) -> int:
    """List the day and read every page, over one connection and with nothing around it; the bytes read."""
    params = {"published_utc.gte": f"{DAY}T00:00:00Z", "published_utc.lt": f"{NOW.isoformat()}", "limit": PAGE}
    url: str | None = f"{vendor.url}{NEWS}?{urlencode(params)}"
    read = 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        while url:
            listed = client.get(url).json()
            read += sum(len(client.get(item["article_url"]).content) for item in listed["results"])
            url = listed.get("next_url")
    return read


def _read_feeds_bare(vendor: Vendor) -> int:
    goods, read = vendor.goods, 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        for feed in range(goods.feeds):
            read += len(client.get(f"{vendor.url}/web/feeds/{feed}").content)
            read += sum(len(client.get(f"{vendor.url}/web/a/{feed * ENTRIES + n}").content) for n in range(ENTRIES))
    return read


def _append_bare(lake: Lake, batches: Sequence[pa.Table]) -> None:
    handle = lake.ensure(TABLE)
    for batch in batches:
        write_deltalake(handle, batch, mode="append")


def _merge_bare(lake: Lake, batches: Sequence[pa.Table]) -> None:
    handle: DeltaTable = lake.ensure(TABLE)
    same = " AND ".join(f"target.{name} = source.{name}" for name in ("day", *TABLE.key))
    for batch in batches:
        merger = handle.merge(batch, predicate=same, source_alias="source", target_alias="target")
        merger.when_not_matched_insert_all().execute()


def _beside(name: str, cost: Cost, ours: Cost, count: int) -> Row:
    """A row, and how many times as much ours took."""
    ratios = {"ours_wall": round(ours.wall / cost.wall, 2), "ours_cpu": round(ours.cpu / max(cost.cpu, 1e-9), 2)}
    return cost.row(name, count) | ratios
