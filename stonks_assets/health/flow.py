"""Whether everything still flows: sources answer, sessions have bars, trends follow signals, stages do not fail.

Answered from PostgreSQL and the tables' logs, so that it may be asked at every tick. A quiet night or weekend is no
delay: what counts is that a source answered, not that it had something to say.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow.dataset as ds

from stonks_assets.extraction.macro_step import STAGE as CLASSIFICATION
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER
from stonks_assets.extraction.step import STAGE as EXTRACTION
from stonks_assets.health.rules import HOLDS, Finding
from stonks_assets.health.shares import Overdue, failing_share, overdue_sources
from stonks_assets.ingestion.cadence import polling_interval
from stonks_assets.parsing.step import STAGE as PARSING
from stonks_assets.pipeline import Pipeline
from stonks_core.health.verdict import said_at
from stonks_core.prices.adjusting import DAILY
from stonks_core.stores.lake.registry import BY_NAME, PIPELINE_TABLES
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, GLOBAL_EVENTS
from stonks_core.stores.lake.stored import newest
from stonks_core.stores.lake.tables import FreshBy, Freshness, LakeTable
from stonks_core.vocabulary import SourceType

FRESH, SOURCES_ANSWER, FAILURE_SHARE, REFUSED_SHARE = "fresh", "sources_answer", "failure_share", "refused_share"
WINDOW = timedelta(hours=1)
REFUSED_WINDOW = timedelta(hours=24)
LEAST_RECORDS = 50
MISSED_TURNS = 3
"""A source is overdue when it has not answered for so many of its polling intervals."""
Name = tuple[str, str]
_READS = "signals would be made of what happens to be readable"
BLOCKING_SHARES: Mapping[str, str] = {
    DOCUMENT_INTELLIGENCE.name: _READS,
    GLOBAL_EVENTS.name: _READS,
    DOCUMENTS.name: _READS,
}
"""Why a stage that fails more often than not closes the door; a failing source is its freshness' business."""


def raw_name(source_type: SourceType) -> str:
    """The raw table of a source type."""
    return f"raw_{source_type.value}"


def flow_checks() -> Mapping[str, Mapping[str, str]]:
    """By table: the checks of the flow, each with what it promises."""
    checks: dict[str, dict[str, str]] = {t.name: {FRESH: _promise(t.freshness)} for t in PIPELINE_TABLES if t.freshness}
    for source_type in SourceType:
        checks[raw_name(source_type)] |= {
            SOURCES_ANSWER: "every active source has answered within three of its turns",
            FAILURE_SHARE: "most askings of the last hour succeeded",
        }
    for name in BLOCKING_SHARES:
        checks.setdefault(name, {})[FAILURE_SHARE] = "most items of the last hour succeeded"
    checks[DOCUMENT_INTELLIGENCE.name][REFUSED_SHARE] = "documents bear out most of what the model says"
    return checks


def _promise(freshness: Freshness) -> str:
    return {
        FreshBy.SOURCES: "at least one active source of the type answers in time",
        FreshBy.SESSIONS: "the newest session that is over has its bars",
        FreshBy.UPSTREAM: f"follows {freshness.upstream} within {freshness.within}",
    }[freshness.by]


def flow_findings(pipeline: Pipeline, as_of: datetime) -> dict[Name, Finding]:
    """What each check of the flow finds at `as_of`."""
    found: dict[Name, Finding] = {}
    for table in PIPELINE_TABLES:
        if table.freshness and table.freshness.by is not FreshBy.SOURCES:
            found[table.name, FRESH] = _fresh(pipeline, table, table.freshness, as_of)
    return found | _sources(pipeline, as_of) | _shares(pipeline, as_of)


def _fresh(pipeline: Pipeline, table: LakeTable, freshness: Freshness, as_of: datetime) -> Finding:
    if freshness.by is FreshBy.SESSIONS:
        return _has_newest_session(pipeline, table, as_of - freshness.within, as_of)
    upstream = BY_NAME[freshness.upstream]
    latest = newest(pipeline.lake, upstream, upstream.knowledge or "available_at")
    computed = newest(pipeline.lake, table, table.knowledge or "available_at")
    if latest is None or as_of - latest <= freshness.within or (computed is not None and computed >= latest):
        return HOLDS
    last = f"those of {said_at(computed)} are the newest" if computed else "there is none at all"
    return Finding(
        f"{table.name} does not follow {upstream.name}: rows known since {said_at(latest)} are in none of its rows, {last}; "
        f"look at the runs of its stage on Dagster's pages"
    )


def _has_newest_session(pipeline: Pipeline, table: LakeTable, closed_by: datetime, as_of: datetime) -> Finding:
    session = pipeline.calendar.session_at_or_before(pipeline.calendar.previous_close(closed_by) - timedelta(seconds=1))
    held = pipeline.lake.read(table, days=(session.day, as_of.date()), columns=["day"], where=ds.field("span") == DAILY)
    if held.num_rows:
        return HOLDS
    return Finding(
        f"{table.name} has no bar of the session {session.day}, which closed at {said_at(session.close)}: "
        "see whether the market source answers (`stonks registry sources list`)"
    )


def _sources(pipeline: Pipeline, as_of: datetime) -> dict[Name, Finding]:
    rows = pipeline.database.fetch(
        """
        SELECT s.source_type, s.name, s.config, s.created_at, t.last_attempt_at, t.last_success_at,
               COALESCE(t.last_error, '') AS last_error
        FROM sources s LEFT JOIN companies c USING (company_id) LEFT JOIN source_states t USING (source_id)
        WHERE s.active AND COALESCE(c.valid_to, 'infinity') = 'infinity' ORDER BY s.name, s.source_id
        """
    )
    found: dict[Name, Finding] = {}
    for source_type in SourceType:
        table = BY_NAME[raw_name(source_type)]
        own = [row for row in rows if row["source_type"] == source_type]
        overdue = overdue_sources([_turn(row, source_type, table, as_of) for row in own])
        found[table.name, FRESH] = Finding(overdue.all_of(source_type, len(own)))
        found[table.name, SOURCES_ANSWER] = Finding(overdue.some_of(source_type, len(own)))
    return found


def _turn(row: Mapping[str, Any], source_type: SourceType, table: LakeTable, as_of: datetime) -> Overdue:
    """A source's last answer; one that nobody has asked yet has as long from when it was added."""
    within = table.freshness.within if table.freshness else timedelta(0)
    patience = max(MISSED_TURNS * polling_interval(source_type, row["config"]), within)
    last: datetime | None = row["last_success_at"]
    since = last if last is not None or row["last_attempt_at"] else row["created_at"]
    return Overdue(row["name"], last, row["last_error"], is_late=since is None or as_of - since > patience)


def _shares(pipeline: Pipeline, as_of: datetime) -> dict[Name, Finding]:
    most, least = pipeline.settings.data_health.failure_share, pipeline.settings.data_health.least_items
    since = {"since": as_of - WINDOW, "at": as_of, "day": as_of - REFUSED_WINDOW}
    asked = pipeline.database.fetch(
        """
        SELECT s.source_type, count(*) AS items, count(*) FILTER (WHERE r.status = 'failed') AS failed,
               max(r.error) FILTER (WHERE r.status = 'failed') AS example
        FROM ingestion_runs r JOIN sources s USING (source_id)
        WHERE r.finished_at > %(since)s AND r.finished_at <= %(at)s GROUP BY 1
        """,
        since,
    )
    by_type = {row["source_type"]: row for row in asked}
    found: dict[Name, Finding] = {
        (raw_name(t), FAILURE_SHARE): failing_share(f"askings of {t} sources", by_type.get(t), most, least)
        for t in SourceType
    }
    read = pipeline.database.fetch(
        """
        SELECT agent, count(*) FILTER (WHERE at > %(since)s) AS items,
               count(*) FILTER (WHERE at > %(since)s AND NOT ok) AS failed,
               max(error) FILTER (WHERE at > %(since)s AND NOT ok) AS example,
               sum(kept) AS kept, sum(dropped) AS dropped
        FROM agent_performance_log WHERE at > %(day)s AND at <= %(at)s AND NOT shadow GROUP BY 1
        """,
        since,
    )
    by_agent = {row["agent"]: row for row in read}
    for table, agent, stage in (
        (DOCUMENT_INTELLIGENCE, DOCUMENT_EXTRACTOR, EXTRACTION),
        (GLOBAL_EVENTS, EVENT_CLASSIFIER, CLASSIFICATION),
    ):
        found[table.name, FAILURE_SHARE] = failing_share(f"answers in {stage}", by_agent.get(agent), most, least)
    found[DOCUMENTS.name, FAILURE_SHARE] = _parsed(pipeline, as_of, most, least)
    found[DOCUMENT_INTELLIGENCE.name, REFUSED_SHARE] = _refused(by_agent.values(), most)
    return found


def _parsed(pipeline: Pipeline, as_of: datetime, most: float, least: int) -> Finding:
    since = as_of - WINDOW
    row = pipeline.database.fetch_one(
        """
        SELECT count(*) AS failed, max(error) AS example FROM failures
        WHERE stage = %(stage)s AND status = 'open' AND last_at > %(since)s AND last_at <= %(at)s
        """,
        {"stage": PARSING, "since": since, "at": as_of},
    )
    if row is None or not row["failed"]:
        return HOLDS
    days = (since.date() - timedelta(days=1), as_of.date())
    known = pipeline.lake.read(DOCUMENTS, days=days, as_of=as_of, columns=["available_at"])
    done = known.filter(ds.field("available_at") > since).num_rows
    return failing_share("documents in parsing", {**row, "items": done + row["failed"]}, most, least)


def _refused(agents: Iterable[Mapping[str, Any]], most: float) -> Finding:
    rows = list(agents)
    kept, dropped = (int(sum(row[name] or 0 for row in rows)) for name in ("kept", "dropped"))
    if kept + dropped < LEAST_RECORDS or dropped <= most * (kept + dropped):
        return HOLDS
    return Finding(
        f"{dropped} of {kept + dropped} records that the model made in {REFUSED_WINDOW} were refused by the evidence "
        "contract: compare variants on /api/agents, or use another model"
    )
