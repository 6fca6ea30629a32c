"""What a benchmark stands on: a temporary PostgreSQL, and pipelines over fresh stores that ask a benchmark's server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from psycopg.types.json import Jsonb
from pydantic import SecretStr

from stonks_assets.pipeline import Pipeline
from stonks_cli.bench.served import TICKER, Vendor
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.embedded.temporary import temporary_postgres
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.lake.location import LakeLocation
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import SourceType


@dataclass(frozen=True)
class Ground:
    """A server of databases and a folder for lakes, both gone afterwards."""

    postgres: Postgres
    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def lake(self) -> Lake:
        """An empty lake."""
        return Lake(LakeLocation(str(self.folder / self.name())))

    def name(self) -> str:
        """A new name for a database or a folder."""
        return f"bench_{os.getpid()}_{next(self._numbers)}"

    @contextmanager
    def pipeline(self, vendor: Vendor, now: datetime) -> Iterator[Pipeline]:
        """A pipeline over fresh stores at an instant: one company, its news, and a source for each of the feeds."""
        name = self.name()
        ensure_database(self.postgres, name)
        migrate(self.postgres, name)
        settings = load_settings({"STONKS_HOME": str(self.folder), "SANDBOX_URL": vendor.url})
        with Database(self.postgres, name, application="bench") as database:
            _register(database, vendor)
            yield Pipeline(settings, self.lake(), database, ManualClock(now))


@contextmanager
def ground() -> Iterator[Ground]:
    """The ground of one run."""
    with temporary_postgres() as server, tempfile.TemporaryDirectory(prefix="stonks-bench-") as folder:
        where, password = server.address, SecretStr(server.password)
        postgres = Postgres(host=where.host, port=where.port, db="bench", user=server.user, password=password)
        yield Ground(postgres, Path(folder))


def _register(database: Database, vendor: Vendor) -> None:
    feeds = {f"feed {n}": {"url": f"{vendor.url}/web/feeds/{n}"} for n in range(vendor.goods.feeds)}
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO companies (ticker, legal_name, valid_from) VALUES (%s, 'Bench Inc.', '-infinity')", (TICKER,)
        )
        insert = "INSERT INTO sources (source_type, name, config, credibility) VALUES (%s, %s, %s, 0.5)"
        connection.execute(insert, (SourceType.NEWS_API.value, "news", Jsonb({})))
        with connection.cursor() as cursor:
            cursor.executemany(insert, [(SourceType.WEB_SCRAPE.value, n, Jsonb(config)) for n, config in feeds.items()])
