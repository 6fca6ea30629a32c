"""Manners towards other people's hosts: robots.txt is honoured, one request at a time, and a pause after each.

All processes that share the database share the turns and the robots.txt files.
"""

import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from protego import Protego

from stonks_assets.ingestion.http import MAX_SECONDS, Fetcher, RefusedError, shown
from stonks_core.clock import Clock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.stores.postgres import Database

AGENT = "StonksOracle"
"""The product token that robots.txt groups are matched with (RFC 9309, 2.2.1)."""
SPACING = 1.0
MOST_DELAY = 15.0
"""Seconds of Crawl-delay that are respected in full; nobody waits longer between two requests."""
ROBOTS_BYTES = 500 * 1024
KEPT = timedelta(hours=24)
KEPT_DOWN = timedelta(minutes=10)
LEASE = MAX_SECONDS + 30.0
"""Seconds after which a turn counts as given back by a process that was killed."""
GLANCE = 0.25
_ASKING = tuple(threading.Lock() for _ in range(64))
"""By origin: sources that are asked side by side let the first one ask for robots.txt."""


class HostTurns:
    """One request at a time to a host, and a pause before the next, over all processes that share the database."""

    def __init__(
        self,
        database: Database,
        *,
        exempt: Collection[str] = (),
        patience: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database, self._patience, self._sleep = database, patience, sleep
        self._exempt = {origin_of(origin.strip()) for origin in exempt if origin.strip()}

    @contextmanager
    def turn(self, url: str, spacing: float = SPACING) -> Iterator[None]:
        """The host's turn for the block; TransientError when it did not come in time. Exempt origins need none."""
        if origin_of(url) in self._exempt:
            yield
            return
        host, holder, waited = httpx.URL(url).host, uuid.uuid4(), 0.0
        while (delay := self._take(host, holder)) > 0:
            if waited + delay > self._patience:
                raise TransientError(
                    f"{host} was asked by others for {self._patience:g} s without a turn for {shown(url)}: it is left "
                    "for the next time",
                    after=delay,
                )
            self._sleep(delay)
            waited += delay
        try:
            yield
        finally:
            self._database.execute(
                "UPDATE host_turns SET until = clock_timestamp() + make_interval(secs => %s) WHERE host = %s AND holder = %s",
                (spacing, host, holder),
            )

    def _take(self, host: str, holder: uuid.UUID) -> float:
        """0 when the turn was had, otherwise seconds until it is worth looking again."""
        with self._database.connection() as connection:
            had = connection.execute(
                """
                INSERT INTO host_turns AS t (host, holder, until)
                VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
                ON CONFLICT (host) DO UPDATE SET holder = excluded.holder, until = excluded.until
                WHERE t.until <= clock_timestamp() RETURNING holder
                """,
                (host, holder, LEASE),
            ).fetchone()
            if had is not None:
                return 0.0
            row = connection.execute(
                "SELECT EXTRACT(EPOCH FROM until - clock_timestamp())::float AS left FROM host_turns WHERE host = %s",
                (host,),
            ).fetchone()
        left = float(row["left"]) if row else 0.0
        return GLANCE if left > MOST_DELAY else max(0.01, left)  # a request is under way, or a pause is


class Robots:
    """What the robots.txt of each origin says to us, asked for once a day by all processes together."""

    def __init__(self, fetcher: Fetcher, database: Database, clock: Clock) -> None:
        self._fetcher, self._database, self._clock = fetcher, database, clock
        self._read: dict[str, tuple[datetime, Protego]] = {}

    def pause(self, url: str) -> float:
        """Seconds between two requests that the address's origin wants.

        Raises PermanentError where robots.txt asks not to fetch the address, and TransientError where it cannot be
        read now, which is no leave to fetch anything.
        """
        origin = origin_of(url)
        rules = self._rules(origin)
        if not rules.can_fetch(url, AGENT):
            raise PermanentError(f"{shown(url)} was left: robots.txt of {origin} asks not to fetch it")
        return min(max(SPACING, rules.crawl_delay(AGENT) or 0.0), MOST_DELAY)

    def _rules(self, origin: str) -> Protego:
        now = self._clock.now()
        if (held := self._read.get(origin)) and held[0] > now:
            return held[1]
        with _ASKING[hash(origin) % len(_ASKING)]:
            row = self._row(origin, now)
        if row["problem"]:
            raise TransientError(
                f"nothing of {origin} is fetched while its robots.txt cannot be read: {row['problem']}",
                after=(row["expires_at"] - now).total_seconds(),
            )
        rules = Protego.parse(bytes(row["content"]).decode("utf-8-sig", errors="replace"))
        self._read[origin] = (row["expires_at"], rules)
        return rules

    def _row(self, origin: str, now: datetime) -> Mapping[str, Any]:
        """What is kept of the origin's file, asked for where nothing is."""
        row = self._database.fetch_one(
            "SELECT * FROM robots_files WHERE origin = %s AND expires_at > %s", (origin, now)
        )
        if row is None:
            content, problem = self._ask(origin)
            expires = now + (KEPT_DOWN if problem else KEPT)
            self._database.execute(
                """
                INSERT INTO robots_files (origin, content, problem, expires_at) VALUES (%s, %s, %s, %s)
                ON CONFLICT (origin) DO UPDATE
                SET content = excluded.content, problem = excluded.problem, expires_at = excluded.expires_at
                """,
                (origin, content, problem, expires),
            )
            row = {"content": content, "problem": problem, "expires_at": expires}
        return row

    def _ask(self, origin: str) -> tuple[bytes, str]:
        """The file as far as it counts, or why it cannot be read. No file, or one that is refused, forbids nothing."""
        try:
            content = self._fetcher.get(f"{origin}/robots.txt", may_be_empty=True).content
        except RefusedError:
            return b"", ""
        except TransientError as error:
            return b"", str(error)
        if len(content) > ROBOTS_BYTES:
            content = content[:ROBOTS_BYTES].rpartition(b"\n")[0]
        return content.replace(b"\0", b""), ""


class Manners:
    """What `Fetcher` does around each request for a page: ask robots.txt, then wait for the host's turn."""

    def __init__(self, robots: Robots, turns: HostTurns) -> None:
        self._robots, self._turns = robots, turns

    @contextmanager
    def __call__(self, url: str) -> Iterator[None]:
        """The block may make one request to this address."""
        with self._turns.turn(url, self._robots.pause(url)):
            yield


def origin_of(url: str) -> str:
    """Scheme, host and port of an address; PermanentError where it has none."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise PermanentError(f"{shown(url)} is no address: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise PermanentError(f"{shown(url)} is no address of http or https")
    return f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
