"""`stonks setup`: asks for keys, tries each on its service, writes `.env`, and fills the registry of a real system."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from dotenv import dotenv_values, set_key

from stonks_assets.ingestion.constituents import Constituent, named, tabled
from stonks_assets.ingestion.real_market import Seeded, seed_universe, sp500
from stonks_assets.ingestion.seeding import SANDBOX_BLOG
from stonks_assets.pipeline import Pipeline
from stonks_cli.doctor import Finding, examine
from stonks_cli.root import ERR, OUT
from stonks_core.clock import SystemClock
from stonks_core.errors import SettingsError, StonksError
from stonks_core.settings import Settings, load_settings
from stonks_core.stores.opening import open_stores

REAL_HOME = ".stonks-real"
"""The home of a real system, so that its books are never mixed with those of the simulated market."""

LEFT_OUT = "-"


@dataclass(frozen=True)
class Variable:
    """A setting that is asked for."""

    name: str
    question: str
    secret: bool = False


@dataclass(frozen=True)
class Service:
    """An outside service: what it gives, the settings that make it real, and the checks that try them."""

    gives: str
    how: str
    variables: tuple[Variable, ...]
    parts: tuple[str, ...]


SERVICES = (
    Service(
        "SEC EDGAR: filings",
        "free; the SEC wants an e-mail address in every request",
        (Variable("EDGAR_CONTACT", "e-mail address"),),
        ("filings",),
    ),
    Service(
        "Alpaca: bars, quotes, news and the paper account",
        "free; make a key for the paper account at alpaca.markets",
        (Variable("BROKER_API_KEY", "key"), Variable("BROKER_API_SECRET", "secret", secret=True)),
        ("broker", "market data"),
    ),
    Service(
        "Polygon: bars and news of the whole market",
        "optional; with it Alpaca's data is not needed",
        (Variable("MARKET_DATA_API_KEY", "key", secret=True),),
        ("market data",),
    ),
    Service(
        "Ollama: your own LLM",
        "optional; without it the rules of the sandbox read the news",
        (Variable("OLLAMA_BASE_URL", "address, such as http://localhost:11434"), Variable("OLLAMA_MODEL", "model")),
        ("LLM",),
    ),
)

Ask = Callable[[Variable, str], str]


def configure(dotenv: Path, environment: Mapping[str, str], ask: Ask | None) -> tuple[Settings, dict[str, str]]:
    """The settings that somebody chose, each tried on its service, and the variables to write.

    `ask` is given a variable and its present value and returns the wanted one; None takes what the environment and the
    file say. Raises StonksError for a service that refuses, when there is nobody to ask again.
    """
    values = {name: value for name, value in dotenv_values(dotenv, interpolate=False).items() if value}
    values |= {name: value for name, value in environment.items() if value}
    chosen: dict[str, str] = {}
    for service in SERVICES:
        OUT.print(f"\n{service.gives} ({service.how})", style="bold", highlight=False)
        chosen |= _service(service, values, ask)
        values |= chosen
    values.setdefault("STONKS_HOME", REAL_HOME)
    chosen["STONKS_HOME"] = values["STONKS_HOME"]
    return load_settings(values), chosen


def _service(service: Service, values: Mapping[str, str], ask: Ask | None) -> dict[str, str]:
    """The service's variables as wanted, tried; empty where a service that was there is left out."""
    while True:
        before = {variable.name: values.get(variable.name, "") for variable in service.variables}
        given = (
            {variable.name: ask(variable, before[variable.name]) for variable in service.variables} if ask else before
        )
        given = {name: value.strip() for name, value in given.items() if value.strip()}
        if not given:
            OUT.print("left out", style="yellow")
            return {name: "" for name, value in before.items() if value}
        problem = _problem({**values, **given}, service.parts)
        if not problem:
            return given
        if ask is None:
            raise StonksError(problem)
        ERR.print(problem, style="red", markup=False, highlight=False)
        OUT.print("Try again, or leave it out.", highlight=False)
        values = {name: value for name, value in values.items() if name not in before}


def _problem(values: Mapping[str, str], parts: Sequence[str]) -> str:
    """Why the settings do not work; empty where they do."""
    try:
        findings: list[Finding] = list(examine(load_settings(values), parts))
    except SettingsError as error:
        return str(error)
    for finding in findings:
        if finding.well:
            OUT.print(f"ok: {finding.found}", style="green", markup=False, highlight=False)
    return "; ".join(f"{f.part}: {f.found} ({f.advice})" for f in findings if not f.well)


def write(dotenv: Path, chosen: Mapping[str, str]) -> None:
    """Set the variables in the file, which only its owner can read; its other lines stay."""
    if not dotenv.exists():
        dotenv.touch(mode=0o600)
    dotenv.chmod(0o600)
    for name, value in chosen.items():
        set_key(dotenv, name, value, quote_mode="auto")


def asker() -> Ask | None:
    """A way to ask the person at the terminal; None where there is no terminal."""
    if not sys.stdin.isatty():
        return None

    def ask(variable: Variable, present: str) -> str:
        shown = "as it is" if variable.secret and present else present
        answer: str = typer.prompt(
            f"  {variable.question} ({variable.name})",
            default=shown,
            show_default=bool(shown),
            hide_input=variable.secret,
        )
        if answer.strip() == LEFT_OUT:
            return ""
        return present if variable.secret and answer == "as it is" else answer

    return ask


def wanted(universe: str, pipeline: Pipeline) -> list[Constituent]:
    """The companies of a universe: `sp500`, a CSV file, or tickers."""
    if universe.strip().lower() in {"sp500", "s&p500", "s&p 500"}:
        return sp500(pipeline)
    path = Path(universe)
    if path.suffix.lower() == ".csv":
        try:
            return tabled(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise StonksError(f"{path} cannot be read ({error}): name a CSV file, `sp500`, or tickers") from error
    return named(universe)


def setup(dotenv: Path, environment: Mapping[str, str], universe: str, ask: Ask | None) -> Seeded:
    """Configure, write `.env` and fill the registry; run again, it adds what is missing.

    Raises StonksError where a service refuses or the home holds the simulated market; nothing is written then.
    """
    settings, chosen = configure(dotenv, environment, ask)
    played = [name for name in ("market_data", "edgar") if settings.sandboxed[name]]
    if played:
        raise StonksError(
            f"{' and '.join(played)} would stay simulated, and real companies cannot be tracked with invented prices or "
            "filings: give the SEC's e-mail address, and a key of Alpaca's or Polygon's; without any, just run `make up`"
        )
    if ask is not None and not universe:
        universe = ask(Variable("the universe", "companies: sp500, a CSV file, or tickers"), "sp500")
    home = settings.general.home.expanduser().absolute()
    settings = replace(settings, general=settings.general.model_copy(update={"home": home}))
    with open_stores(settings, environment) as stores:
        pipeline = Pipeline(stores.settings, stores.lake, stores.database, SystemClock())
        if stores.database.fetch_one("SELECT 1 AS there FROM sources WHERE name = %s", (SANDBOX_BLOG,)):
            raise StonksError(
                f"{home} holds the simulated market's registry and books: set STONKS_HOME to another folder, such as "
                f"{REAL_HOME}, so that the two are never mixed"
            )
        companies = wanted(universe or "sp500", pipeline)
        write(dotenv, chosen)
        return seed_universe(pipeline, companies)
