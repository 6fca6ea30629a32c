"""The command `stonks notifications`. What it does is in `notifications`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from stonks_cli.root import OUT, guarded, print_json, print_table, settings


@guarded
def notifications(
    *,
    test: Annotated[str, typer.Option(metavar="CHANNEL", help="Send a message through this channel now.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Show the channels and the newest messages, or try a channel."""
    from stonks_cli.books import LIVE, open_books  # noqa: PLC0415
    from stonks_cli.notifications import overview, try_channel  # noqa: PLC0415  other commands do without

    now = datetime.now(UTC)
    with open_books(settings(), LIVE) as books:
        stores = books[LIVE]
        if test:
            try_channel(stores, test, now)
            OUT.print(f"{test} took a message")
            return
        found = overview(stores, now)
    if as_json:
        print_json(found)
        return
    columns = {"channel": "channel", "enabled": "on", "severity": "from", "per_hour": "an hour", "configured": "set up"}
    print_table("Channels", found["channels"], columns)
    said = {"at": "at (UTC)", "channel": "channel", "severity": "severity", "subject": "subject", "status": "state"}
    print_table("Newest messages", found["messages"], said | {"error": "why not"})
