"""How agents and their variants are set up: read, changed, switched, promoted. Each change is one of the version read."""

from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from stonks_api.agents import editing
from stonks_api.agents.editing import Author, Edit
from stonks_api.agents.entries import (
    NO_SHADOWS,
    AgentChange,
    Change,
    Deleted,
    NewAgent,
    NewVariant,
    Options,
    Promotion,
    ShownAgent,
    ShownVariant,
    VariantChange,
    VersionedWish,
)
from stonks_api.context import Context, Ctx
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Cursor, Limit, Page, Shown, decode_cursor, page
from stonks_core.errors import BadInputError, NotFoundError
from stonks_core.stores.postgres import Row

router = APIRouter(prefix="/api/agents", tags=["agents"])
_OF_THE_WISH = frozenset({"reason", "version"})


class Agents(Shown):
    """All agents, by name."""

    items: list[ShownAgent]


class Variants(Shown):
    """An agent's variants, by name."""

    items: list[ShownVariant]


def agents_of(ctx: Context, agent: str | None = None) -> list[ShownAgent]:
    """The agents with their variants and what those spent within the hour."""
    rows = ctx.database.fetch(
        "SELECT * FROM ai_agents WHERE %(agent)s::text IS NULL OR agent = %(agent)s ORDER BY agent", {"agent": agent}
    )
    variants = ctx.database.fetch(
        """
        SELECT v.*, COALESCE((
            SELECT sum(prompt_tokens + output_tokens) FROM agent_performance_log l
            WHERE l.agent = v.agent AND l.variant = v.name AND l.at > %(now)s - interval '1 hour' AND l.at <= %(now)s
        ), 0) AS tokens_last_hour
        FROM agent_variants v WHERE %(agent)s::text IS NULL OR agent = %(agent)s ORDER BY agent, name
        """,
        {"agent": agent, "now": ctx.clock.now()},
    )
    return [_shown(ctx, row, [v for v in variants if v["agent"] == row["agent"]]) for row in rows]


def _shown(ctx: Context, row: Row, variants: list[Row]) -> ShownAgent:
    model = row["model"] or ctx.settings.endpoints.model
    shared = sum(v["traffic_weight"] for v in variants if v["active"] and not v["shadow"])
    shown = [ShownVariant.model_validate({**v, "effective_model": v["model"] or model}) for v in variants]
    return ShownAgent.model_validate(
        {**row, "effective_model": model, "base_share": max(0.0, 1 - shared), "variants": shown}
    )


def _agent(ctx: Context, agent: str) -> ShownAgent:
    found = agents_of(ctx, agent)
    if not found:
        raise NotFoundError(f"there is no agent {agent}: GET /api/agents lists those that there are")
    return found[0]


def _variant(ctx: Context, agent: str, name: str) -> ShownVariant:
    found = next((variant for variant in _agent(ctx, agent).variants if variant.name == name), None)
    if found is None:
        raise NotFoundError(f"{agent} has no variant {name}: GET /api/agents/{agent} lists those that it has")
    return found


def _edit(ctx: Context, request: Request, agent: str, reason: str, person: str = "") -> AbstractContextManager[Edit]:
    return editing.editing(ctx.database, agent, Author(reason, trace_id_of(request.scope), person))


def _given(wish: BaseModel) -> dict[str, Any]:
    """What a wish gives of what it may change; only limits and budgets may be null."""
    given = {name: getattr(wish, name) for name in wish.model_fields_set - _OF_THE_WISH}
    for name, value in given.items():
        if value is None and name not in {"input_token_limit", "token_budget_per_hour"}:
            raise BadInputError(f"{name} cannot be null: leave it out to keep it")
        if isinstance(value, Options):
            given[name] = value.given
    return given


def _refuse_shadow(ctx: Context, agent: str, *, shadow: bool) -> None:
    if shadow and _agent(ctx, agent).role in NO_SHADOWS:
        raise BadInputError(f"{agent} reads no documents: only agents that do can have shadows")


@router.get("")
def list_agents(ctx: Ctx) -> Agents:
    """The agents with their variants."""
    return Agents(items=agents_of(ctx))


@router.post("", status_code=201)
def post_agent(ctx: Ctx, request: Request, wish: NewAgent) -> ShownAgent:
    """Make an agent of one's own to try a prompt or a model with; the pipeline asks the three that it came with."""
    fields = wish.model_dump(exclude={"reason"}) | {"options": wish.options.given}
    editing.create_agent(ctx.database, Author(wish.reason, trace_id_of(request.scope)), fields)
    return _agent(ctx, wish.agent)


@router.get("/{agent}")
def get_agent(ctx: Ctx, agent: str) -> ShownAgent:
    """One agent with its variants."""
    return _agent(ctx, agent)


@router.patch("/{agent}")
def patch_agent(ctx: Ctx, request: Request, agent: str, wish: AgentChange) -> ShownAgent:
    """Change what is given of an agent's base. Running stages see it within a minute."""
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.change_agent(edit, wish.version, _given(wish))
    return _agent(ctx, agent)


@router.delete("/{agent}")
def delete_agent(ctx: Ctx, request: Request, agent: str, asked: Deleted) -> Agents:
    """Take out an agent of one's own with its variants; its history stays. The agents that are left."""
    with _edit(ctx, request, agent, asked.reason) as edit:
        editing.remove_agent(edit, asked.version)
    return Agents(items=agents_of(ctx))


@router.post("/{agent}/activate")
def activate_agent(ctx: Ctx, request: Request, agent: str, wish: VersionedWish) -> ShownAgent:
    """Switch an agent on."""
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.change_agent(edit, wish.version, {"active": True}, "activated")
    return _agent(ctx, agent)


@router.post("/{agent}/deactivate")
def deactivate_agent(ctx: Ctx, request: Request, agent: str, wish: VersionedWish) -> ShownAgent:
    """Switch an agent off: its documents wait until it is on again."""
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.change_agent(edit, wish.version, {"active": False}, "deactivated")
    return _agent(ctx, agent)


@router.get("/{agent}/history")
def agent_history(
    ctx: Ctx, agent: str, variant: str | None = None, limit: Limit = 50, cursor: Cursor = ""
) -> Page[Change]:
    """Every change of an agent and of its variants, newest first; of one variant only, where one is named.

    What was deleted keeps its history.
    """
    place = decode_cursor(cursor, 1)
    if place and not place[0].isdigit():
        raise BadInputError("the cursor is none of this list: pass `next_cursor` as it was given")
    rows = ctx.database.fetch(
        """
        SELECT * FROM agent_history
        WHERE agent = %(agent)s AND (%(variant)s::text IS NULL OR variant = %(variant)s)
          AND (%(after)s::bigint IS NULL OR id < %(after)s)
        ORDER BY id DESC LIMIT %(limit)s
        """,
        {"agent": agent, "variant": variant, "after": int(place[0]) if place else None, "limit": limit + 1},
    )
    if not rows:
        _agent(ctx, agent)
    return page(Change, rows, limit, lambda row: (row["id"],))


@router.get("/{agent}/variants")
def list_variants(ctx: Ctx, agent: str) -> Variants:
    """An agent's variants, active or not."""
    return Variants(items=_agent(ctx, agent).variants)


@router.post("/{agent}/variants", status_code=201)
def post_variant(ctx: Ctx, request: Request, agent: str, wish: NewVariant) -> ShownVariant:
    """Make a variant. It reads nothing before it is activated."""
    _refuse_shadow(ctx, agent, shadow=wish.shadow)
    weight = wish.traffic_weight if wish.traffic_weight is not None else float(wish.shadow)
    fields = wish.model_dump(exclude={"reason", "name"}) | {"options": wish.options.given, "traffic_weight": weight}
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.add_variant(edit, wish.name, fields)
    return _variant(ctx, agent, wish.name)


@router.get("/{agent}/variants/{variant}")
def get_variant(ctx: Ctx, agent: str, variant: str) -> ShownVariant:
    """One variant."""
    return _variant(ctx, agent, variant)


@router.patch("/{agent}/variants/{variant}")
def patch_variant(ctx: Ctx, request: Request, agent: str, variant: str, wish: VariantChange) -> ShownVariant:
    """Change what is given of a variant; the weights of active variants may come to 1 at most."""
    _refuse_shadow(ctx, agent, shadow=bool(wish.shadow))
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.change_variant(edit, variant, wish.version, _given(wish))
    return _variant(ctx, agent, variant)


@router.delete("/{agent}/variants/{variant}")
def delete_variant(ctx: Ctx, request: Request, agent: str, variant: str, asked: Deleted) -> Variants:
    """Take out a variant that is not active; the variants that are left."""
    with _edit(ctx, request, agent, asked.reason) as edit:
        editing.remove_variant(edit, variant, asked.version)
    return Variants(items=_agent(ctx, agent).variants)


def _switch(
    ctx: Context, request: Request, agent: str, variant: str, wish: VersionedWish, *, active: bool
) -> ShownVariant:
    action = "activated" if active else "deactivated"
    with _edit(ctx, request, agent, wish.reason) as edit:
        editing.change_variant(edit, variant, wish.version, {"active": active}, action)
    return _variant(ctx, agent, variant)


@router.post("/{agent}/variants/{variant}/activate")
def activate_variant(ctx: Ctx, request: Request, agent: str, variant: str, wish: VersionedWish) -> ShownVariant:
    """Give a variant its share of the documents, or let a shadow read besides."""
    return _switch(ctx, request, agent, variant, wish, active=True)


@router.post("/{agent}/variants/{variant}/deactivate")
def deactivate_variant(ctx: Ctx, request: Request, agent: str, variant: str, wish: VersionedWish) -> ShownVariant:
    """Take a variant out of the traffic."""
    return _switch(ctx, request, agent, variant, wish, active=False)


@router.post("/{agent}/variants/{variant}/promote")
def promote_variant(ctx: Ctx, request: Request, agent: str, variant: str, wish: Promotion) -> ShownAgent:
    """Make a variant's model, prompt, options and limit the agent's own. Needs a person and a reason."""
    with _edit(ctx, request, agent, wish.reason, wish.person) as edit:
        editing.promote(edit, variant, wish.version, wish.agent_version)
    return _agent(ctx, agent)
