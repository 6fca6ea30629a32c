"""The command `stonks extract`: its arguments, and results printed as they come. What it does is in `extract`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stonks_cli.root import guarded, settings


@guarded
def extract(
    files: Annotated[
        list[str],
        typer.Argument(help="Documents, or .jsonl files of lines {id, text, companies}; - reads such lines."),
    ],
    *,
    agent: Annotated[
        str,
        typer.Option(help="Who reads: document-extractor, event-classifier, an agent of your own, or AGENT/VARIANT."),
    ] = "document-extractor",
    companies: Annotated[
        Path | None,
        typer.Option(help="Whom documents may be about: JSON, JSON lines or CSV with ticker, name and aliases."),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="One line of JSON for each document; always so for lines.")
    ] = False,
) -> None:
    """Print what the model makes of documents, with quotes. No system need run.

    Every company asked about has a record in `companies`; one of which nothing is said has the sentiment 0.0 and no quote.
    """
    from stonks_cli.extract import extract as run  # noqa: PLC0415  the other commands do without its libraries
    from stonks_cli.extract import lines_wanted, print_results  # noqa: PLC0415
    from stonks_cli.reader import reader  # noqa: PLC0415
    from stonks_cli.seen import companies_of  # noqa: PLC0415

    known, told = companies_of(companies) if companies else (), settings()
    found = run(told, files, reader(told, agent), known, datetime.now(UTC))
    if not print_results(found, lines=lines_wanted(files, jsonl=jsonl)):
        raise typer.Exit(1)
