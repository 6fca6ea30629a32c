"""What is asked for again: documents that nobody has read, extractions that failed, items that somebody wants replayed,
days whose news has not reached the competitors.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.aggregation.competitive_step import STAGE as PROPAGATION
from stonks_assets.aggregation.windows import LONGEST
from stonks_assets.extraction.lines import REFUSED
from stonks_assets.extraction.macro_step import STAGE as CLASSIFICATION
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER
from stonks_assets.extraction.step import STAGE as EXTRACTION
from stonks_assets.parsing.step import STAGE as PARSING
from stonks_assets.pipeline import Pipeline
from stonks_core.registry.source_state import STAGE as PARKED
from stonks_core.registry.source_state import settle_alert, unpark
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, DOCUMENTS, GLOBAL_EVENTS
from stonks_core.stores.lake.tables import LakeTable
from stonks_core.vocabulary import DocumentType, Layer

REACH = timedelta(days=30)
STAGES_THAT_REPLAY = (PARSING, EXTRACTION, CLASSIFICATION, REFUSED)
MODEL_STAGES = (EXTRACTION, CLASSIFICATION)
RESTS_AFTER_FAILURE = timedelta(minutes=1)


def model_rests(pipeline: Pipeline, now: datetime) -> bool:
    """Whether the model could not be asked within the minute: one that is down is not asked again at every tick.

    An answer that was of no use is the document's failure (`terminal`): the model that gave it is up.
    """
    row = pipeline.database.fetch_one(
        """
        SELECT max(last_at) AS at FROM failures
        WHERE status = 'open' AND stage = ANY(%s) AND NOT COALESCE((detail ->> 'terminal')::boolean, false)
        """,
        (list(MODEL_STAGES),),
    )
    return bool(row and row["at"] and now - row["at"] < RESTS_AFTER_FAILURE)


def stale_documents(pipeline: Pipeline, now: datetime) -> Mapping[date, int]:
    """By day of the last 30: documents known for longer than STALE_DOCUMENT_MINUTES, parsed, and read by nobody.

    A document with a failure on record is that failure's business, and one whose agent is switched off is meant to
    wait. Only ids, status and times are read.
    """
    days = (now.date() - REACH, now.date())
    known_before = now - timedelta(minutes=pipeline.settings.recovery.stale_document_minutes)
    columns = ["day", "document_id", "status", "document_type"]
    documents = pipeline.lake.read(DOCUMENTS, days=days, as_of=known_before, columns=columns)
    macro = pc.equal(documents["document_type"], DocumentType.MACRO_EVENT.value)
    parsed = pc.equal(documents["status"], "parsed")
    active = active_agents(pipeline)
    undone: Counter[str] = Counter()
    for stage, agent, table, mine in (
        (EXTRACTION, DOCUMENT_EXTRACTOR, DOCUMENT_INTELLIGENCE, pc.invert(macro)),
        (CLASSIFICATION, EVENT_CLASSIFIER, GLOBAL_EVENTS, macro),
    ):
        wanted = documents.filter(pc.and_(parsed, mine))
        if agent in active and wanted.num_rows:
            undone.update(_unread(pipeline, wanted, table, stage, days)["day"].to_pylist())
    return {date.fromisoformat(day): count for day, count in undone.items()}


def _unread(pipeline: Pipeline, wanted: pa.Table, table: LakeTable, stage: str, days: tuple[date, date]) -> pa.Table:
    read = pipeline.lake.read(table, days=days, columns=["document_id"])["document_id"]
    unread = wanted.filter(pc.invert(pc.is_in(wanted["document_id"], value_set=read.combine_chunks())))
    if unread.num_rows == 0:
        return unread
    failed = pipeline.database.fetch(
        "SELECT item FROM failures WHERE stage = %s AND status <> 'resolved' AND day BETWEEN %s AND %s", (stage, *days)
    )
    known = pa.array([row["item"] for row in failed], pa.string())
    return unread.filter(pc.invert(pc.is_in(unread["document_id"], value_set=known)))


def active_agents(pipeline: Pipeline) -> set[str]:
    """The agents that are on; one without a row is, as where it is loaded."""
    off = {row["agent"] for row in pipeline.database.fetch("SELECT agent FROM ai_agents WHERE NOT active")}
    return {DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER} - off


def replays(pipeline: Pipeline, now: datetime) -> Mapping[date, int]:
    """By day: failed items that a person or the schedule asked to try again; those of no day count for today."""
    rows = pipeline.database.fetch(
        """
        SELECT COALESCE(day, %s) AS day, count(*) AS items FROM failures
        WHERE status = 'replay' AND stage = ANY(%s) GROUP BY 1
        """,
        (now.date(), list(STAGES_THAT_REPLAY)),
    )
    return {row["day"]: row["items"] for row in rows}


def unpropagated(pipeline: Pipeline, now: datetime) -> Mapping[date, int]:
    """By day that a window still reaches: news that was not propagated, as the competitive layer was off or failed.

    Empty while the layer is off. Today's is the next cycle's business.
    """
    if not pipeline.layer_enabled(Layer.COMPETITIVE):
        return {}
    rows = pipeline.database.fetch(
        """
        SELECT day, count(*) AS items FROM failures
        WHERE stage = %(stage)s AND item = 'day ' || day AND status IN ('open', 'noted', 'replay')
            AND day >= %(first)s AND day < %(today)s GROUP BY 1
        """,
        {"stage": PROPAGATION, "first": (now - LONGEST).date(), "today": now.date()},
    )
    return {row["day"]: row["items"] for row in rows}


def unpark_asked(pipeline: Pipeline, now: datetime) -> int:
    """Un-park the sources whose alert somebody put to `replay`, which is how every other failure is asked for; how many."""
    rows = pipeline.database.fetch(
        """
        SELECT f.item, s.source_id IS NOT NULL AS there FROM failures f LEFT JOIN sources s ON s.source_id::text = f.item
        WHERE f.stage = %s AND f.status = 'replay'
        """,
        (PARKED,),
    )
    for row in rows:
        with pipeline.database.connection() as connection:
            if row["there"]:
                reason = "a replay of its alert was asked for"
                unpark(connection, row["item"], actor="pipeline", reason=reason, at=now)
            else:
                settle_alert(connection, row["item"], now)
    return len(rows)


def retry_failed_extractions(pipeline: Pipeline, now: datetime) -> int:
    """Put extractions that failed long enough ago to `replay`, each as often as the settings allow; how many.

    The others stay open for a person, who may ask for a replay as often as they like.
    """
    recovery = pipeline.settings.recovery
    return pipeline.database.execute(
        """
        UPDATE failures SET status = 'replay', retries = retries + 1
        WHERE status = 'open' AND stage = ANY(%(stages)s) AND last_at <= %(before)s AND retries < %(most)s
        """,
        {
            "stages": list(MODEL_STAGES),
            "before": now - timedelta(minutes=recovery.failed_extraction_retry_minutes),
            "most": recovery.failed_extraction_max_attempts,
        },
    )
