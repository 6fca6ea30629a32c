"""The page at `/`: the account, what is recommended and why, what was ordered, and whether the pipeline is alive."""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from stonks_api.context import Context, Ctx
from stonks_api.lake_query import LakeQuery, days_held
from stonks_api.pages.rendering import render
from stonks_api.routers.decisions import newest_decisions
from stonks_api.routers.failures import newest_failures
from stonks_api.routers.health import health_of
from stonks_api.routers.layers import layers_of
from stonks_api.routers.orders import newest_orders
from stonks_api.routers.pipeline import toggle_of
from stonks_api.routers.portfolio import portfolio_of
from stonks_api.routers.recommendations import Recommendation, with_best_quotes
from stonks_api.routers.status import alerts_of, engine_alive, engine_of, table_states
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_WINDOWS
from stonks_core.stores.lake.silver_tables import DOCUMENTS
from stonks_core.vocabulary import Window

router = APIRouter()
SHOWN_ORDERS, SHOWN_DECISIONS, SHOWN_RECOMMENDATIONS, SHOWN_FAILURES, SHOWN_SESSIONS = 15, 6, 8, 3, 60
LOOK_BACK = 30  # days that have recommendations


@router.get("/", response_class=HTMLResponse)
def get_overview(ctx: Ctx) -> HTMLResponse:
    """The overview."""
    engine = engine_of(ctx)
    portfolio = portfolio_of(ctx.database, SHOWN_SESSIONS)
    failures = newest_failures(ctx.database, SHOWN_FAILURES)
    counted = ctx.database.fetch_one("SELECT count(*) AS n FROM failures WHERE status = 'open'")
    return render(
        "overview.html",
        ctx,
        portfolio=portfolio,
        equity_line=[session.equity for session in portfolio.sessions],
        views=_views(ctx),
        orders=newest_orders(ctx.database, SHOWN_ORDERS).items,
        decisions=newest_decisions(ctx.database, SHOWN_DECISIONS).items,
        tables={state.table: state for state in table_states(ctx, (DOCUMENTS, TREND_WINDOWS, RECOMMENDATIONS))},
        failures=failures.items,
        failures_open=counted["n"] if counted else 0,
        health=health_of(ctx),
        toggle=toggle_of(ctx.database),
        layers=layers_of(ctx).layers,
        alerts=alerts_of(ctx),
        engine=engine,
        engine_alive=engine_alive(engine, ctx.clock.now()),
        trading_enabled=ctx.settings.trading_enabled,
    )


@dataclass(frozen=True)
class View:
    """A company's strongest recommendation of the newest ones, and the other windows that say the same."""

    strongest: Recommendation
    also: list[str]

    @property
    def summary(self) -> str:
        """The thesis' first line."""
        return self.strongest.thesis.partition("\n")[0]

    @property
    def rest(self) -> str:
        """The lines after it."""
        return self.strongest.thesis.partition("\n")[2]


def _views(ctx: Context) -> list[View]:
    """The newest views to buy or sell, one for each company, the strongest of one instant first; any where none is decisive."""
    days = days_held(ctx.lake, RECOMMENDATIONS)[:LOOK_BACK]
    for decisive in (True, False):
        query = LakeQuery("*", RECOMMENDATIONS.name, [RECOMMENDATIONS.name])
        if decisive:
            query.where("action IN ('buy', 'sell')")
        order = "as_of DESC, strength * confidence DESC, recommendation_id"
        rows = query.newest(ctx.sql, days, order, SHOWN_RECOMMENDATIONS * len(Window))
        if rows:
            return _by_company([Recommendation.model_validate(row) for row in with_best_quotes(ctx, rows)])
    return []


def _by_company(newest: Iterable[Recommendation]) -> list[View]:
    views: dict[str, View] = {}
    for one in newest:
        view = views.setdefault(one.ticker, View(one, []))
        new = one.window not in (view.strongest.window, *view.also)
        if new and one.action == view.strongest.action:
            view.also.append(one.window)
    return list(views.values())[:SHOWN_RECOMMENDATIONS]
