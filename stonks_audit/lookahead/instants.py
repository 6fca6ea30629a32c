"""Which instants an audit looks at."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError

DAY, CLOSE = "day", "close"
MOST = 5_000


def instants(first: date, last: date, every: str, calendar: MarketCalendar, now: datetime) -> list[datetime]:
    """The instants from the first to the last day (both included) that are past: `day`, `close`, or hours as `6h`.

    `day` is the last microsecond of each UTC day, for which a past day is computed; `close` each session's close; `6h`
    every six hours from midnight. Where the last day is not over, the present is the last instant. Raises BadInputError
    where there is none, or too many.
    """
    if last < first:
        raise BadInputError(f"--to {last} lies before --from {first}")
    found = [at for at in _instants(first, last, every, calendar) if at < now]
    if first <= now.date() <= last:
        found.append(now)
    if not found:
        raise BadInputError(f"there is no past instant by --every {every} from {first} to {last}")
    if len(found) > MOST:
        raise BadInputError(f"{len(found)} instants from {first} to {last} are too many: {MOST} are audited at most")
    return found


def _instants(first: date, last: date, every: str, calendar: MarketCalendar) -> Iterator[datetime]:
    if every == CLOSE:
        yield from (session.close for session in calendar.sessions_between(first, last))
        return
    if every == DAY:
        begin, step = _midnight(first) + timedelta(days=1, microseconds=-1), timedelta(days=1)
    else:
        begin, step = _midnight(first), timedelta(hours=_hours(every))
    while begin < _midnight(last) + timedelta(days=1):
        yield begin
        begin += step


def _hours(every: str) -> int:
    number = every.removesuffix("h")
    if not (every.endswith("h") and number.isdecimal() and 1 <= int(number) <= 24 * 31):
        raise BadInputError(f"--every is {every!r}: give day, close, or hours such as 6h")
    return int(number)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
