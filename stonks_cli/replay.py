"""`stonks replay`: a recorded folder walked through session by session, with the same stages and the same decisions.

Before each session (09:00 New York) and half an hour after its close a cycle runs, `as_of` that instant; the sandbox's
clock is driven along, so that orders fill at the next bar's open. A replay has a book of its own, named by what it plays
and from which day, and a cursor: run again it goes on where it stopped, and where it has ended it changes nothing. The
verdict on the data's health does not enter: it is about the pipeline of today, not about a recording.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stonks_assets.cycle import GOLD, INGESTION, SILVER, run_stages
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_cli import books, children
from stonks_cli.root import ERR
from stonks_cli.supervise.changes import Change, Exited, KeepsDying, NotReady
from stonks_cli.supervise.supervisor import Supervisor
from stonks_core.calendar import MarketCalendar, Session
from stonks_core.clock import ManualClock
from stonks_core.errors import BadInputError, TransientError
from stonks_core.settings import Settings
from stonks_core.stores.embedded.ports import free_port
from stonks_core.stores.opening import Stores, open_stores
from stonks_trading.door import open_door
from stonks_trading.session import TradingSession, open_session

NEW_YORK = ZoneInfo("America/New_York")
BEFORE_OPEN = time(9, 0)
AFTER_CLOSE = timedelta(minutes=30)
WARM_UP = timedelta(days=90)
FRESH_CONNECTIONS = httpx.Limits(max_keepalive_connections=4)


@dataclass(frozen=True)
class Span:
    """What is replayed: the folder, its first and last day, and how far back what was known before reaches."""

    folder: Path
    first: date
    last: date
    known: timedelta = WARM_UP

    @property
    def book(self) -> str:
        """The replay's book: the same recording from the same day is the same book, wherever the folder lies."""
        listing = (self.folder / "filings.jsonl").read_bytes()
        prices = ",".join(sorted(p.name for p in (self.folder / "prices_csv").glob("*.csv")))
        mark = hashlib.sha256(listing + prices.encode() + self.first.isoformat().encode()).hexdigest()
        return f"replay-{mark[:10]}"


@dataclass(frozen=True)
class Moment:
    """One stop of the replay: an instant, and whether a session has just closed."""

    at: datetime
    session: Session
    closed: bool


def require_recording(folder: Path) -> Path:
    """The folder itself, absolute; BadInputError naming the part of a recording that it lacks."""
    folder = folder.expanduser().absolute()
    for part in ("filings.jsonl", "edgar", "prices_csv"):
        if not (folder / part).exists():
            raise BadInputError(
                f"{folder} is no recording: it has no {part} (it needs edgar/, filings.jsonl and prices_csv/)"
            )
    return folder


def moments(calendar: MarketCalendar, span: Span) -> Iterator[Moment]:
    """The instants of a replay in order: 09:00 New York before and half an hour after each session."""
    for session in calendar.sessions_between(span.first, span.last):
        before = datetime.combine(session.day, BEFORE_OPEN, NEW_YORK).astimezone(UTC)
        yield Moment(before, session, closed=False)
        yield Moment(session.close + AFTER_CLOSE, session, closed=True)


def replay(settings: Settings, span: Span) -> str:
    """Replay a span, or go on with it; the book's name."""
    home = settings.general.home
    port = free_port(None)
    simulated = books.simulated(settings, recorded=str(span.folder), url=f"http://{children.HOST}:{port}")
    staged = books.stage_of(simulated, span.book)
    with open_stores(staged, books.environment_of(staged), application="stonks-replay") as stores:
        calendar = MarketCalendar(stores.settings.calendar_name)
        left = _left(stores, span, list(moments(calendar, span)))
        if left:
            with follow(home / "books" / span.book) as supervisor:
                start = datetime.combine(span.first, time(), UTC) - timedelta(days=1)
                environment = books.environment_of(staged)
                spec = children.sandbox(stores.settings, environment, port, clock="driven", start=start.isoformat())
                if supervisor.start([spec]):
                    _walk(stores, span, left)
    return span.book


def _left(stores: Stores, span: Span, all_moments: list[Moment]) -> list[Moment]:
    row = stores.database.fetch_one("SELECT done_to FROM replay_progress WHERE replay = %s", (span.book,))
    return [m for m in all_moments if row is None or m.at > row["done_to"]]


def _walk(stores: Stores, span: Span, left: list[Moment]) -> None:
    clock = ManualClock(
        max(left[0].at - timedelta(days=1), datetime.combine(span.first, time(), UTC) - timedelta(hours=1))
    )
    pipeline = Pipeline(stores.settings, stores.lake, stores.database, clock)
    with (
        httpx.Client(base_url=stores.settings.sandbox.url, timeout=120, limits=FRESH_CONNECTIONS) as sandbox,
        open_session(stores.settings, stores.lake, stores.database, clock, open_door) as session,
        progress_bar() as progress,
    ):
        seed_registry(pipeline)
        last = _done_to(stores, span)
        if last is None:
            _warm_up(pipeline, span, progress)
            last = datetime.combine(span.first, time(), UTC)
        session.reconcile()
        task = progress.add_task("sessions", total=len(left))
        for moment in left:
            progress.update(task, description=f"{moment.at:%Y-%m-%d %H:%M} UTC")
            drive(sandbox, clock, moment.at)
            _cycle(pipeline, session, moment, last)
            _mark(stores, span, moment.at)
            last = moment.at
            progress.advance(task)


def _warm_up(pipeline: Pipeline, span: Span, progress: Progress) -> None:
    """What was known before the first day: bars and filings of the days before, each at its own knowledge time."""
    end = datetime.combine(span.first, time(), UTC)
    days = [span.first - timedelta(days=n) for n in range(span.known.days, 0, -1)]
    task = progress.add_task("what was known before", total=len(days))
    for day in days:
        run_stages(INGESTION, pipeline, day, end)
        run_stages(SILVER, pipeline, day, end)
        progress.advance(task)


def _cycle(pipeline: Pipeline, session: TradingSession, moment: Moment, last: datetime) -> None:
    at = moment.at
    session.sweep(at)
    for day in _days(last.date(), at.date()):
        run_stages(INGESTION, pipeline, day, at)
        run_stages(SILVER, pipeline, day, at)
    run_stages(GOLD, pipeline, at.date(), at)
    session.check_stops(at)
    session.decide(at)
    session.protect(at, ahead=not moment.closed)  # nobody looks between open and close: the broker's stop must
    session.send_outbox(at)
    session.sweep(at)
    session.sync(at)
    if moment.closed:
        session.close_day(at)


def drive(sandbox: httpx.Client, clock: ManualClock, instant: datetime) -> None:
    """Move the sandbox's present and ours to an instant; fills that fell due on the way happen on the way."""
    answer = sandbox.post("/sandbox/clock", json={"now": instant.isoformat()})
    if answer.status_code != httpx.codes.OK:
        raise TransientError(f"the sandbox's clock could not be moved to {instant.isoformat()}: {answer.text[:300]}")
    clock.advance_to(instant)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _done_to(stores: Stores, span: Span) -> datetime | None:
    row = stores.database.fetch_one("SELECT done_to FROM replay_progress WHERE replay = %s", (span.book,))
    done: datetime | None = row["done_to"] if row else None
    return done


def _mark(stores: Stores, span: Span, at: datetime) -> None:
    stores.database.execute(
        """
        INSERT INTO replay_progress (replay, recording, first_day, done_to) VALUES (%s, %s, %s, %s)
        ON CONFLICT (replay) DO UPDATE SET done_to = excluded.done_to, updated_at = now()
        """,
        (span.book, span.folder.name, span.first, at),
    )


def follow(folder: Path) -> Supervisor:
    """A supervisor for a book's sandbox, which speaks up only when something is wrong."""
    return Supervisor(folder, _complain)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error, gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        yield progress


def _complain(change: Change) -> None:
    if isinstance(change, Exited | KeepsDying | NotReady):
        ERR.print(change.sentence, style="yellow", markup=False, highlight=False)
