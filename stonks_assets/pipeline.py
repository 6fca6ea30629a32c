"""What a stage is given and what it reports. Stages are called alike by a Dagster asset, a replay and a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from psycopg.types.json import Jsonb

from stonks_core.calendar import MarketCalendar
from stonks_core.clock import Clock
from stonks_core.layers import layer_enabled
from stonks_core.registry.universe import Universe, load_universe
from stonks_core.settings import Settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Layer


@dataclass(frozen=True)
class StepReport:
    """What a stage did in one call: rows written by table, items that failed, figures worth showing.

    `down` holds a sentence for each source that did not answer.
    """

    written: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    down: Sequence[str] = ()


class Failures:
    """Items that failed: one row per stage and item, counted, resolved when the item succeeds later; and what is noted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        stage: str,
        item: str,
        error: str,
        at: datetime,
        *,
        day: date | None = None,
        detail: Mapping[str, object] | None = None,
        noted: bool = False,
    ) -> None:
        """Note that an item failed at an instant; the same failure again counts another attempt.

        What is merely `noted` went as it should, and nobody must act on it.
        """
        self._database.execute(
            """
            INSERT INTO failures (stage, item, day, error, detail, status, first_at, last_at)
            VALUES (%(stage)s, %(item)s, %(day)s, %(error)s, %(detail)s, %(status)s, %(at)s, %(at)s)
            ON CONFLICT (stage, item) DO UPDATE SET error = excluded.error, detail = excluded.detail,
                status = excluded.status,
                last_at = excluded.last_at, attempts = failures.attempts + 1,
                retries = CASE WHEN failures.status = 'resolved' THEN 0 ELSE failures.retries END
            """,
            {
                "stage": stage,
                "item": item,
                "day": day,
                "error": error,
                "detail": Jsonb(dict(detail or {})),
                "status": "noted" if noted else "open",
                "at": at,
            },
        )

    def status(self, stage: str, item: str) -> str:
        """How an item stands, `open`, `replay`, `noted`, `resolved` or `dismissed`; empty where it never failed."""
        row = self._database.fetch_one("SELECT status FROM failures WHERE stage = %s AND item = %s", (stage, item))
        return str(row["status"]) if row else ""

    def resolve(self, stage: str, items: list[str], at: datetime) -> None:
        """Note that items that may have failed before have succeeded."""
        if items:
            self._database.execute(
                "UPDATE failures SET status = 'resolved', last_at = %s "
                "WHERE stage = %s AND item = ANY(%s) AND status <> 'resolved'",
                (at, stage, items),
            )


@dataclass
class Pipeline:
    """The stores, settings and clock of one run. `clock` stamps what happens now; what is computed reads `as_of`."""

    settings: Settings
    lake: Lake
    database: Database
    clock: Clock

    @cached_property
    def failures(self) -> Failures:
        """The table of failed items."""
        return Failures(self.database)

    @cached_property
    def calendar(self) -> MarketCalendar:
        """The market's sessions."""
        return MarketCalendar(self.settings.calendar_name)

    def universe(self, as_of: datetime) -> Universe:
        """The registry as it stood at an instant."""
        return load_universe(self.database, as_of)

    def layer_enabled(self, layer: Layer) -> bool:
        """Whether a signal layer is on at this moment: the row in risk_configs, else the setting."""
        return layer_enabled(self.database, self.settings.signals, layer)
