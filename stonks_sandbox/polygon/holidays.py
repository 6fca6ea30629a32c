"""The market's closed weekdays and early closes of the coming year, for markets with sessions."""

from datetime import date, timedelta
from typing import Any

import exchange_calendars

from stonks_sandbox.world.instants import iso_utc

AHEAD = 360
VENUES = ("NYSE", "NASDAQ")


def upcoming(calendar_name: str, today: date) -> list[dict[str, Any]]:
    """One row a venue and day, by day, in the vendor's shape."""
    calendar = exchange_calendars.get_calendar(
        calendar_name, start=str(today - timedelta(days=10)), end=str(today + timedelta(days=AHEAD + 6))
    )
    sessions = {session.date() for session in calendar.sessions}
    early = {session.date() for session in calendar.early_closes}
    rows: list[dict[str, Any]] = []
    for offset in range(1, AHEAD + 1):
        day = today + timedelta(days=offset)
        if day.weekday() < 5 and day not in sessions:
            row = {"date": str(day), "name": "Market holiday", "status": "closed"}
        elif day in early:
            row = {
                "date": str(day),
                "name": "Early close",
                "status": "early-close",
                "open": iso_utc(calendar.session_open(str(day)).to_pydatetime()),
                "close": iso_utc(calendar.session_close(str(day)).to_pydatetime()),
            }
        else:
            continue
        rows += [{**row, "exchange": venue} for venue in VENUES]
    return rows
