"""What `why --without`, `recompute` and `lookahead-audit` print for people."""

from dataclasses import asdict
from typing import Any

from rich.markup import escape

from stonks_audit.counterfactual import Counterfactual
from stonks_audit.lookahead.audit import Audited
from stonks_audit.lookahead.comparing import by_asset
from stonks_audit.recompute import Reading, Recomputed
from stonks_audit.sizes import BY_DECISION, BY_PORTFOLIO, Size
from stonks_cli.root import OUT, print_table

MOST_SHOWN = 40
_FIGURES = (
    *("action", "mode", "direction", "score", "strength", "confidence", "contradiction", "signals_counted"),
    *("projected_score", "risk_class", "suppression"),
)


def print_recomputed(done: Recomputed) -> None:
    """The verdict, and every column that came out otherwise."""
    what = f"recommendation {done.recommendation_id}: {done.ticker} ({done.window}) as of {done.as_of.isoformat()}"
    verdict = "[green]equal, byte for byte[/green]" if done.equal else "[red]DIFFERS[/red]"
    OUT.print(f"{what}: {verdict}", highlight=False, soft_wrap=True)
    OUT.print(f"stored rows: sha256 {done.stored_sha256}", highlight=False, soft_wrap=True)
    for reading in (done.by_knowledge, done.by_versions):
        OUT.print(f"by {reading.name}: {_verdict(reading)}", highlight=False, soft_wrap=True)
    for note in done.notes:
        OUT.print(f"note: {escape(note)}", highlight=False, soft_wrap=True)
    if not done.equal:
        closest = done.by_knowledge if done.by_versions.gone else done.by_versions
        rows = [asdict(one) | {"stored": repr(one.stored), "again": repr(one.again)} for one in closest.differences]
        columns = {"table": "table", "row": "row", "column": "column", "stored": "stored", "again": "again"}
        print_table("What came out otherwise", rows[:MOST_SHOWN], columns)
        if len(rows) > MOST_SHOWN:
            OUT.print(f"and {len(rows) - MOST_SHOWN} more: --json prints all")


def _verdict(reading: Reading) -> str:
    if reading.gone:
        return escape(reading.gone)
    return f"equal, sha256 {reading.sha256}" if reading.equal else f"{len(reading.differences)} columns differ"


def print_counterfactual(done: Counterfactual) -> None:
    """Before and after, figure by figure."""
    before = asdict(done.before)
    after = asdict(done.after) if done.after else dict.fromkeys(_FIGURES, "nothing said")
    rows: list[dict[str, Any]] = [
        {"figure": name.replace("_", " "), "before": _plain(before[name]), "after": _plain(after[name])}
        for name in _FIGURES
    ]
    rows.append({"figure": "size", "before": _size(done.size_before), "after": _size(done.size_after)})
    marked = [{**row, "changed": "" if row["before"] == row["after"] else "changed"} for row in rows]
    title = f"{done.ticker} ({done.window}) as of {done.as_of:%Y-%m-%d %H:%M} UTC without {', '.join(done.without)}"
    columns = {"figure": "figure", "before": "before", "after": "after", "changed": ""}
    print_table(escape(title), marked, columns)
    basis = {
        BY_DECISION: f"sizes: by the portfolio and market of decision {done.size_name}",
        BY_PORTFOLIO: f"sizes: by the portfolio of account {done.size_name} as it stands now, as no decision sized it",
    }.get(done.size_basis, "sizes: none")
    OUT.print(f"{basis}. Before: {done.size_before.sentence} After: {done.size_after.sentence}", highlight=False)
    for note in done.notes:
        OUT.print(f"note: {escape(note)}", highlight=False)


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _size(size: Size) -> str:
    if size.dollars is not None:
        return f"${size.dollars}"
    return f"{size.shares.normalize():f} shares" if size.shares is not None else "nothing"


def print_audited(done: Audited) -> None:
    """By asset how much was compared and what leaked, then the differences."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in done.planted.items()) or "nothing"
    columns = {"asset": "asset", "compared": "rows compared", "leaks": "differences", "first": "first difference"}
    print_table(f"Look-ahead audit of {done.instants} instants", by_asset(done.leaks, done.compared), columns)
    OUT.print(f"planted: {kinds}", highlight=False)
    for note in done.notes:
        OUT.print(f"note: {escape(note)}", highlight=False)
    if done.clean:
        OUT.print("[green]nothing that was known later changes what is computed[/green]")
        return
    rows = [asdict(leak) | {"truncated": repr(leak.truncated), "found": repr(leak.found)} for leak in done.leaks]
    headings = {"asset": "asset", "as_of": "as of (UTC)", "against": "against", "ticker": "ticker", "key": "row",
                "column": "column", "truncated": "truncated", "found": "found"}  # fmt: skip
    print_table("What changes with what was known later", rows[:MOST_SHOWN], headings)
    if len(rows) > MOST_SHOWN:
        OUT.print(f"and {len(rows) - MOST_SHOWN} more: --json prints all")
