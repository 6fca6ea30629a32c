"""The engine's state and its switches: pause, kill, breakers, and what is to be done once."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request

from stonks_api.context import Context, Ctx
from stonks_api.trading.entries import Asked, KillWish, OrderWish, ResetWish, Standing, Told
from stonks_api.wire import Shown, finite
from stonks_core.errors import BadInputError
from stonks_trading.console import breakers, orders, requests, switches
from stonks_trading.console.author import account_of
from stonks_trading.console.standing import diagnosis, standing
from stonks_trading.records import Breaker

router = APIRouter(prefix="/api/trading", tags=["trading"])


class ResetBreaker(Shown):
    """The engine after a breaker was reset, and what to know of that breaker."""

    note: str
    engine: Standing


class Diagnosis(Shown):
    """Everything that helps to find a fault, and no secret."""

    report: dict[str, Any]


def _standing(ctx: Context) -> Standing:
    return Standing.model_validate(standing(ctx.settings, ctx.database, ctx.clock.now()))


@router.get("/status")
def get_status(ctx: Ctx) -> Standing:
    """The engine: whether it trades and why not, switches, tier, breakers, owner, tasks, account, newest decisions."""
    return _standing(ctx)


@router.get("/debug")
def get_debug(ctx: Ctx) -> Diagnosis:
    """A diagnostic dump: the status, the settings in force, orders on their way, errors, notifications. No secrets."""
    return Diagnosis(report=finite(diagnosis(ctx.settings, ctx.database, ctx.clock.now())))


@router.post("/pause")
def post_pause(ctx: Ctx, request: Request, wish: Told) -> Standing:
    """Open no position until resumed, and let no buy leave that waits. Exits and stops go on, and so do orders by hand."""
    return _turned(ctx, request, wish, "paused", on=True)


@router.post("/resume")
def post_resume(ctx: Ctx, request: Request, wish: Told) -> Standing:
    """Let the engine open positions again."""
    return _turned(ctx, request, wish, "paused", on=False)


@router.post("/kill-switch")
def post_kill_switch(ctx: Ctx, request: Request, wish: KillWish) -> Standing:
    """Stop every new order, exits included, at the broker's door, or let them go again.

    When this has answered that it is on, no order leaves. It waits for one that is on its way. Orders at the broker
    stay there: cancel-all is a request of its own, and cancelling passes the switch.
    """
    return _turned(ctx, request, wish, "kill_switch", on=wish.on)


@router.post("/breakers/{breaker}/trip")
def post_trip(ctx: Ctx, request: Request, breaker: Breaker, wish: Told) -> Standing:
    """Trip the manual breaker: open buys are cancelled, and nothing but stops trades until it is reset."""
    if breaker is not Breaker.MANUAL:
        raise BadInputError(f"{breaker} trips by its measure; by hand it is the breaker {Breaker.MANUAL}")
    with ctx.database.connection() as connection:
        breakers.trip_manual(connection, wish.author(ctx, request))
    return _standing(ctx)


@router.post("/breakers/{breaker}/reset")
def post_breaker_reset(ctx: Ctx, request: Request, breaker: Breaker, wish: Told) -> ResetBreaker:
    """Let a tripped breaker close; the note says when it trips again."""
    with ctx.database.connection() as connection:
        note = breakers.reset(connection, wish.author(ctx, request), breaker)
    return ResetBreaker(note=note, engine=_standing(ctx))


@router.post("/cancel-all", status_code=202)
def post_cancel_all(ctx: Ctx, request: Request, wish: Told) -> Asked:
    """Ask for every open order to be cancelled, exits included; those that the engine gives later stay."""
    with ctx.database.connection() as connection:
        account_id = account_of(connection)["account_id"]
        return Asked.model_validate(requests.ask(connection, wish.author(ctx, request), account_id, "cancel_all"))


@router.post("/flatten", status_code=202)
def post_flatten(ctx: Ctx, request: Request, wish: Told) -> Asked:
    """Pause, cancel every open order and sell every position; done when nothing is held. It stays paused."""
    with ctx.database.connection() as connection:
        return Asked.model_validate(orders.ask_flatten(connection, wish.author(ctx, request), ctx.settings))


@router.post("/reset", status_code=202)
def post_reset(ctx: Ctx, request: Request, wish: ResetWish) -> Asked:
    """Full paper reset; `detail.does` of the answer says exactly what it does. A live account is refused."""
    with ctx.database.connection() as connection:
        return Asked.model_validate(orders.ask_reset(connection, wish.author(ctx, request), ctx.settings))


@router.post("/override/order", status_code=202)
def post_order(ctx: Ctx, request: Request, wish: OrderWish) -> Asked:
    """Ask for an order by hand. It goes the way of all orders: decision, risk checks, approval where asked, outbox.

    The answer carries the ids that its decision and its order will have; sent again under its key it is the same order.
    """
    wanted = orders.OwnOrder(wish.ticker, wish.side, wish.type, wish.notional, wish.quantity, wish.limit_price)
    with ctx.database.connection() as connection:
        author, valid = wish.author(ctx, request), timedelta(minutes=wish.valid_minutes)
        row = orders.ask_order(connection, author, ctx.settings, wish.idempotency_key, wanted, valid)
    return Asked.model_validate(row)


@router.post("/requests/{request_id}/withdraw")
def post_withdraw(ctx: Ctx, request: Request, request_id: UUID, wish: Told) -> Asked:
    """Take back a request that is not done; what it did stays done."""
    with ctx.database.connection() as connection:
        return Asked.model_validate(requests.withdraw(connection, wish.author(ctx, request), request_id))


def _turned(
    ctx: Context, request: Request, wish: Told, switch: Literal["paused", "kill_switch"], *, on: bool
) -> Standing:
    with ctx.database.connection() as connection:
        switches.turn(connection, wish.author(ctx, request), switch, on=on)
    return _standing(ctx)
