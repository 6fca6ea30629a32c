"""The signal layers: what counts, what is wrong with it, and the switches, which are an operator's, on record."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Request

from stonks_api.audit import Wish
from stonks_api.context import Context, Ctx
from stonks_api.tracing import trace_id_of
from stonks_api.wire import Limit, Shown
from stonks_core.audit import OPERATOR
from stonks_core.errors import NotFoundError
from stonks_core.layers import layer_states, switch_layer, switchings
from stonks_core.vocabulary import Layer

router = APIRouter(prefix="/api/layers", tags=["pipeline"])


class LayerShown(Shown):
    """A layer: whether it counts and how much, who says so and why, and what is wrong with it; no `alert` where all is well."""

    layer: str
    enabled: bool
    weight: float
    says: str
    updated_by: str
    updated_at: datetime | None
    reason: str
    failures_in_a_row: int
    alert: str


class Layers(Shown):
    """All three layers, the base first."""

    layers: list[LayerShown]


class Switching(Shown):
    """One time that a layer was switched."""

    at: datetime
    actor: str
    action: str
    reason: str


class Switchings(Shown):
    """When a layer was switched, newest first."""

    switchings: list[Switching]


class LayerWish(Wish):
    """Whether a layer shall count, and why."""

    enabled: bool


def layers_of(ctx: Context) -> Layers:
    """The layers as they stand."""
    states = layer_states(ctx.database, ctx.settings.signals)
    return Layers(layers=[LayerShown.model_validate(asdict(state)) for state in states])


@router.get("")
def list_layers(ctx: Ctx) -> Layers:
    """Which layers count, with which weight, since when and why, and which of them fail."""
    return layers_of(ctx)


@router.put("/{layer}")
def put_layer(ctx: Ctx, request: Request, layer: str, wish: LayerWish) -> Layers:
    """Switch the macro or the competitive layer from the next cycle on. What came in meanwhile is kept, and counts again."""
    with ctx.database.connection() as connection:
        switch_layer(
            connection,
            _layer(layer),
            enabled=wish.enabled,
            actor=OPERATOR,
            reason=wish.reason,
            detail={"trace_id": trace_id_of(request.scope)},
        )
    return layers_of(ctx)


@router.get("/{layer}/history")
def get_history_of_layer(ctx: Ctx, layer: str, limit: Limit = 50) -> Switchings:
    """When a layer was switched, by whom and why."""
    rows = switchings(ctx.database, _layer(layer), limit)
    return Switchings(switchings=[Switching.model_validate(row) for row in rows])


def _layer(name: str) -> Layer:
    if name not in set(Layer):
        raise NotFoundError(f"there is no layer {name[:20]!r}: there are {', '.join(Layer)}")
    return Layer(name)
