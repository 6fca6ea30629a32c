"""`stonks bench`: a command for each benchmark, which prints its figures as tables or as JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from stonks_cli.root import OUT, guarded, print_json, print_table

bench = typer.Typer(no_args_is_help=True, help="What the stages cost on this machine, beside the limit and a peer.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
COST = {"wall_s": "wall s", "per_second": "per s", "cpu_ms_each": "CPU ms", "memory_mb": "MB"}
RATIOS = {"ours_wall": "x wall", "ours_cpu": "x CPU"}
INGEST: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "throughput": (
        "From the HTTP answer to the committed row; CPU of one document, and ours divided by the row's (x)",
        {"what": "", **COST, **RATIOS},
    ),
    "sources": (
        "Sources due at once, each with two new entries; CPU of one source",
        {"what": "", **COST, "ours_cpu": "x CPU", "requests": "asks", "connections": "conns", "most_open": "open"},
    ),
    "growth": (
        "A day of so many documents, and a poll that brings nothing new (idle)",
        {"count": "documents", **COST, "lake_mb": "lake MB", "idle_wall_s": "idle s", "idle_cpu_s": "idle CPU",
         "idle_requests": "asks"},
    ),
    "commits": (
        "A day of so many commits of twenty documents; start is a new run's first look",
        {"what": "", "commit": "commit", "commit_ms": "ms", "commit_cpu_ms": "CPU ms", "read_ms": "read ms",
         "start_ms": "start ms", "files": "files", "so_far_s": "all s", "maintenance_s": "upkeep s"},
    ),
}  # fmt: skip

PARSE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "pages": (
        "Main text of labelled pages: token F1 as bags and as shingles of four; cost of one page; ours divided by the row's (x)",
        {"what": "", "f1": "F1", "f1_shingles": "F1 of 4", "per_cpu_second": "per CPU s", "mb_per_cpu_second": "MB/CPU s",
         "cpu_ms_each": "CPU ms", "ours_cpu": "x CPU"},
    ),
    "filings": (
        "All text of press releases and filings, tables as rows",
        {"what": "", "numbers_kept": "numbers kept", "per_cpu_second": "per CPU s", "mb_per_cpu_second": "MB/CPU s",
         "cpu_ms_each": "CPU ms", "ours_cpu": "x CPU"},
    ),
    "mentions": (
        "Companies named in texts",
        {"what": "", "names": "names", "build_s": "build s", "memory_mb": "MB", "mb_per_cpu_second": "MB/CPU s",
         "found": "found", "ours_cpu": "x CPU"},
    ),
    "duplicates": (
        "Near-duplicates: signatures, and clusters of a day",
        {"what": "", "count": "documents", "per_cpu_second": "per CPU s", "clusters": "clusters", "right": "right"},
    ),
    "missing": ("Peers that are not installed", {"what": "", "advice": "what to do"}),
}  # fmt: skip


@bench.command()
@guarded
def ingest(
    *,
    documents: Annotated[int, typer.Option(min=1, help="Documents of the throughput's day.")] = 2000,
    page_kb: Annotated[int, typer.Option(min=7, help="Size of an article's page.")] = 40,
    sources: Annotated[int, typer.Option(min=1, help="Feeds that are due at once.")] = 500,
    days: Annotated[str, typer.Option(help="Sizes of the growing day, with commas.")] = "300,1000,3000",
    commits: Annotated[int, typer.Option(min=1, help="Commits of the day of many commits.")] = 100,
    full: Annotated[bool, typer.Option(help="1,000 to 100,000 documents a day and 500 commits: takes long.")] = False,
    as_json: Json = False,
) -> None:
    """Ingestion over real HTTP, Delta and PostgreSQL, in temporary stores."""
    from stonks_cli.bench.ingest import Sizes, run  # noqa: PLC0415  the other benchmarks do without its libraries

    sizes = Sizes(documents, 1000 * page_kb, sources, _numbers(days), commits)
    _report(run(sizes.full if full else sizes), INGEST, as_json=as_json)


EXTRACT: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "extract": (
        "Documents through a model with a fixed service time; overhead of one beyond it, and ours divided by the bare client's (x)",
        {"in_flight": "in flight", "what": "", "overhead_ms": "over ms", **COST, **RATIOS},
    ),
}


@bench.command()
@guarded
def extract(
    *,
    documents: Annotated[int, typer.Option(min=1, help="Documents at most; twelve for each in flight.")] = 192,
    service_ms: Annotated[float, typer.Option(min=0, help="Milliseconds the model takes for each.")] = 100,
    in_flight: Annotated[str, typer.Option(help="Requests in flight, with commas.")] = "1,2,4,8,16",
    as_json: Json = False,
) -> None:
    """Extraction over real HTTP, Delta and PostgreSQL, beside the bare ollama client, in temporary stores."""
    from stonks_cli.bench.extract import Sizes, run  # noqa: PLC0415  the other benchmarks do without its libraries

    _report(run(Sizes(documents, service_ms, _numbers(in_flight))), EXTRACT, as_json=as_json)


@bench.command()
@guarded
def parse(
    *,
    articles: Annotated[
        Path | None, typer.Option(help="Folder of pages with index.json and gold texts; else ../shared/data/articles.")
    ] = None,
    filings: Annotated[
        Path | None, typer.Option(help="Folder of filed HTML documents; else ../shared/data/edgar_html.")
    ] = None,
    names: Annotated[int, typer.Option(min=10, help="Company names and aliases to look for.")] = 10_000,
    documents: Annotated[int, typer.Option(min=4, help="Documents of the day that is clustered.")] = 2000,
    as_json: Json = False,
) -> None:
    """Parsing beside trafilatura, readability-lxml and BeautifulSoup; mentions beside one regular expression."""
    from stonks_cli.bench.parse import Ground, run  # noqa: PLC0415  the other benchmarks do without its libraries

    _report(run(Ground.found(articles, filings), names, documents), PARSE, as_json=as_json)


REACT: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "reaction": (
        "From a recommendation's commit to the order that leaves, the broker's own answer time left out",
        {"what": "", "count": "rounds", "median_ms": "median ms", "p90_ms": "90 % ms", "p99_ms": "99 % ms",
         "worst_ms": "worst ms"},
    ),
    "burst": (
        "Recommendations that come at once, one burst after another: from the wake-up until the last is decided and sent",
        {"what": "", "count": "count", "decided": "decided once", "orders": "orders so far", **COST},
    ),
}  # fmt: skip


@bench.command()
@guarded
def react(
    *,
    companies: Annotated[int, typer.Option(min=1, help="Companies with a quarter of daily bars.")] = 500,
    rounds: Annotated[int, typer.Option(min=1, help="Recommendations one by one.")] = 200,
    burst: Annotated[int, typer.Option(min=1, help="Recommendations at once.")] = 10_000,
    as_json: Json = False,
) -> None:
    """The trading daemon's reaction over real Delta and PostgreSQL, beside a bare NOTIFY and polling."""
    from stonks_cli.bench.react import Sizes, run  # noqa: PLC0415  the other benchmarks do without its libraries

    _report(run(Sizes(companies, rounds, burst)), REACT, as_json=as_json)


AGGREGATE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "growth": (
        "Signals of ninety days to trends of five windows with evidence; CPU of one signal, and of the whole in scans",
        {"count": "signals", "what": "", "wall_s": "wall s", "cpu_s": "CPU s", "cpu_us_each": "CPU us", "scans": "x scan",
         "reads": "x read", "memory_mb": "MB"},
    ),
    "peers": (
        "The same trends by other means, equal to 1e-9",
        {"count": "signals", "what": "", "wall_s": "wall s", "cpu_s": "CPU s", "scans": "x scan", "reads": "x read",
         "memory_mb": "MB"},
    ),
    "cycles": (
        "The step in a cycle, over the stored signals",
        {"what": "", "wall_s": "wall s", "cpu_s": "CPU s", "memory_mb": "MB", "due": "due", "read": "read", "rows": "written"},
    ),
    "missing": ("Peers that are not installed", {"what": "", "advice": "what to do"}),
}  # fmt: skip


@bench.command()
@guarded
def aggregate(
    *,
    signals: Annotated[str, typer.Option(help="Sizes of the growth, with commas.")] = "100000,300000,1000000",
    peers: Annotated[str, typer.Option(help="Sizes that the peers are given; the loop, to 100000.")] = "100000,1000000",
    cycle: Annotated[int, typer.Option(min=100, help="Signals that are stored when a cycle comes.")] = 1_000_000,
    companies: Annotated[int, typer.Option(min=1, help="Companies they are about.")] = 5000,
    full: Annotated[bool, typer.Option(help="0.1, 1 and 10 million signals: takes minutes.")] = False,
    as_json: Json = False,
) -> None:
    """Aggregation beside the scan of its columns, polars, DuckDB, pandas and a loop, which must find the same."""
    from stonks_cli.bench.aggregate import Sizes, run  # noqa: PLC0415  the other benchmarks do without its libraries

    sizes = Sizes(_numbers(signals), _numbers(peers), cycle, companies)
    _report(run(sizes.full if full else sizes), AGGREGATE, as_json=as_json)


CRASH: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "strikes": (
        "Strikes, and how far the newest recommendation was; for some cuts what was cut",
        {"victim": "", "where": "", "strikes": "strikes"},
    ),
    "books": (
        "The books beside the broker afterwards: every sum agrees to the last digit",
        {"what": "", "count": "count"},
    ),
}


@bench.command()
@guarded
def crash(
    *,
    points: Annotated[int, typer.Option(min=1, help="Strikes; 500 take half an hour.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the random points.")] = 1,
    as_json: Json = False,
) -> None:
    """SIGKILL of the trading daemon and of PostgreSQL, and cuts of the broker's connection, at random points; an audit."""
    from stonks_cli.bench.crash.run import run  # noqa: PLC0415  the other benchmarks do without its libraries

    _report(run(points, seed), CRASH, as_json=as_json)


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise typer.BadParameter(f"{text!r} is no list of positive numbers such as 300,1000")
    return tuple(int(part) for part in parts)


def _report(found: Mapping[str, Any], sections: Mapping[str, tuple[str, Mapping[str, str]]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    OUT.print(", ".join(f"{name} {value}" for name, value in found["machine"].items()))
    for name, (title, columns) in sections.items():
        rows: Sequence[Mapping[str, Any]] = found[name]
        print_table(title, [{key: _short(value) for key, value in row.items()} for row in rows], columns)


def _short(value: object) -> object:
    """Three digits are as many as a measurement has."""
    if not isinstance(value, float):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
