"""The switches of the signal layers: read on each cycle, set by an operator with a reason, on record.

A row of `risk_configs` (`macro_enabled`, `competitive_enabled`) goes before the setting of the same name; without one
the setting holds. The company layer is the base of everything and has no switch.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from stonks_core import alerts
from stonks_core.audit import note
from stonks_core.errors import BadInputError
from stonks_core.settings.slices import Signals
from stonks_core.stores.postgres import Connection, Database
from stonks_core.vocabulary import Layer

LOG = logging.getLogger(__name__)
SWITCHED = (Layer.MACRO, Layer.COMPETITIVE)
READ_ALARM = 3
"""Failures to read a layer, in a row, after which a person is told."""
ACTIONS = {True: "layer_enabled", False: "layer_disabled"}
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "on", "yes", "1"), True),
    **dict.fromkeys(("false", "off", "no", "0"), False),
}


@dataclass(frozen=True)
class LayerState:
    """Whether a layer counts, with which weight, who says so since when and why, and what is wrong with it.

    `says` is `risk_configs`, `setting`, or `always` for the company layer. `failures_in_a_row` is of what failed most
    often; `alert` says what failed so often that a person must see to it, and is empty when all is well.
    """

    layer: str
    enabled: bool
    weight: float
    says: str
    updated_by: str
    updated_at: datetime | None
    reason: str
    failures_in_a_row: int
    alert: str


def subjects_of(layer: Layer) -> tuple[str, ...]:
    """What can fail of a layer, by the names of its counters and alerts: reading it, and what is its own."""
    own = {Layer.MACRO: (alerts.MACRO_CLASSIFICATION,), Layer.COMPETITIVE: (alerts.COMPETITIVE_PROPAGATION,)}
    return (f"{layer} layer", *own.get(layer, ()))


def counter_of(subject: str) -> str:
    """The key of `pipeline_control` that counts a subject's failures in a row."""
    return f"{subject}: failures in a row"


def layer_enabled(database: Database, settings: Signals, layer: Layer) -> bool:
    """Whether a layer counts at this moment; by its setting where the row says neither yes nor no, which is logged."""
    row = database.fetch_one("SELECT value FROM risk_configs WHERE key = %s", (_key(layer),))
    told = _told(row["value"]) if row and layer in SWITCHED else None
    if row and layer in SWITCHED and told is None:
        LOG.error("%s", _unclear(layer, row["value"]))
    return _by_setting(settings, layer) if told is None else told


def layer_states(database: Database, settings: Signals) -> list[LayerState]:
    """Every layer as it stands, the base first."""
    held = {
        row["key"]: row
        for row in database.fetch(
            "SELECT key, value, note, updated_by, updated_at FROM risk_configs WHERE key = ANY(%s)",
            ([_key(layer) for layer in SWITCHED],),
        )
    }
    counted = database.fetch(
        "SELECT key, value FROM pipeline_control WHERE key = ANY(%s)",
        ([counter_of(subject) for layer in Layer for subject in subjects_of(layer)],),
    )
    failures = {row["key"]: int(row["value"]) for row in counted}
    alarming = alerts.open_alerts(database)
    return [_state(layer, settings, held.get(_key(layer)), failures, alarming) for layer in Layer]


def _state(
    layer: Layer,
    settings: Signals,
    row: Mapping[str, Any] | None,
    failures: Mapping[str, int],
    alarming: Mapping[str, str],
) -> LayerState:
    weights = {Layer.MACRO: settings.macro_signal_weight, Layer.COMPETITIVE: settings.competitive_signal_weight}
    told = _told(row["value"]) if row else None
    reason = row["note"] if row else ""
    return LayerState(
        layer=str(layer),
        enabled=_by_setting(settings, layer) if told is None else told,
        weight=weights.get(layer, 1.0),
        says="always" if layer is Layer.COMPANY else "setting" if told is None else "risk_configs",
        updated_by=row["updated_by"] if row else "",
        updated_at=row["updated_at"] if row else None,
        reason=_unclear(layer, row["value"]) if row and told is None else reason,
        failures_in_a_row=max(failures.get(counter_of(subject), 0) for subject in subjects_of(layer)),
        alert=" ".join(alarming[subject] for subject in subjects_of(layer) if subject in alarming),
    )


def switch_layer(
    connection: Connection,
    layer: str,
    *,
    enabled: bool,
    actor: str,
    reason: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Switch a layer from the next cycle on, with a row of the audit trail; the caller commits.

    Nothing that was ingested, classified or propagated is lost while a layer is off. Raises BadInputError for the
    company layer and for what is no layer.
    """
    if layer not in SWITCHED:
        named = " and ".join(SWITCHED)
        raise BadInputError(f"the layer {layer[:20]!r} cannot be switched: {named} can, the company layer is the base")
    key = _key(layer)
    before = connection.execute("SELECT value FROM risk_configs WHERE key = %s FOR UPDATE", (key,)).fetchone()
    connection.execute(
        """
        INSERT INTO risk_configs (key, value, note, updated_by) VALUES (%(key)s, %(value)s, %(note)s, %(actor)s)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value, note = excluded.note, updated_by = excluded.updated_by,
            updated_at = now(), version = risk_configs.version + 1
        """,
        {"key": key, "value": Jsonb(enabled), "note": reason, "actor": actor},
    )
    was = before["value"] if before else None
    note(connection, actor, ACTIONS[enabled], f"layer {layer}", reason, {"was": was, **(detail or {})})


def switchings(database: Database, layer: str, limit: int) -> list[dict[str, Any]]:
    """When a layer was switched, by whom and why, newest first; as long as the audit trail is kept."""
    return database.fetch(
        """
        SELECT at, actor, action, reason FROM audit_events WHERE subject = %s AND action = ANY(%s)
        ORDER BY id DESC LIMIT %s
        """,
        (f"layer {layer}", list(ACTIONS.values()), limit),
    )


def _key(layer: str) -> str:
    return f"{layer}_enabled"


def _by_setting(settings: Signals, layer: Layer) -> bool:
    enabled = {Layer.MACRO: settings.macro_enabled, Layer.COMPETITIVE: settings.competitive_enabled}
    return enabled.get(layer, True)


def _told(value: object) -> bool | None:
    """What a row's value says, in a word or number too, as a person may write it by hand; None where that is unclear."""
    return _WORDS.get(value.strip().lower() if isinstance(value, str) else str(value).lower())


def _unclear(layer: Layer, value: object) -> str:
    return (
        f"risk_configs.{_key(layer)} is {value!r}, which is neither true nor false, so that the setting holds: "
        f"set it with `stonks layers on|off {layer} --reason ...`"
    )
