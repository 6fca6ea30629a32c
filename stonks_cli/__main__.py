"""The `stonks` command: what a user types, each command a few lines over the module that does it."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from stonks_cli.audit_commands import lookahead_audit, recompute, why
from stonks_cli.bench.commands import bench
from stonks_cli.extract_command import extract
from stonks_cli.layers import app as layers_app
from stonks_cli.notifications_command import notifications
from stonks_cli.parse import parse
from stonks_cli.patterns import patterns
from stonks_cli.registry.app import registry_app
from stonks_cli.root import ERR, OUT, PROJECT, guarded, print_json, print_table, settings
from stonks_cli.score.commands import score_filings, score_sandbox
from stonks_cli.trading.approvals import app as approvals_app
from stonks_cli.trading.commands import app as trading_app
from stonks_core.errors import StonksError
from stonks_core.settings import Settings
from stonks_core.vocabulary import SourceType

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Explained trading recommendations, traded on paper."
)
app.add_typer(bench, name="bench")
app.add_typer(registry_app, name="registry")
app.add_typer(trading_app, name="trading")
app.add_typer(approvals_app, name="approvals")
app.add_typer(layers_app, name="layers")
app.command()(why)
app.command()(recompute)
app.command("lookahead-audit")(lookahead_audit)
app.command()(parse)
app.command()(extract)
app.command()(notifications)
app.command()(patterns)
app.command()(score_sandbox)
app.command()(score_filings)
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
ReplayOnly = Annotated[
    bool,
    typer.Option("--replay-only", help="Only recorded answers of the model; a missing one is an error, not a call."),
]
Through = Literal["raw", "documents", "signals", "recommendations"]


@app.command()
@guarded
def up(
    recorded: Annotated[
        Path | None, typer.Option(help="Play this recording on today's calendar, instead of the synthetic market.")
    ] = None,
) -> None:
    """Start everything and keep it running until Ctrl-C."""
    from stonks_cli.replay import require_recording
    from stonks_cli.up import up as start

    loaded = settings()
    if recorded is not None:
        played = loaded.sandbox.model_copy(update={"recorded": str(require_recording(recorded))})
        loaded = replace(loaded, sandbox=played)
    start(loaded)


@app.command()
@guarded
def setup(
    universe: Annotated[str, typer.Option(help="Companies to track: sp500, a CSV file, or tickers.")] = "",
) -> None:
    """Make the system real: ask for keys, try each, write .env, and track a universe. Without a terminal nothing is asked."""
    from stonks_cli.setup import asker
    from stonks_cli.setup import setup as run

    seeded = run(Path(".env"), dict(os.environ), universe, asker())
    OUT.print(f"{seeded.companies} companies and {seeded.sources} sources came in; .env is written", highlight=False)
    if seeded.without_filings:
        OUT.print(f"unknown to EDGAR, so without filings: {', '.join(seeded.without_filings)}", style="yellow")
    OUT.print("Start with `make up`.", highlight=False)


@app.command()
@guarded
def demo(*, replay_only: ReplayOnly = False, as_json: Json = False) -> None:
    """One full cycle in the foreground over the sandbox: what came in, what was recommended and why, what was ordered."""
    from stonks_cli.demo import demo as run

    _report_book(run(_asking(settings(), replay_only=replay_only), datetime.now(UTC)), as_json=as_json)


@app.command()
@guarded
def replay(
    folder: Path,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")],
    *,
    replay_only: ReplayOnly = False,
    as_json: Json = False,
) -> None:
    """Walk a recorded folder through session by session, under its own dates. Run again, it changes nothing."""
    from stonks_cli.replay import Span, require_recording
    from stonks_cli.replay import replay as run

    if last < first:
        raise typer.BadParameter(f"--to {last.date()} lies before --from {first.date()}")
    span = Span(require_recording(folder), first.date(), last.date())
    _report_book(run(_asking(settings(), replay_only=replay_only), span), as_json=as_json)


@app.command()
@guarded
def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")],
    only: Annotated[
        list[SourceType] | None, typer.Option(help="Only this source type; may be given more than once.")
    ] = None,
    through: Annotated[Through, typer.Option(help="How far what came in is worked on.")] = "signals",
    *,
    as_json: Json = False,
) -> None:
    """Fetch past days from the sources that can be asked for them. Run again, it fetches only what is missing."""
    from stonks_cli.backfill import ASKABLE, as_rows
    from stonks_cli.backfill import backfill as run

    came = as_rows(run(settings(), first.date(), last.date(), only or ASKABLE, through, datetime.now(UTC)))
    if as_json:
        print_json(came)
    else:
        shown = [{**row, "failed": "\n".join(row["failures"]) or "none"} for row in came]
        headings = {
            "source_type": "source type",
            "days": "days",
            "items_seen": "seen",
            "items_new": "new",
            "failed": "failures",
        }
        print_table(f"Backfill {first.date()} to {last.date()}", shown, headings)
    if any(row["failures"] for row in came):
        raise typer.Exit(1)


@app.command()
@guarded
def orders(
    book: Annotated[str, typer.Option(help="Only this book: live, demo or a replay's.")] = "", *, as_json: Json = False
) -> None:
    """The orders of every book: the live one, demos and replays."""
    from stonks_cli.books import open_books
    from stonks_cli.reports import orders_of, print_orders

    with open_books(settings(), book) as stores:
        found = [order for name, opened in stores.items() for order in orders_of(name, opened)]
    if as_json:
        print_json(found)
    else:
        print_orders(found)


@app.command()
@guarded
def doctor(*, as_json: Json = False) -> None:
    """Check database, lake, sources, broker, LLM and clock, and say what to do."""
    from dataclasses import asdict

    from stonks_cli.doctor import examine

    findings = [asdict(finding) for finding in examine(settings())]
    if as_json:
        print_json(findings)
    else:
        shown = [{**f, "well": "ok" if f["well"] else "FAILS"} for f in findings]
        print_table("Doctor", shown, {"part": "part", "well": "state", "found": "found", "advice": "what to do"})
    if not all(finding["well"] for finding in findings):
        raise typer.Exit(1)


@app.command()
@guarded
def health(
    book: Annotated[str, typer.Option(help="The book to look at: live or demo.")] = "live",
    *,
    every: Annotated[bool, typer.Option("--all", help="Print the checks that hold, too.")] = False,
    as_json: Json = False,
) -> None:
    """Is the data well enough to open positions? The verdict with its reasons, and what the checks found."""
    from stonks_cli.health import health_of, plain, print_health

    found = health_of(settings(), book)
    if as_json:
        print_json(plain(found))
    else:
        print_health(found, every=every)
    if not found.entries_open:
        raise typer.Exit(1)


@app.command()
@guarded
def env() -> None:
    """Print the shell line that lets Dagster's own commands find this system: eval "$(stonks env)"."""
    path = settings().general.home / "secrets" / "env.sh"
    if not path.exists():
        raise StonksError(f"{path} is not there yet: `stonks up` writes it when it starts")
    sys.stdout.write(f". '{path}'\n")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@guarded
def run(context: typer.Context) -> None:
    """Run a command with the system's environment, such as: stonks run dg launch --assets documents --partition 2026-11-20."""
    from stonks_cli.environment import dagster_folders, process_environment
    from stonks_core.stores.opening import open_stores

    if not context.args:
        raise typer.BadParameter("name the command to run")
    with open_stores(settings(), os.environ) as stores:
        environment = {**os.environ, **process_environment(stores.settings)}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        dagster_folders(environment)
        try:
            done = subprocess.run(context.args, env=environment, check=False)  # noqa: S603
        except OSError as error:
            raise StonksError(f"{context.args[0]} cannot be run: {error.strerror}") from error
        raise typer.Exit(done.returncode)


@app.command()
@guarded
def docs(
    *, write: Annotated[bool, typer.Option(help="Write docs/configuration.md instead of printing it.")] = False
) -> None:
    """The page of all settings."""
    from stonks_cli.reference import configuration_page

    page = configuration_page()
    if write:
        path = PROJECT / "docs" / "configuration.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(page)
    else:
        sys.stdout.write(page)


def _asking(loaded: Settings, *, replay_only: bool) -> Settings:
    """The settings, in which the model is not asked where only recorded answers are wanted."""
    return replace(loaded, ollama=loaded.ollama.model_copy(update={"replay_only": True})) if replay_only else loaded


def _report_book(book: str, *, as_json: bool) -> None:
    from stonks_cli.books import open_books
    from stonks_cli.reports import came_in, orders_of, print_came_in, print_orders

    with open_books(settings(), book) as stores:
        report = came_in(stores[book])
        found = orders_of(book, stores[book])
    if as_json:
        print_json({"book": book, **report, "orders": found})
        return
    print_came_in(report)
    print_orders(found)
    OUT.print(f"book {book}: `stonks orders --book {book}` lists its orders, `stonks why ORDER` explains one")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        ERR.print("stopped")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
