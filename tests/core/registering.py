"""Edits of a registry for tests, at instants of their choosing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from stonks_core.registry import companies
from stonks_core.registry.editing import Author, Edit, editing
from stonks_core.registry.entries import NewCompany
from stonks_core.stores.postgres import Database

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TESTER = Author("tester", "because of the test", "trace-1")
T = TypeVar("T")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def edited(
    database: Database, now: datetime, act: Callable[[Edit], T], since: datetime | None = None, *, dry_run: bool = False
) -> T:
    with editing(database, TESTER, now, since, dry_run=dry_run) as edit:
        return act(edit)


def tracked(database: Database, ticker: str, now: datetime = START, **more: object) -> str:
    """The id of a company that is tracked from an instant on."""
    new = NewCompany.model_validate({"ticker": ticker, "legal_name": f"{ticker} Inc.", **more})
    return str(edited(database, now, lambda edit: companies.add_company(edit, new))["company_id"])
