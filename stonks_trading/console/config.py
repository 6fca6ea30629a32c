"""Limits and settings that operators change while the engine runs: rows of `risk_configs`, each change with its history.

A group of keys (`risk.`, `trading.`) has one version: the newest entry of its history. The engine reads the rows at
each round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from psycopg.types.json import Jsonb

from stonks_core.errors import BadFieldsError, BadInputError
from stonks_core.settings import Settings
from stonks_core.settings.trading import Trading
from stonks_core.stores.postgres import Connection
from stonks_core.versions import same_version
from stonks_core.vocabulary import RiskTier
from stonks_trading import control, runtime
from stonks_trading.console.author import Author, account_of
from stonks_trading.console.switches import turn
from stonks_trading.decide.rules import TradingRules
from stonks_trading.risk.config import BOUNDS, PREFIX, SWITCHES, RiskConfig
from stonks_trading.risk.config import refusal as risk_refusal

Group = Literal["risk.", "trading."]
_NAMES: Mapping[str, Sequence[str]] = {PREFIX: (*BOUNDS, *SWITCHES), runtime.PREFIX: runtime.CHANGEABLE}


@dataclass(frozen=True)
class Wanted:
    """What shall change: values by name, and names that go back to their default."""

    values: Mapping[str, object]
    unset: Sequence[str] = ()


def rows_of(connection: Connection, group: Group) -> dict[str, Any]:
    """The values that are set in a group, by key."""
    rows = connection.execute("SELECT key, value FROM risk_configs WHERE starts_with(key, %s)", (group,)).fetchall()
    return {row["key"]: row["value"] for row in rows}


def version_of(connection: Connection, group: Group) -> int:
    """The group's version; 0 where nobody ever changed anything."""
    row = connection.execute(
        "SELECT COALESCE(max(id), 0) AS version FROM risk_config_history WHERE starts_with(key, %s)", (group,)
    ).fetchone()
    return int(row["version"]) if row else 0


def change(connection: Connection, author: Author, group: Group, version: int | None, wanted: Wanted) -> dict[str, Any]:
    """Change a group as it stood at a version (None: whatever it is); by key, what was and what is.

    Raises BadFieldsError naming every value that may not be, ConflictError for another version; nothing is written then.
    """
    _begin(connection, group, version)
    _check(group, wanted)
    held = rows_of(connection, group)
    changed: dict[str, Any] = {}
    for name, value in wanted.values.items():
        key = group + name
        if key not in held or held[key] != value:
            changed[key] = {"was": held.get(key), "is": value}
            connection.execute(
                """
                INSERT INTO risk_configs AS held (key, value, note, updated_by, updated_at) VALUES (%s, %s, %s, %s, %s)
                ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, note = EXCLUDED.note,
                    version = held.version + 1, updated_by = EXCLUDED.updated_by, updated_at = EXCLUDED.updated_at
                """,
                (key, Jsonb(value), author.reason, author.name, author.at),
            )
    for name in wanted.unset:
        key = group + name
        if key in held:
            changed[key] = {"was": held[key], "is": None}
            connection.execute("DELETE FROM risk_configs WHERE key = %s", (key,))
    for key, what in changed.items():
        _remember(connection, author, key, what)
    if changed:
        author.record(connection, f"{group}config_changed".replace(".", "_"), group.rstrip("."), {"changed": changed})
    return changed


def change_trading(
    connection: Connection,
    author: Author,
    settings: Settings,
    session: date,
    version: int | None,
    wanted: Wanted,
    *,
    tier: RiskTier | None = None,
    auto_tier: bool | None = None,
) -> None:
    """Change the trading settings, and the tier and whether it adjusts itself where they are given."""
    change(connection, author, "trading.", version, wanted)
    if tier is not None:
        account_id = account_of(connection)["account_id"]
        before = control.current_tier(connection, account_id, settings.trading.risk_tier)
        if before is not tier:
            connection.execute(
                """
                INSERT INTO risk_tier_history (account_id, at, session, from_tier, to_tier, actor, reason)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                """,
                (account_id, author.at, session, str(before), str(tier), author.name, author.reason),
            )
            _remember(connection, author, "trading.risk_tier", {"was": str(before), "is": str(tier)})
            author.record(connection, "risk_tier_set", "engine", {"was": str(before), "is": str(tier)})
    if auto_tier is not None and turn(connection, author, "auto_tier", on=auto_tier):
        _remember(connection, author, "trading.auto_tier", {"was": not auto_tier, "is": auto_tier})


def trading_of(connection: Connection, settings: Settings) -> tuple[Trading, str]:
    """The trading settings in force, and why rows of theirs cannot be read, if so (then none of them is in force)."""
    try:
        return runtime.overridden(settings.trading, rows_of(connection, "trading.")), ""
    except BadInputError as error:
        return settings.trading, str(error)


def limits_of(connection: Connection, settings: Settings, tier: RiskTier) -> tuple[RiskConfig, RiskConfig, str]:
    """The risk engine's limits where no row says otherwise, those in force, and why rows cannot be read, if so."""
    trading, _ = trading_of(connection, settings)
    plain = RiskConfig.from_rules(TradingRules.from_settings(trading, settings.broker.mode), tier)
    try:
        return plain, plain.with_rows(rows_of(connection, "risk.")), ""
    except BadInputError as error:
        return plain, plain, str(error)


def _begin(connection: Connection, group: Group, version: int | None) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('config ' || %s, 0))", (group,))
    same_version(f"the configuration {group.rstrip('.')}", version_of(connection, group), version)


def _check(group: Group, wanted: Wanted) -> None:
    problems = [(name, f"there is no such setting; there are {', '.join(_NAMES[group])}") for name in wanted.unset
                if name not in _NAMES[group]]  # fmt: skip
    problems += [(name, "is set and unset at once") for name in wanted.unset if name in wanted.values]
    for name, value in wanted.values.items():
        said = risk_refusal(PREFIX + name, value) if group == PREFIX else runtime.refusal(name, value)
        problems += [(name, said)] if said else []
    if problems:
        raise BadFieldsError(problems)


def _remember(connection: Connection, author: Author, key: str, what: Mapping[str, Any]) -> None:
    connection.execute(
        'INSERT INTO risk_config_history (key, was, "is", actor, reason, at) VALUES (%s, %s, %s, %s, %s, %s)',
        (key, Jsonb(what["was"]), Jsonb(what["is"]), author.name, author.reason, author.at),
    )
