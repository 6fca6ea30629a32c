"""What stands in the lake's tables, held against their declarations: whole days, or what was written just now."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from stonks_assets.health import rules
from stonks_assets.health.rules import HOLDS, Finding
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.registry import BY_NAME
from stonks_core.stores.lake.stored import files_of, held_schema, stored_rows
from stonks_core.stores.lake.tables import UTC_MICROS, LakeTable, Reference

Days = tuple[date, date]
SETTLED = timedelta(minutes=10)
"""Tables that are written together are not written at the same instant: younger rows may still wait for each other."""


def reference_check(reference: Reference) -> str:
    """The name of a reference's check."""
    return f"refers_to_{reference.table}"


def table_checks(table: LakeTable) -> Mapping[str, str]:
    """The checks of a table's rows, each with what it promises."""
    references = {reference_check(r): f"every {r.column} stands in {r.table}.{r.to}" for r in table.references}
    return {**rules.row_checks(table), **references}


def findings(lake: Lake, table: LakeTable, days: Days, as_of: datetime) -> dict[str, Finding]:
    """What each check finds in the days' rows. Rows of a table of another schema are not looked at."""
    schema = rules.schema_finding(table, held_schema(lake, table))
    if schema.problem:
        return {**dict.fromkeys(table_checks(table), HOLDS), rules.DECLARED_SCHEMA: schema}
    files = files_of(lake, table, days=days)
    rows = stored_rows(lake, table, rules.columns_needed(table), files)
    found = {
        rules.DECLARED_SCHEMA: schema,
        rules.UNIQUE_KEY: rules.duplicate_finding(table, rows.select(["day", *table.key])),
        rules.NO_NULLS: _nulls(lake, table, files),
        **rules.row_findings(table, rows),
    }
    for reference in table.references:
        found[reference_check(reference)] = _missing(lake, table, reference, days, as_of)
    return found


def written_findings(lake: Lake, table: LakeTable, since: datetime) -> dict[str, Finding]:
    """What is wrong with rows by themselves in the files that were written since an instant; the breaches only.

    A day's other rows are not looked at, so that nothing here says that a check holds.
    """
    files = files_of(lake, table, since=since)
    if files.num_rows == 0:
        return {}
    try:
        rows = stored_rows(lake, table, rules.columns_needed(table), files)
        found = {rules.NO_NULLS: _nulls(lake, table, files), **rules.row_findings(table, rows)}
    except (pa.ArrowException, ValueError, KeyError):  # of another schema, which the check of whole days names
        found = {rules.DECLARED_SCHEMA: rules.schema_finding(table, held_schema(lake, table))}
    return {name: finding for name, finding in found.items() if finding.problem}


def _nulls(lake: Lake, table: LakeTable, files: pa.Table) -> Finding:
    """Nulls by the figures of the table's log; only columns of which it does not say that there are none are read."""
    doubtful = [c.name for c in table.columns if not c.nullable and not _is_full(files, f"null_count.{c.name}")]
    if not doubtful:
        return HOLDS
    return rules.null_finding(table, stored_rows(lake, table, ["day", *table.key, *doubtful], files))


def _is_full(files: pa.Table, figure: str) -> bool:
    if files.num_rows == 0:
        return True
    if figure not in files.column_names or files[figure].null_count:
        return False
    return not pc.any(pc.greater(files[figure], 0)).as_py()


def _missing(lake: Lake, table: LakeTable, reference: Reference, days: Days, as_of: datetime) -> Finding:
    settled = pa.scalar(as_of - SETTLED, UTC_MICROS)
    clock = table.knowledge or "available_at"
    columns = {"day", clock, reference.column, *table.key}
    rows = stored_rows(lake, table, sorted(columns), files_of(lake, table, days=days))
    rows = rows.filter(pc.fill_null(pc.less_equal(rows[clock], settled), fill_value=False))
    if rows.num_rows == 0:
        return HOLDS
    other = BY_NAME[reference.table]
    files = files_of(lake, other, days=(days[0] - timedelta(days=1), days[1]))
    known = stored_rows(lake, other, [reference.to], files)[reference.to].combine_chunks()
    return rules.missing_finding(table, reference.column, rows, known, f"{reference.table}.{reference.to}")
