"""Which TRADING_* settings an operator may change while the daemon runs, and the settings with those changes in place.

Rows are `trading.` and the setting's name without TRADING_, in lower case, with a JSON value. What shapes the daemon
itself (whether it trades at all, its intervals, its addresses) is the environment's alone. Pure.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from stonks_core.errors import BadInputError
from stonks_core.settings.trading import Trading

PREFIX = "trading."
CHANGEABLE = (
    "absolute_position_cap",
    "active_pool_minimum",
    "max_open_positions",
    "gradual_entry_tranches",
    "gradual_entry_threshold_dollars",
    "emergency_drawdown_threshold_pct",
    "single_position_loss_pct",
    "volatility_breaker",
    "reserve_siphon_pct",
    "reserve_high_water_pct",
    "micro_trading_enabled",
    "micro_trading_interval_seconds",
    "micro_trading_allocation_cap_pct",
    "micro_trading_max_daily",
    "micro_trading_max_hold_minutes",
)


def overridden(trading: Trading, rows: Mapping[str, object]) -> Trading:
    """The settings with the rows' values (key -> parsed JSON) in place; keys of others are passed over.

    Raises BadInputError naming every row that is unknown or out of bounds.
    """
    mine = {key.removeprefix(PREFIX): value for key, value in rows.items() if key.startswith(PREFIX)}
    problems = [said for name, value in sorted(mine.items()) if (said := refusal(name, value))]
    if problems:
        raise BadInputError(" ".join(problems))
    return Trading.model_validate({**trading.model_dump(), **mine}) if mine else trading


def refusal(name: str, value: object) -> str:
    """Why a setting may not be changed so, in a sentence; empty where it may."""
    if name not in CHANGEABLE:
        return f"{PREFIX}{name} cannot be changed while the engine runs; there are {', '.join(CHANGEABLE)}."
    if isinstance(value, bool) != (Trading.model_fields[name].annotation is bool):
        return f"{PREFIX}{name} is {value!r}: {Trading.model_fields[name].description}."
    try:
        Trading.model_validate({name: value})
    except ValidationError as error:
        return f"{PREFIX}{name} is {value!r}: {error.errors()[0]['msg']} ({Trading.model_fields[name].description})."
    return ""


def shown(trading: Trading) -> dict[str, Any]:
    """The changeable settings as JSON values."""
    held = {name: getattr(trading, name) for name in CHANGEABLE}
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in held.items()}
