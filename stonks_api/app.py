"""The application put together: routers, pages, errors and the guards around them. Nothing is opened here."""

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from stonks_api import problems
from stonks_api.agents import faring as agents_faring
from stonks_api.agents import routes as agents_routes
from stonks_api.context import Context
from stonks_api.pages import docs, overview, why
from stonks_api.registry import attachments as registry_attachments
from stonks_api.registry import companies as registry_companies
from stonks_api.registry import sources as registry_sources
from stonks_api.registry import transfer as registry_transfer
from stonks_api.registry import watchlists as registry_watchlists
from stonks_api.risk import approvals, evaluations, limits
from stonks_api.routers import (
    audit,
    companies,
    decisions,
    documents,
    failures,
    health,
    layers,
    notifications,
    orders,
    patterns,
    pipeline,
    portfolio,
    recommendations,
    status,
    trends,
)
from stonks_api.security import Guarded, Traced, hosts_of
from stonks_api.trading import configuring, lists, money, steering
from stonks_core.clock import Clock
from stonks_core.settings import Settings
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import (
    RECOMMENDATION_EVIDENCE,
    RECOMMENDATIONS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
    TREND_WINDOWS,
)
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.silver_tables import (
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    GLOBAL_EVENTS,
    IMPACT_RECORDS,
    MACRO_IMPACTS,
)
from stonks_core.stores.postgres import Database

STATIC = Path(__file__).parent / "pages" / "static"
DESCRIPTION = """
Explained trading recommendations from news, filings and macro events, traded on paper.

Lists are ordered, bounded by `limit` and continued with `cursor`. Errors are problem+json (RFC 9457). Every answer
carries `x-trace-id`. What changes something needs the operator's token and a reason, and is on record.
"""
QUERIED = (
    DOCUMENTS,
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    IMPACT_RECORDS,
    GLOBAL_EVENTS,
    MACRO_IMPACTS,
    TREND_WINDOWS,
    TREND_EVIDENCE,
    TREND_HISTORY,
    TREND_PROJECTIONS,
    RECOMMENDATIONS,
    RECOMMENDATION_EVIDENCE,
)


def create_app(
    settings: Settings, database: Database, lake: Lake, *, token: str, port: int, clock: Clock, dagster_url: str = ""
) -> FastAPI:
    """The application over open stores.

    It answers only to loopback names with `port`; `token` is what changing requests must carry. Blocking work runs in
    the thread pool, because every route is a plain function.
    """
    app = FastAPI(
        title="Stonks Oracle",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.context = Context(settings, database, lake, LakeSql(lake, QUERIED), clock, dagster_url)
    problems.install(app)
    api = (
        status,
        companies,
        patterns,
        documents,
        trends,
        recommendations,
        audit,
        orders,
        portfolio,
        decisions,
        pipeline,
        layers,
        failures,
        health,
    )
    trading = (steering, configuring, lists, money, evaluations, limits, approvals, notifications)
    registry = (
        registry_companies,
        registry_attachments,
        registry_watchlists,
        registry_sources,
        registry_transfer,
    )
    for module in (*api, *trading, *registry, agents_routes, agents_faring):
        app.include_router(module.router)
    for page in (overview, why, docs):
        app.include_router(page.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guarded, hosts=hosts_of(port), token=token)
    app.add_middleware(Traced)
    return app
