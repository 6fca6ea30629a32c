"""The checks made, their results kept, and the verdict renewed: called alike by asset checks, the sensor and the demo.

Whole days are looked at by schedule; what a step has just written is looked at in the step, which may close the door
but never opens it. The verdict itself costs a few queries.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache

from stonks_assets.health.flow import (
    BLOCKING_SHARES,
    FAILURE_SHARE,
    FRESH,
    flow_checks,
    flow_findings,
)
from stonks_assets.health.rules import Finding
from stonks_assets.health.tables import Days, findings, reference_check, table_checks, written_findings
from stonks_assets.pipeline import Pipeline
from stonks_core.health import store
from stonks_core.health.verdict import Expected, Result, Severity, Verdict, judge
from stonks_core.stores.lake.registry import PIPELINE_TABLES, TABLES
from stonks_core.stores.lake.tables import LakeTable

WHOLE_CHECKS_COUNT_FOR = timedelta(minutes=75)
"""They are made twice an hour."""
FLOW_COUNTS_FOR = timedelta(minutes=10)
LOOKED_AT_AGAIN = timedelta(days=92)
"""How long a day in which something was found is looked at again: as far back as a trend reads."""
PIPELINE, CYCLES = "pipeline", "cycles"
CYCLES_BLOCK = "nothing that is published reaches a recommendation"


@cache
def expected() -> tuple[Expected, ...]:
    """Every check, with how bad a failure is, whether it closes the door and why, and how long a result counts."""
    checks = [_of_rows(table, name) for table in TABLES for name in table_checks(table)]
    checks += [_of_flow(subject, name) for subject, names in flow_checks().items() for name in names]
    cycles = Expected(PIPELINE, CYCLES, Severity.ERROR, FLOW_COUNTS_FOR, CYCLES_BLOCK, needed=False)
    return (*checks, cycles)


@cache
def expected_by_name() -> Mapping[tuple[str, str], Expected]:
    """The same by table and check."""
    return {check.name: check for check in expected()}


def _of_rows(table: LakeTable, name: str) -> Expected:
    reference = next((r for r in table.references if reference_check(r) == name), None)
    blocks = reference.blocks if reference else table.blocks
    severity = Severity.WARN if reference and not blocks else Severity.ERROR
    return Expected(table.name, name, severity, WHOLE_CHECKS_COUNT_FOR, blocks)


def _of_flow(subject: str, name: str) -> Expected:
    blocks = BLOCKING_SHARES.get(subject, "") if name == FAILURE_SHARE else ""
    if name == FRESH:
        freshness = next(table.freshness for table in PIPELINE_TABLES if table.name == subject)
        blocks = freshness.blocks if freshness else ""
    return Expected(subject, name, Severity.ERROR if blocks else Severity.WARN, FLOW_COUNTS_FOR, blocks)


def examine(pipeline: Pipeline, tables: Iterable[LakeTable], days: Days, as_of: datetime) -> list[Result]:
    """Check whole days of tables, and the days in which something was found before; what was found is kept."""
    with pipeline.database.connection() as connection:
        before = {result.name: result for result in store.results(connection) if result.problem}
    made: list[Result] = []
    for table in tables:
        again = {day for (subject, _), result in before.items() if subject == table.name for day in result.days}
        found = [findings(pipeline.lake, table, days, as_of)]
        found += [findings(pipeline.lake, table, (day, day), as_of) for day in _again(again, days, as_of)]
        made += [_result(table.name, name, [each[name] for each in found], as_of) for name in table_checks(table)]
    store.keep_results(pipeline.database, made)
    return made


def _again(again: Iterable[str], days: Days, as_of: datetime) -> list[date]:
    known = sorted(date.fromisoformat(day) for day in again)
    oldest = as_of.date() - LOOKED_AT_AGAIN
    return [day for day in known if day >= oldest and not days[0] <= day <= days[1]]


def _result(subject: str, check: str, found: Iterable[Finding], at: datetime) -> Result:
    broken = [finding for finding in found if finding.problem]
    days = tuple(sorted({day for finding in broken for day in finding.days}))
    problem = "; ".join(finding.problem for finding in broken)
    declared = expected_by_name()[subject, check]
    return Result(subject, check, problem, at, days, declared.severity, declared.blocks)


def examine_flow(pipeline: Pipeline, as_of: datetime) -> list[Result]:
    """Check whether everything flows; what was found is kept."""
    made = [_result(*name, [finding], as_of) for name, finding in flow_findings(pipeline, as_of).items()]
    store.keep_results(pipeline.database, made)
    return made


def note_cycles(pipeline: Pipeline, problem: str, as_of: datetime) -> None:
    """Keep whether the newest cycles came to an end."""
    store.keep_results(pipeline.database, [_result(PIPELINE, CYCLES, [Finding(problem)], as_of)])


def examine_written(pipeline: Pipeline, table: LakeTable, since: datetime) -> Mapping[str, Finding]:
    """Look at the rows that a step has just written; breaches are kept and judged at once."""
    broken = written_findings(pipeline.lake, table, since)
    if broken:
        now = pipeline.clock.now()
        store.add_breaches(pipeline.database, [_result(table.name, name, [f], now) for name, f in broken.items()])
        renew_verdict(pipeline, now)
    return broken


def renew_verdict(pipeline: Pipeline, as_of: datetime) -> Verdict:
    """Judge by the newest results, and keep the verdict for the daemon and for people."""
    with pipeline.database.connection() as connection:
        verdict = judge(expected(), store.results(connection), as_of)
        store.keep_verdict(connection, verdict)
    return verdict


def judge_flow(pipeline: Pipeline, as_of: datetime) -> Verdict:
    """Check whether everything flows, and renew the verdict."""
    examine_flow(pipeline, as_of)
    return renew_verdict(pipeline, as_of)


def judge_whole(pipeline: Pipeline, as_of: datetime, tables: Iterable[LakeTable] = PIPELINE_TABLES) -> Verdict:
    """Check everything in one call, yesterday and today, and renew the verdict."""
    examine(pipeline, tables, recent(as_of), as_of)
    return judge_flow(pipeline, as_of)


def recent(as_of: datetime) -> Days:
    """The days that the schedule looks at: yesterday's last hour is written after midnight."""
    return as_of.date() - timedelta(days=1), as_of.date()
