"""The switches that stand until somebody turns them: pause, kill switch, automatic tier."""

from typing import Literal

from psycopg.types.json import Jsonb

from stonks_core.notifications.notices import leave
from stonks_core.stores.postgres import Connection
from stonks_trading import control
from stonks_trading.console.author import Author

Switch = Literal["paused", "kill_switch", "auto_tier"]
_ACTIONS = {
    ("paused", True): "trading_paused",
    ("paused", False): "trading_resumed",
    ("kill_switch", True): "kill_switch_on",
    ("kill_switch", False): "kill_switch_off",
    ("auto_tier", True): "auto_tier_on",
    ("auto_tier", False): "auto_tier_off",
}
_TOLD = frozenset({"kill_switch"})


def turn(connection: Connection, author: Author, switch: Switch, *, on: bool) -> bool:
    """Turn a switch; whether it stood otherwise. One that stands so already is left alone, and nothing is recorded.

    The kill switch waits for the one order that may be on its way to the broker, and for nothing else: when the
    transaction has committed, no order leaves until it is turned off. Exits are orders too and wait with the rest; a
    stop that rests at the broker stays there.
    """
    if switch == "kill_switch":
        control.stop_sending(connection)
    row = connection.execute("SELECT value FROM engine_control WHERE key = %s FOR UPDATE", (switch,)).fetchone()
    if row is not None and row["value"] is on:
        return False
    connection.execute(
        """
        INSERT INTO engine_control (key, value, reason, updated_by, updated_at) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, reason = EXCLUDED.reason,
            updated_by = EXCLUDED.updated_by, updated_at = EXCLUDED.updated_at
        """,
        (switch, Jsonb(on), author.reason, author.name, author.at),
    )
    action = _ACTIONS[switch, on]
    author.record(connection, action, "engine", {"was": row["value"] if row else None, "is": on})
    if switch in _TOLD:
        said = f"{author.name}: {author.reason}"
        leave(connection, author.at, "critical" if on else "warning", action.replace("_", " "), said)
    return True
