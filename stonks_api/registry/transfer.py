"""The registry in bulk: out as CSV or JSON, in again all or nothing, and the SEC's own list of tickers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from stonks_api.context import Ctx
from stonks_api.registry.edits import AskedReason, AsOf, Upload, edit_by, instant
from stonks_api.wire import Shown
from stonks_core.errors import BadFieldsError, BadInputError
from stonks_core.registry.edgar_tickers import import_tickers, read_tickers
from stonks_core.registry.entries import is_ticker
from stonks_core.registry.importing import apply, rows_of
from stonks_core.registry.transfer import TABLES, Format, TableName, read_csv, read_json, to_csv, to_json

router = APIRouter(prefix="/registry", tags=["registry"])
DryRun = Annotated[bool, Query(description="say what it would change, and change nothing")]
BINARY = {"schema": {"type": "string", "format": "binary"}}
CSV_OR_JSON: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/csv": BINARY, "application/json": BINARY}}
}
JSON_ONLY: dict[str, Any] = {"requestBody": {"required": True, "content": {"application/json": BINARY}}}


class ImportedLine(Shown):
    """What one line does: `add` or `change`, and of a change which fields, what they were and what they are."""

    table: str
    where: str
    key: str
    action: str
    changes: dict[str, Any]


class ImportReport(Shown):
    """What an import did or would do, and how many lines said what held already."""

    dry_run: bool
    lines: int
    changed: int
    unchanged: int
    items: list[ImportedLine]


class TickerReport(Shown):
    """What came of the SEC's list: tickers added, companies filled in, and what EDGAR writes in another way than we do."""

    dry_run: bool
    listed: int
    added: list[str]
    filled: list[str]
    differing: list[dict[str, Any]]


@router.get("/export", response_class=Response, responses={200: {"content": {"text/csv": {}, "application/json": {}}}})
def export(
    ctx: Ctx,
    table: Annotated[
        TableName | None, Query(description="this table; all, which only JSON can hold, where not given")
    ] = None,
    format: Annotated[Format, Query(description="csv or json")] = "json",  # noqa: A002 - the query's own word
    as_of: AsOf = None,
) -> Response:
    """The registry as it stood at an instant, as a file that can be imported; watchlists and sources as they are now."""
    if format == "csv" and table is None:
        raise BadInputError(f"CSV holds one table: name it with table=, one of {', '.join(TABLES)}")
    at = instant(ctx, as_of)
    with ctx.database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        rows = {name: rows_of(connection, name, at) for name in ([table] if table else TABLES)}
    headers = {"content-disposition": f'attachment; filename="{table or "registry"}.{format}"'}
    if format == "csv" and table is not None:
        return Response(to_csv(table, rows[table]), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(to_json(rows), media_type="application/json", headers=headers)


@router.post("/import", openapi_extra=CSV_OR_JSON)
def import_registry(
    ctx: Ctx,
    request: Request,
    body: Upload,
    reason: AskedReason,
    table: Annotated[TableName | None, Query(description="what a CSV holds; a JSON names its tables itself")] = None,
    format: Annotated[Format, Query(description="csv or json")] = "json",  # noqa: A002 - the query's own word
    effective_from: AsOf = None,
    dry_run: DryRun = False,
) -> ImportReport:
    """Add what is new and change what differs; remove nothing. All of it, or, where one line is bad, none."""
    if format == "csv" and table is None:
        raise BadInputError(f"CSV holds one table: name it with table=, one of {', '.join(TABLES)}")
    tables = read_csv(table, body) if format == "csv" and table is not None else read_json(body, table)
    with edit_by(ctx, request, reason, effective_from, dry_run=dry_run) as edit:
        done = apply(edit, tables)
    lines = sum(len(rows) for rows in tables.values())
    items = [ImportedLine.model_validate(one.told()) for one in done]
    return ImportReport(dry_run=dry_run, lines=lines, changed=len(items), unchanged=lines - len(items), items=items)


@router.post("/import/edgar-tickers", openapi_extra=JSON_ONLY)
def import_edgar_tickers(
    ctx: Ctx,
    request: Request,
    body: Upload,
    reason: AskedReason,
    tickers: Annotated[list[str] | None, Query(description="track these too", max_length=1000)] = None,
    all: Annotated[bool, Query(description="track every one of them")] = False,  # noqa: A002 - the query's own word
    dry_run: DryRun = False,
) -> TickerReport:
    """Upload EDGAR's company_tickers.json: tracked companies that lack a CIK or a name get it, those asked for are added."""
    wanted = [ticker.upper() for ticker in tickers or ()]
    if bad := [ticker for ticker in wanted if not is_ticker(ticker)]:
        raise BadFieldsError(("query.tickers", f"{ticker[:20]!r} is no ticker") for ticker in bad)
    filers = read_tickers(body)
    with edit_by(ctx, request, reason, dry_run=dry_run) as edit:
        report = import_tickers(edit, filers, wanted, everyone=all)
    return TickerReport.model_validate({"dry_run": dry_run, **report.told()})
