"""Bars and last prices of the synthetic market at a given present: what has begun is visible as far as it has gone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from stonks_sandbox.world.protocol import Bar
from stonks_sandbox.world.synthetic.draws import HISTORY_DAYS, day_number, day_start
from stonks_sandbox.world.synthetic.events import SEGMENT
from stonks_sandbox.world.synthetic.grid import FINE, SHARES_A_TRADE, Columns, Grid

DAY_SECONDS = 86_400


def _bars(begin: datetime, seconds: int, columns: Columns) -> Iterator[Bar]:
    rows = zip(
        columns.open.tolist(),
        columns.high.tolist(),
        columns.low.tolist(),
        columns.close.tolist(),
        columns.volume.tolist(),
        columns.turnover.tolist(),
        strict=True,
    )
    for index, (open_, high, low, close, volume, turnover) in enumerate(rows):
        yield Bar(
            start=begin + timedelta(seconds=index * seconds),
            seconds=seconds,
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
            vwap=round(turnover / volume, 4) if volume else close,
            trades=int(volume / SHARES_A_TRADE) + 1 if volume else 0,
        )


class Market:
    """Bars of any length that divides a day, from the two grids."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def bars(self, company: int, start: datetime, end: datetime, seconds: int, now: datetime) -> list[Bar]:
        """Bars that begin in [start, end) and not after `now`, oldest first; the one that runs is cut at `now`.

        Raises ValueError where `seconds` is no multiple of 5 that divides a day.
        """
        if seconds < FINE or seconds % FINE or DAY_SECONDS % seconds:
            raise ValueError(f"bars of {seconds} s do not exist here: ask for a multiple of {FINE} that divides a day")
        found: list[Bar] = []
        first = max(day_number(start), HISTORY_DAYS)
        last = min(day_number(end - timedelta(microseconds=1)), day_number(now))
        for day in range(first, last + 1):
            found += self._day(company, day, seconds, start, end, now)
        return found

    def last_price(self, company: int, now: datetime) -> float:
        """The price at which the running five-second bar began to trade."""
        day = day_number(now)
        return float(self._grid.fine(day, company).open[int((now - day_start(day)).total_seconds()) // FINE])

    def next_bar(self, company: int, after: datetime, now: datetime) -> Bar | None:
        """The first five-second bar that begins strictly after `after`, once it has begun."""
        begin = day_start(day_number(after))
        index = int((after - begin).total_seconds()) // FINE + 1
        start = begin + timedelta(seconds=index * FINE)
        if start > now:
            return None
        return self.bars(company, start, start + timedelta(seconds=FINE), FINE, now)[0]

    def _day(self, company: int, day: int, seconds: int, start: datetime, end: datetime, now: datetime) -> list[Bar]:
        begin = day_start(day)
        count = DAY_SECONDS // seconds
        low = max(0, -(-(start - begin) // timedelta(seconds=seconds)))
        high = min(count, -(-(end - begin) // timedelta(seconds=seconds)))
        running = (now - begin) // timedelta(seconds=seconds)
        found: list[Bar] = []
        whole = min(high, running)
        if low < whole:
            columns = self._columns(company, day, seconds).part(low, whole)
            found += _bars(begin + timedelta(seconds=low * seconds), seconds, columns)
        if low <= running < high:
            found.append(self._running(company, day, running, seconds, now))
        return found

    def _columns(self, company: int, day: int, seconds: int) -> Columns:
        if seconds == DAY_SECONDS:
            return self._grid.daily(day).part(company, company + 1)
        if seconds % SEGMENT == 0:
            return self._grid.coarse(day, company).grouped(seconds // SEGMENT)
        return self._grid.fine(day, company).grouped(seconds // FINE)

    def _running(self, company: int, day: int, index: int, seconds: int, now: datetime) -> Bar:
        """The bar that has begun and not ended: its finished five-second parts, and the open of the present one."""
        begin = day_start(day)
        start = begin + timedelta(seconds=index * seconds)
        fine = self._grid.fine(day, company)
        first, present = index * seconds // FINE, int((now - begin).total_seconds()) // FINE
        here = float(fine.open[present])
        if first == present:
            return Bar(start, seconds, here, here, here, here, 0.0, here, 0)
        done = fine.part(first, present)
        volume = float(done.volume.sum())
        return Bar(
            start=start,
            seconds=seconds,
            open=float(done.open[0]),
            high=max(float(done.high.max()), here),
            low=min(float(done.low.min()), here),
            close=here,
            volume=volume,
            vwap=round(float(done.turnover.sum()) / volume, 4) if volume else here,
            trades=int(volume / SHARES_A_TRADE) + 1 if volume else 0,
        )
