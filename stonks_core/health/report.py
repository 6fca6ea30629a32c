"""The data's health as people are told it: on the page, by the API and by `stonks health` alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from stonks_core.health import store
from stonks_core.health.verdict import Reason, closed_because
from stonks_core.settings.scheduling import DataHealth
from stonks_core.stores.postgres import Connection, Row


@dataclass(frozen=True)
class Report:
    """Whether new positions may be opened at an instant and why not, the verdict behind it, and every check.

    `gate` is false where the settings let nothing be closed; `because` tells what would close the door all the same.
    """

    entries_open: bool
    because: str
    gate: bool
    judged_at: datetime | None
    changed_at: datetime | None
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    checks: tuple[Row, ...]
    refused_records: Mapping[str, int]


def report(connection: Connection, settings: DataHealth, as_of: datetime | None) -> Report:
    """The report as of an instant; without one, as of the last verdict, for a book that nobody judges any more."""
    stored = store.stored(connection)
    verdict = stored.verdict
    at = as_of or (verdict.as_of if verdict else None)
    patience = timedelta(minutes=settings.patience_minutes)
    because = closed_because(stored, at, patience) if at else "data health has never been judged in this book"
    return Report(
        entries_open=not because or not settings.gate,
        because=because,
        gate=settings.gate,
        judged_at=verdict.as_of if verdict else None,
        changed_at=store.changed_at(connection),
        reasons=verdict.reasons if verdict else (),
        warnings=verdict.warnings if verdict else (),
        checks=tuple(store.check_rows(connection)),
        refused_records=store.refused_records(connection),
    )
