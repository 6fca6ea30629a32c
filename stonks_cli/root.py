"""What every command starts from: settings out of the environment, and failures as one sentence and an exit status."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import psycopg
import typer
from rich import box
from rich.console import Console
from rich.table import Table

import stonks_core
from stonks_core.errors import SettingsError, StonksError
from stonks_core.settings import Settings, load_settings

P = ParamSpec("P")
OUT = Console()
ERR = Console(stderr=True)
WRAPPED = frozenset({"quote", "found", "advice", "failed"})
PROJECT = Path(stonks_core.__file__).parent.parent


def settings() -> Settings:
    """This process's settings, with an absolute home."""
    loaded = load_settings(os.environ, Path(".env"))
    home = _usable(loaded.general.home.expanduser().absolute())
    return replace(loaded, general=loaded.general.model_copy(update={"home": home}))


def _usable(home: Path) -> Path:
    """The folder itself; SettingsError where it is none, or could not be made or written."""
    there = next(path for path in (home, *home.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return home
    what = "cannot be written" if there.is_dir() else "is no folder"
    raise SettingsError(f"STONKS_HOME is {str(home)!r}, but {there} {what}: name a folder that can be made and written")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """A command whose known failures end in their sentence on standard error and exit status 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except StonksError as error:
            raise _failed(str(error)) from error
        except psycopg.OperationalError as error:
            said = " ".join(str(error).split())
            raise _failed(
                f"PostgreSQL cannot be used: {said} Start it, or correct POSTGRES_*; `stonks doctor` looks."
            ) from error

    return run


def _failed(sentence: str) -> typer.Exit:
    ERR.print(f"stonks: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)


def print_json(value: Any) -> None:
    """A value as JSON on standard output."""
    json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(title: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Rows as a table; `columns` maps keys to headings."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for key, heading in columns.items():
        wide = key in WRAPPED
        table.add_column(heading, overflow="fold" if wide else "ellipsis", no_wrap=not wide, ratio=1 if wide else None)
    for row in rows:
        table.add_row(*(_shown(row.get(key)) for key in columns))
    OUT.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return f"{value:%m-%d %H:%M}"
    return str(value).replace("[", r"\[")
