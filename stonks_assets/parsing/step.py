"""The shell of the parser: raw rows of a day that are not documents yet become documents and mentions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.parsing.duplicates import WINDOW, Member, assign_clusters
from stonks_assets.parsing.identity import document_id
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import DOCUMENT_TYPES, PARSER_VERSION, ParsedDocument, mention_rows, parse_raw
from stonks_assets.parsing.payloads import DOCUMENT_KINDS, UnreadablePayloadError, listed_identity
from stonks_assets.pipeline import Pipeline, StepReport
from stonks_core.registry.universe import Universe
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS, DOCUMENTS
from stonks_core.stores.lake.tables import LakeTable

STAGE = "parsing"
BATCH = 200  # raw rows whose payloads are in memory at once
RawRow = dict[str, Any]
Done = tuple[str, str]  # source type and raw item


def matcher_of(universe: Universe) -> CompanyMatcher:
    """The matcher of a universe's tickers, legal names and aliases."""
    return CompanyMatcher(CompanyNames(c.ticker, c.legal_name, c.aliases) for c in universe.companies.values())


def materialise_documents(pipeline: Pipeline, day: date, as_of: datetime) -> StepReport:
    """Parse what of a day's raw rows, known at `as_of`, is no document yet, and merge documents and mentions.

    The first version of an item stands: a page that changes during the day does not rewrite the document that
    others have quoted. A row that cannot be parsed is noted in `failures` and tried again when somebody asks for its
    replay or the parser's version changes. Mentions are written before documents, because a document that exists
    counts as done.
    """
    matcher = matcher_of(pipeline.universe(as_of))
    done, taken = _done(pipeline, day)
    recent = _recent_members(pipeline, day, as_of)
    written = {DOCUMENTS.name: 0, DOCUMENT_COMPANY_MENTIONS.name: 0}
    failed = 0
    for batch in _batches(pipeline, day, as_of, done | _hopeless(pipeline)):
        parsed, refused = _parse_batch(batch, matcher, taken)
        members = [_member(document) for document in parsed]
        clusters = assign_clusters(members, recent)
        mentions = [row for document in parsed for row in mention_rows(document)]
        rows = [dict(document.row) | asdict(clusters[document.document_id]) for document in parsed]
        written[DOCUMENT_COMPANY_MENTIONS.name] += pipeline.lake.merge(DOCUMENT_COMPANY_MENTIONS, mentions).inserted
        written[DOCUMENTS.name] += pipeline.lake.merge(DOCUMENTS, rows).inserted
        recent += [replace(member, **asdict(clusters[member.document_id])) for member in members]
        now = pipeline.clock.now()
        for item, error in refused.items():
            pipeline.failures.record(STAGE, item, error, now, day=day, detail={"parser_version": PARSER_VERSION})
        failed += len(refused)
        pipeline.failures.resolve(STAGE, [item for raw in batch if (item := _item(raw)) not in refused], now)
    return StepReport(written=written, failed=failed)


def _item(raw: Mapping[str, Any]) -> str:
    return f"{raw['source_type']}/{raw['item_id']}@{str(raw['sha256'])[:12]}"


def _done(pipeline: Pipeline, day: date) -> tuple[set[Done], set[str]]:
    """What was parsed of the day, as (source type, raw item), and the ids of its documents."""
    columns = ["document_id", "source_type", "raw_item_id"]
    rows = pipeline.lake.read(DOCUMENTS, days=(day, day), columns=columns).to_pylist()
    return {(row["source_type"], row["raw_item_id"]) for row in rows}, {row["document_id"] for row in rows}


def _hopeless(pipeline: Pipeline) -> set[str]:
    """Items that this version of the parser has failed on, and that nobody has asked to replay."""
    rows = pipeline.database.fetch(
        "SELECT item FROM failures WHERE stage = %s AND status IN ('open', 'dismissed')"
        " AND detail ->> 'parser_version' = %s",
        (STAGE, str(PARSER_VERSION)),
    )
    return {row["item"] for row in rows}


def _batches(pipeline: Pipeline, day: date, as_of: datetime, passed_over: set[Any]) -> Iterator[list[RawRow]]:
    """The day's raw rows that are not passed over, with payloads, oldest first; of an item its first version."""
    for source_type in DOCUMENT_TYPES:
        table = raw_table(source_type)
        columns = ["item_id", "sha256", "source_type", "kind", "published_at", "available_at"]
        listed = pipeline.lake.read(table, days=(day, day), as_of=as_of, columns=columns).to_pylist()
        listed.sort(key=lambda row: (row["available_at"], row["published_at"] or row["available_at"], row["item_id"]))
        first: dict[str, RawRow] = {}
        for row in listed:
            seen = (row["source_type"], row["item_id"]) in passed_over or _item(row) in passed_over
            if row["kind"] in DOCUMENT_KINDS and not seen:
                first.setdefault(row["item_id"], row)
        todo = list(first.values())
        todo.sort(key=lambda row: (row["published_at"] or row["available_at"], row["item_id"]))
        for start in range(0, len(todo), BATCH):
            yield _with_payloads(pipeline, table, day, todo[start : start + BATCH])


def _with_payloads(pipeline: Pipeline, table: LakeTable, day: date, wanted: Sequence[RawRow]) -> list[RawRow]:
    """The raw rows with their payloads and, under `parts`, those of their parts by name."""
    ids = [row["item_id"] for row in wanted]
    condition = ds.field("item_id").isin(ids) | ds.field("part_of").isin(ids)
    rows = pipeline.lake.read(table, days=(day, day), where=condition).to_pylist()
    by_version = {(row["item_id"], row["sha256"]): row for row in rows}
    parts: dict[str, list[RawRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["available_at"], row["part_number"] or 0)):
        if row["part_of"] and not any(held["part"] == row["part"] for held in parts[row["part_of"]]):
            parts[row["part_of"]].append(row)
    return [by_version[row["item_id"], row["sha256"]] | {"parts": parts[row["item_id"]]} for row in wanted]


def _parse_batch(
    batch: Sequence[RawRow], matcher: CompanyMatcher, taken: set[str]
) -> tuple[list[ParsedDocument], dict[str, str]]:
    """Documents whose id is not taken yet (`taken` grows by theirs), and the sentences of the rows that failed."""
    parsed: list[ParsedDocument] = []
    refused: dict[str, str] = {}
    for raw in batch:
        try:
            identity = listed_identity(raw)
            if identity and document_id(date.fromisoformat(raw["day"]), identity) in taken:
                continue
            document = parse_raw(raw, matcher)
        except UnreadablePayloadError as error:
            refused[_item(raw)] = str(error)
        except Exception as error:  # noqa: BLE001  one hostile page must not stop the day's other documents
            refused[_item(raw)] = (
                f"parsing item {raw['item_id']} of source {raw['source_name']} broke the parser "
                f"({type(error).__name__}: {error}): keep the raw row and report it"
            )
        else:
            if document.document_id not in taken:
                taken.add(document.document_id)
                parsed.append(document)
    return parsed, refused


def _member(document: ParsedDocument) -> Member:
    row = document.row
    return Member(document.document_id, row["published_at"], row["fingerprint"], document.tickers)


def _recent_members(pipeline: Pipeline, day: date, as_of: datetime) -> list[Member]:
    """Documents of the days around, known at `as_of`, that new ones may be copies of."""
    days = (day - WINDOW, day + WINDOW)
    columns = ["document_id", "published_at", "fingerprint", "cluster_id", "origin_document_id"]
    rows = pipeline.lake.read(DOCUMENTS, days=days, as_of=as_of, columns=columns).to_pylist()
    named = pipeline.lake.read(DOCUMENT_COMPANY_MENTIONS, days=days, as_of=as_of, columns=["document_id", "ticker"])
    tickers: dict[str, set[str]] = defaultdict(set)
    for row in named.to_pylist():
        tickers[row["document_id"]].add(row["ticker"])
    return [Member(**row, tickers=frozenset(tickers[row["document_id"]])) for row in rows]
