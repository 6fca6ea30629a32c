"""What every route is given: the open stores, SQL over the lake, the settings and the present."""

from dataclasses import dataclass, field
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from stonks_core.clock import Clock
from stonks_core.settings import Settings
from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database


@dataclass(frozen=True)
class Context:
    """Opened once per process and shared by all requests; every part of it is safe to share between threads."""

    settings: Settings
    database: Database
    lake: Lake
    sql: LakeSql
    clock: Clock
    dagster_url: str
    seen: dict[str, Any] = field(default_factory=dict)  # by table: what was worked out of its newest version


def context_of(request: Request) -> Context:
    """The application's context."""
    return cast("Context", request.app.state.context)


Ctx = Annotated[Context, Depends(context_of)]
