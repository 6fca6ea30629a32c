"""The commands `stonks score-sandbox` and `stonks score-filings`: their arguments, and their reports as tables."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stonks_cli.books import LIVE
from stonks_cli.root import OUT, guarded, print_json, print_table, settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included.")]
FUNNEL = {
    "row": "events", "planted": "n", "extraction": "extract", "signals": "signals", "trends": "trends",
    "recommendations": "recomm.", "calls": "calls", "delay": "min",
}  # fmt: skip
REACTIONS = {
    "horizon": "sessions", "judge": "judge", "filings": "n", "opinions": "said", "hit": "hit (95 %)",
    "earned": "%", "coefficient": "IC (t)",
}  # fmt: skip


@guarded
def score_sandbox(
    first: First = None,
    last: Last = None,
    book: Annotated[str, typer.Option(help="The book to score: live, or demo.")] = LIVE,
    *,
    as_json: Json = False,
) -> None:
    """What the system made of the events that the synthetic market planted: recall and precision of each stage, by catalyst.

    An event is planted where it moves a ticker's log price by 0.005 or more; a stage found it where it said something of
    the right sign of that ticker, on the evidence of a document of that event, within a day of the first of them. What is
    said of a ticker that it moves by less counts neither way: a macro event moves every exposed company a little.
    """
    from stonks_cli.score.sandbox import Days  # noqa: PLC0415  the other commands do without its libraries
    from stonks_cli.score.sandbox import score_sandbox as run  # noqa: PLC0415

    found = run(settings(), book, Days(_date(first), _date(last)))
    if as_json:
        print_json(found)
        return
    OUT.print(
        f"{found['events']} events of {found['first']:%Y-%m-%d %H:%M} to {found['last']:%Y-%m-%d %H:%M} UTC; "
        f"{found['untold']} without a document that came in, {found['young']} not a day old",
        highlight=False,
    )
    print_table("Recall/precision of each stage, %", [_funnel(row) for row in found["rows"]], FUNNEL)
    _print_figures("False rumours", found["false_rumours"])
    _print_figures("Macro impacts, by what the event did to the company", found["macro_impacts"])
    print_table("Disputed, calls after both had spoken", found["disputes"], _same(found["disputes"]))
    _print_figures("Do calls agree with what was planted", found["agreement"])
    wrong = [row for row in found["confusion"] if row["true"] != row["read as"]]
    print_table("Catalysts read as another", wrong[:12], _same(wrong))
    OUT.print("Missed, the largest first", style="bold")
    for miss in found["misses"]:
        OUT.print(_missed(miss), highlight=False, markup=False, soft_wrap=True)


@guarded
def score_filings(
    folder: Path,
    ticker: Annotated[list[str] | None, typer.Option(help="Only this company; may be given more than once.")] = None,
    first: First = None,
    last: Last = None,
    *,
    as_json: Json = False,
) -> None:
    """How the model's judgement of recorded filings agrees with what their prices did next, beside word lists.

    No system need run. A reaction begins at the last close before a filing was accepted, and is what a price did beyond
    the mean of all prices; `entered` begins at the first open afterwards. Judgements weaker than 0.1 are no opinion.
    """
    from stonks_cli.replay import require_recording  # noqa: PLC0415
    from stonks_cli.score.filings import score_filings as run  # noqa: PLC0415

    found = run(settings(), require_recording(folder), ticker or (), _date(first), _date(last))
    if as_json:
        print_json(found)
        return
    OUT.print(
        f"{found['filings']} filings read by {found['model']}; {found['unpriced']} without a price, "
        f"{len(found['errors'])} without an answer",
        highlight=False,
    )
    print_table("Abnormal returns after acceptance", [_reaction(row) for row in found["table"]], REACTIONS)
    bins = [
        {"sessions": row["horizon"], **each}
        for row in found["table"]
        if row["judge"] == found["model"] and row["horizon"].isdigit()
        for each in row["calibration"]
    ]
    headings = ("sessions", "from", "to", "n", "mean_confidence", "hit_rate")
    print_table("Stated confidence and hit rate", bins, {name: name.replace("_", " ") for name in headings})
    OUT.print("Farthest from the price in the next session", style="bold")
    for row in found["farthest"]:
        told = f"{row['ticker']} {row['accession']}, {row['catalyst']} {row['sentiment']:+.2f}, price {row['abnormal']:+.3f}"
        OUT.print(f"{told}: {' '.join(row['quote'].split())}", highlight=False, markup=False, soft_wrap=True)


def _date(given: datetime | None) -> date | None:
    return given.date() if given else None


def _same(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {key: key for key in rows[0]} if rows else {}


def _funnel(row: Mapping[str, Any]) -> dict[str, Any]:
    stages = {
        name: f"{_share(stage['recall'])}/{_share(stage['precision'])}"
        for name, stage in row.items()
        if isinstance(stage, Mapping)
    }
    delay = row["recommendations"]["delay_minutes"]
    return {"row": row["row"], "planted": row["planted"], **stages, "delay": None if delay is None else round(delay)}


def _reaction(row: Mapping[str, Any]) -> dict[str, Any]:
    hit = "" if row["hit_rate"] is None else f"{row['hit_rate']:.2f} ({row['low']:.2f}–{row['high']:.2f})"
    earned = "" if row["mean_abnormal"] is None else f"{100 * row['mean_abnormal']:+.2f}"
    t = "" if row["t"] is None else f" ({row['t']:+.2f})"
    coefficient = "" if row["ic"] is None else f"{row['ic']:+.2f}{t}"
    return {**row, "judge": row["judge"].split(":")[0], "hit": hit, "earned": earned, "coefficient": coefficient}


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


def _print_figures(title: str, figures: Mapping[str, float | int | None]) -> None:
    OUT.print(title, style="bold")
    for name, value in figures.items():
        told = "–" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
        OUT.print(f"{name}: {told}", highlight=False)
    OUT.print()


def _missed(miss: Mapping[str, Any]) -> str:
    said = miss["said"]
    told = "nothing was said" if said is None else f"said was {said['sign']:+d} {said['catalyst']}".strip()
    where = f"document {miss['document_id']}" if miss["document_id"] else f"{miss['source_id']} did not come in"
    return f"{miss['stage']}: {miss['row']} {miss['event_id']}, {miss['ticker']} {miss['effect']:+.3f}; {told}; {where}"
