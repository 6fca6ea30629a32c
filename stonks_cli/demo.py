"""`stonks demo`: one full cycle in the foreground over the bundled sandbox, in a book of its own."""

from datetime import UTC, datetime, timedelta

import httpx

from stonks_assets.cycle import BARS, GOLD, INGESTION, SILVER, run_stages
from stonks_assets.health.judging import judge_whole
from stonks_assets.ingestion.seeding import seed_registry
from stonks_assets.pipeline import Pipeline
from stonks_cli import books, children
from stonks_cli.replay import drive, follow, progress_bar
from stonks_cli.root import ERR
from stonks_core.clock import ManualClock
from stonks_core.health.verdict import in_a_line
from stonks_core.settings import Settings
from stonks_core.stores.embedded.ports import free_port
from stonks_core.stores.opening import open_stores
from stonks_trading.door import stored_verdict
from stonks_trading.session import open_session

BOOK = "demo"
DAYS_OF_NEWS = 3
DAYS_OF_BARS = 45
UNTIL_FILLED = timedelta(seconds=15)


def demo(settings: Settings, now: datetime) -> str:
    """Run the cycle for `now` on the synthetic market; the book's name. Run again, it goes on with the market's present."""
    port = free_port(None)
    simulated = books.simulated(settings, recorded="", url=f"http://{children.HOST}:{port}")
    staged = books.stage_of(simulated, BOOK)
    with open_stores(staged, books.environment_of(staged), application="stonks-demo") as stores:
        environment = books.environment_of(staged)
        spec = children.sandbox(stores.settings, environment, port, clock="driven", start=now.isoformat())
        with follow(settings.general.home / "books" / BOOK) as supervisor:
            if not supervisor.start([spec]):
                return BOOK
            with httpx.Client(base_url=stores.settings.sandbox.url, timeout=60) as sandbox:
                clock = ManualClock(now - timedelta(minutes=1))
                drive(sandbox, clock, now)
                pipeline = Pipeline(stores.settings, stores.lake, stores.database, clock)
                seed_registry(pipeline)
                _collect(pipeline, now)
                verdict = judge_whole(pipeline, now)
                if not verdict.entries_open:
                    ERR.print(in_a_line(verdict), style="yellow", markup=False, highlight=False)
                door = stored_verdict(stores.settings.data_health)
                with open_session(stores.settings, stores.lake, stores.database, clock, door) as session:
                    session.reconcile()
                    session.decide(now)
                    session.send_outbox(now)
                    filled = now + UNTIL_FILLED
                    drive(sandbox, clock, filled)
                    session.sweep(filled)
                    session.sync(filled)
                    session.check_stops(filled)
                    session.protect(filled)
                    session.send_outbox(filled)
    return BOOK


def _collect(pipeline: Pipeline, now: datetime) -> None:
    today = now.astimezone(UTC).date()
    with progress_bar() as progress:
        task = progress.add_task("what came in", total=DAYS_OF_BARS + DAYS_OF_NEWS + 2)
        for back in range(DAYS_OF_BARS, 0, -1):
            run_stages(BARS, pipeline, today - timedelta(days=back), now)
            progress.advance(task)
        for back in range(DAYS_OF_NEWS, -1, -1):
            run_stages({**INGESTION, **SILVER}, pipeline, today - timedelta(days=back), now)
            progress.advance(task)
        run_stages(GOLD, pipeline, today, now)
        progress.advance(task)
