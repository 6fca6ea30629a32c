"""The five trend windows: how far each looks back, and how fast a signal fades in it.

When the previous session closed is the calendar's business: callers hand that instant in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stonks_core.vocabulary import Window


@dataclass(frozen=True)
class WindowShape:
    """A window's look-back (`None`: since the previous session's close) and its half-life."""

    window: Window
    span: timedelta | None
    half_life: timedelta

    def since(self, as_of: datetime, intraday_since: datetime) -> datetime:
        """The instant after which a signal must have been published to count at `as_of`."""
        return intraday_since if self.span is None else as_of - self.span

    def length(self, as_of: datetime, intraday_since: datetime) -> timedelta:
        """How much time the window covers at `as_of`; never negative."""
        return max(as_of - self.since(as_of, intraday_since), timedelta(0))


SHAPES: dict[Window, WindowShape] = {
    shape.window: shape
    for shape in (
        WindowShape(Window.INTRADAY, None, timedelta(hours=4)),
        WindowShape(Window.DAY, timedelta(hours=24), timedelta(hours=8)),
        WindowShape(Window.WEEK, timedelta(days=7), timedelta(days=2)),
        WindowShape(Window.MONTH, timedelta(days=30), timedelta(days=10)),
        WindowShape(Window.QUARTER, timedelta(days=90), timedelta(days=30)),
    )
}

LONGEST = timedelta(days=90)
"""No window looks back further, save the intraday one over an uncommonly long market holiday."""
