"""The door to new positions: what the data's health says of opening one. The composition root hands one in.

The daemon reads the verdict that the assets store. A replay of past days has no door of that kind: the verdict is about
the pipeline of today, and a recording was fetched once and for all, so that neither its age nor its sources say anything.
Decisions are made by the same code either way.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from stonks_core.health import store
from stonks_core.settings.scheduling import DataHealth
from stonks_core.stores.postgres import Connection

Door: TypeAlias = Callable[[Connection, datetime], str]
"""Why no position may be opened at an instant, as a sentence without its full stop; empty where one may."""


def open_door(_connection: Connection, _as_of: datetime) -> str:
    """The door of a replay, which is never shut."""
    return ""


def stored_verdict(settings: DataHealth) -> Door:
    """The door that the stored verdict opens and shuts; one that is never shut where the settings want none."""
    if not settings.gate:
        return open_door
    patience = timedelta(minutes=settings.patience_minutes)
    return lambda connection, as_of: store.door(connection, as_of, patience)
