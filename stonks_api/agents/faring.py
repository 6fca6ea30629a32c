"""How agents and their variants fare: totals by variant, daily figures, and shadows held against the live agent."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from stonks_api.agents.comparing import compare, compare_events
from stonks_api.agents.entries import Comparison, Fared, Metric
from stonks_api.context import Context, Ctx
from stonks_api.wire import Limit, Shown
from stonks_core.errors import NotFoundError
from stonks_core.stores.lake.silver_tables import DOCUMENT_INTELLIGENCE, GLOBAL_EVENTS, IMPACT_RECORDS
from stonks_core.stores.postgres import Row

router = APIRouter(prefix="/api/agents", tags=["agents"])
CLASSIFIER = "event-classifier"
MOST_COMPARED = 5000
Days = Annotated[int, Query(ge=1, le=365, description="so many days back")]


class Performance(Shown):
    """How each variant fared with each model, most documents first."""

    items: list[Fared]


class Metrics(Shown):
    """Daily figures, newest day first."""

    items: list[Metric]


@router.get("/{agent}/performance")
def agent_performance(ctx: Ctx, agent: str, days: Days = 30, variant: str | None = None) -> Performance:
    """How the base and each variant fared over the last days, side by side."""
    _require(ctx, agent)
    rows = ctx.database.fetch(
        """
        SELECT variant, model, bool_or(shadow) AS shadow, count(*) AS documents, avg(ok::int::float) AS ok_share,
               sum(kept) AS kept, sum(dropped) AS dropped,
               sum(kept)::float / NULLIF(sum(kept) + sum(dropped), 0) AS valid_share,
               count(*) FILTER (WHERE recorded) AS recorded,
               avg(latency_ms) FILTER (WHERE latency_ms > 0) AS latency_ms_mean,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms) FILTER (WHERE latency_ms > 0) AS latency_ms_p95,
               sum(prompt_tokens) AS prompt_tokens, sum(output_tokens) AS output_tokens,
               sum(prompt_tokens + output_tokens)::float
                   / NULLIF(count(*) FILTER (WHERE prompt_tokens > 0), 0) AS tokens_per_document,
               COALESCE((array_agg(error ORDER BY id DESC) FILTER (WHERE error <> ''))[1], '') AS last_error,
               min(at) AS first_at, max(at) AS last_at
        FROM agent_performance_log
        WHERE agent = %(agent)s AND at > %(since)s AND (%(variant)s::text IS NULL OR variant = %(variant)s)
        GROUP BY variant, model ORDER BY documents DESC, variant, model
        """,
        {"agent": agent, "variant": variant, "since": ctx.clock.now() - timedelta(days=days)},
    )
    return Performance(items=[Fared.model_validate(row) for row in rows])


@router.get("/{agent}/metrics")
def agent_metrics(ctx: Ctx, agent: str, days: Days = 30, metric: str | None = None, limit: Limit = 200) -> Metrics:
    """The daily figures of each model as this agent, by variant."""
    _require(ctx, agent)
    rows = ctx.database.fetch(
        """
        SELECT model, variant, metric, value, samples, at FROM model_performance_metrics
        WHERE agent = %(agent)s AND at > %(since)s AND (%(metric)s::text IS NULL OR metric = %(metric)s)
        ORDER BY at DESC, model, variant, metric LIMIT %(limit)s
        """,
        {"agent": agent, "metric": metric, "since": ctx.clock.now() - timedelta(days=days), "limit": limit},
    )
    return Metrics(items=[Metric.model_validate(row) for row in rows])


@router.get("/{agent}/variants/{variant}/comparison")
def compare_variant(ctx: Ctx, agent: str, variant: str, days: Days = 7) -> Comparison:
    """What a shadow found against what the live agent found in the same documents, as the shadow was set up last."""
    _require(ctx, agent)
    rows = ctx.database.fetch(
        """
        SELECT config_hash, document_id, day, status, found FROM shadow_readings
        WHERE (agent, variant) = (%(agent)s, %(variant)s) AND read_at > %(since)s
          AND config_hash = (SELECT config_hash FROM shadow_readings WHERE (agent, variant) = (%(agent)s, %(variant)s)
                             ORDER BY read_at DESC, config_hash LIMIT 1)
        ORDER BY day DESC, document_id LIMIT %(most)s
        """,
        {
            "agent": agent,
            "variant": variant,
            "since": ctx.clock.now() - timedelta(days=days),
            "most": MOST_COMPARED,
        },
    )
    if not rows:
        raise NotFoundError(
            f"no shadow {variant} of {agent} has read anything in {days} days: activate one, or ask for more days"
        )
    live = _live(ctx, rows, macro=agent == CLASSIFIER)
    judged = (compare_events if agent == CLASSIFIER else compare)(rows, live)
    return Comparison.model_validate({"variant": variant, "config_hash": rows[0]["config_hash"], **judged})


def _live(ctx: Context, rows: list[Row], *, macro: bool) -> dict[str, list[dict[str, Any]]]:
    """What the live agent found, by document; a document that it has not read is not in it."""
    table = (GLOBAL_EVENTS if macro else DOCUMENT_INTELLIGENCE).name
    days = [rows[-1]["day"].isoformat(), rows[0]["day"].isoformat()]
    names = [row["document_id"] for row in rows]
    where = "day BETWEEN ? AND ? AND document_id IN (SELECT unnest(?))"
    read = ctx.sql.rows(
        f"SELECT * FROM {table} WHERE {where}",
        [*days, names],
        tables=[table],
    )
    if macro:
        return {row["document_id"]: [row] for row in read}
    found: dict[str, list[dict[str, Any]]] = {row["document_id"]: [] for row in read}
    impacts = ctx.sql.rows(
        f"SELECT document_id, ticker, sentiment, impact, catalyst FROM {IMPACT_RECORDS.name} WHERE {where}",
        [*days, names],
        tables=[IMPACT_RECORDS.name],
    )
    for impact in impacts:
        found.setdefault(impact["document_id"], []).append(impact)
    return found


def _require(ctx: Context, agent: str) -> None:
    if ctx.database.fetch_one("SELECT 1 AS one FROM ai_agents WHERE agent = %s", (agent,)) is None:
        raise NotFoundError(f"there is no agent {agent}: GET /api/agents lists those that there are")
