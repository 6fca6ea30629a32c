"""Asset checks, generated from the table registry: `rows` holds what a table declares, `flow` whether it keeps moving.

Two checks a table and one op for many tables, because each check that Dagster records costs more than making it; each
finding is kept by its own name for the verdict. What a step has just written is looked at in the step (`shell`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import dagster as dg

from stonks_assets.health.flow import flow_checks
from stonks_assets.health.judging import examine, examine_flow, expected_by_name, recent, renew_verdict
from stonks_assets.health.tables import Days, table_checks
from stonks_assets.resources import PipelineResource
from stonks_core.health.verdict import Result, Severity
from stonks_core.stores.lake.tables import LakeTable

SOURCES_UP = "sources_up"
ROWS, FLOW = "rows", "flow"


def days_of_run(tags: Mapping[str, str], today: date) -> Days:
    """The first and last day of a run's partition or range; today for a run without one."""
    only = tags.get("dagster/partition")
    first = tags.get("dagster/asset_partition_range_start", only)
    last = tags.get("dagster/asset_partition_range_end", only)
    return (date.fromisoformat(first), date.fromisoformat(last)) if first and last else (today, today)


def check_keys(tables: Iterable[LakeTable]) -> list[dg.AssetCheckKey]:
    """The keys of all checks of some tables."""
    return [dg.AssetCheckKey(dg.AssetKey(table.name), name) for table in tables for name in _names(table)]


def _names(table: LakeTable) -> Mapping[str, Mapping[str, str]]:
    """The asset checks of a table: of each, the findings that it is made of and what they promise."""
    flow = flow_checks().get(table.name)
    return {ROWS: table_checks(table), **({FLOW: flow} if flow else {})}


def checks_of(name: str, tables: Sequence[LakeTable]) -> dg.AssetChecksDefinition:
    """All checks of some tables, made by one op; a run may ask for some of them."""

    @dg.multi_asset_check(name=name, specs=list(_specs(tables)), can_subset=True)
    def body(context: dg.AssetCheckExecutionContext, pipeline: PipelineResource) -> Iterator[dg.AssetCheckResult]:
        wanted = {(key.asset_key.to_user_string(), key.name) for key in context.selected_asset_check_keys}
        asked = [table for table in tables if (table.name, ROWS) in wanted]
        with pipeline.open() as opened:
            now = opened.clock.now()
            first, last = days_of_run(context.run.tags, now.date())
            days = min(first, recent(now)[0]), max(last, now.date())
            found = [*examine(opened, asked, days, now), *examine_flow(opened, now)]
            renew_verdict(opened, now)
        for table in tables:
            for check, parts in _names(table).items():
                if (table.name, check) in wanted:
                    yield _as_shown(table, check, [r for r in found if r.subject == table.name and r.check in parts])

    return body


def _specs(tables: Sequence[LakeTable]) -> Iterator[dg.AssetCheckSpec]:
    for table in tables:
        for check, parts in _names(table).items():
            reasons = {expected_by_name()[table.name, name].blocks for name in parts} - {""}
            closes = f" Closes the door to new positions: {'; '.join(sorted(reasons))}." if reasons else ""
            promises = "; ".join(f"{name}: {promise}" for name, promise in parts.items())
            yield dg.AssetCheckSpec(check, asset=table.name, description=f"{promises}.{closes}")


def _as_shown(table: LakeTable, check: str, results: Sequence[Result]) -> dg.AssetCheckResult:
    broken = [result for result in results if result.problem]
    severe = any(expected_by_name()[result.name].severity is Severity.ERROR for result in broken)
    return dg.AssetCheckResult(
        asset_key=table.name,
        check_name=check,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{result.check}: {result.problem}" for result in broken) or "holds",
        metadata={result.check: ", ".join(result.days) for result in broken if result.days},
    )
