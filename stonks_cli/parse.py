"""`stonks parse`: what the system sees of documents in files, without a running system and without a database."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from stonks_cli.root import guarded, settings
from stonks_core.registry.universe import Universe


@guarded
def parse(
    files: Annotated[
        list[str], typer.Argument(help="Web pages, texts, feeds or their items, filings; - reads standard input.")
    ],
    *,
    companies: Annotated[
        Path | None,
        typer.Option(help="Whose mentions to find: JSON, JSON lines or CSV with ticker, name and aliases."),
    ] = None,
    registry: Annotated[
        bool, typer.Option("--registry", help="Find mentions of the companies in the registry.")
    ] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One line of JSON for each file.")] = False,
) -> None:
    """Print what the system sees of documents: title, text, quality, mentions. One that cannot be read says why."""
    from stonks_cli.seen import matcher_of, seen_of  # noqa: PLC0415  the other commands do without its libraries

    if companies and registry:
        raise typer.BadParameter("name a file of companies or take the registry's, not both")
    matcher = matcher_of(companies, registered() if registry else None)
    failed = False
    for name in files:
        for seen in seen_of(name, matcher, datetime.now(UTC)):
            failed |= "error" in seen
            line = json.dumps(seen, ensure_ascii=False, indent=None if jsonl else 2)
            sys.stdout.write(line.encode("utf-8", "replace").decode() + "\n")
            sys.stdout.flush()
    if failed:
        raise typer.Exit(1)


def registered() -> Universe:
    """The universe as the registry has it now; this alone needs the database."""
    from stonks_core.registry.universe import load_universe  # noqa: PLC0415
    from stonks_core.stores.opening import open_stores  # noqa: PLC0415

    with open_stores(settings(), os.environ) as stores:
        return load_universe(stores.database, datetime.now(UTC))
