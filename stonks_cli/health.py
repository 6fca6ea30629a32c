"""`stonks health`: may new positions be opened, why not, and what the checks of the data found."""

from datetime import UTC, datetime
from typing import Any

from stonks_cli.books import LIVE, open_books
from stonks_cli.root import OUT, print_table
from stonks_core.health.report import Report, report
from stonks_core.settings import Settings


def health_of(settings: Settings, book: str) -> Report:
    """A book's report: of the present where it lives, as of its last verdict where it was only made once."""
    with open_books(settings, book) as stores:
        opened = stores[book]
        with opened.database.connection() as connection:
            return report(connection, opened.settings.data_health, datetime.now(UTC) if book == LIVE else None)


def plain(found: Report) -> dict[str, Any]:
    """The report as plain values, shaped as the API gives it."""
    return {
        **vars(found),
        "reasons": [vars(reason) for reason in found.reasons],
        "warnings": [vars(warning) for warning in found.warnings],
    }


def print_health(found: Report, *, every: bool) -> None:
    """The verdict in a sentence, and the checks that found something; with `every`, all of them."""
    answer = "may be opened" if found.entries_open else "may not be opened"
    because = f": {found.because}" if found.because else ""
    gate = "" if found.gate else " (DATA_HEALTH_GATE is false: nothing closes the door)"
    OUT.print(f"New positions {answer}{gate}{because}.", markup=False, highlight=False)
    broken = [row for row in found.checks if row["problem"]]
    shown = [
        {**row, "closes": "yes" if row["blocks"] else "no", "found": row["problem"] or "holds"}
        for row in (found.checks if every else broken)
    ]
    if shown:
        columns = {
            "subject": "table",
            "check_name": "check",
            "severity": "severity",
            "closes": "closes",
            "found": "found",
        }
        print_table("Checks" if every else "Checks that found something", shown, columns)
    judged = f"last judged {found.judged_at:%Y-%m-%d %H:%M:%S} UTC" if found.judged_at else "never judged"
    OUT.print(f"{len(found.checks) - len(broken)} of {len(found.checks)} checks hold; {judged}", highlight=False)
    if found.refused_records:
        counts = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found.refused_records.items())
        OUT.print(f"Records of the model's that the evidence contract refused: {counts}", highlight=False)
