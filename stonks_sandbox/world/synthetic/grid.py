"""Prices and volumes on two grids that agree exactly: five minutes for all companies, five seconds for one.

The five-minute grid draws each segment's open, close, high and low; the five-second grid fills a segment with a
bridge that touches exactly that high and low, and splits exactly that volume. So a daily bar, which needs only the
coarse grid, equals the sum of its 17,280 finest bars.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from stonks_sandbox.world.synthetic.draws import generator
from stonks_sandbox.world.synthetic.effects import NewsPath
from stonks_sandbox.world.synthetic.events import SEGMENTS
from stonks_sandbox.world.synthetic.factors import Factors, Floats
from stonks_sandbox.world.synthetic.universe import profiles

FINE = 5
PER_SEGMENT = 300 // FINE
FINE_BARS = SEGMENTS * PER_SEGMENT
COARSE_KEPT, FINE_KEPT = 24, 48
SHARES_A_TRADE = 80.0


@dataclass(frozen=True)
class CoarseDay:
    """One day of all companies, each (C, 288): noise and news of the log price, and volumes in whole shares."""

    noise_open: Floats
    noise_close: Floats
    noise_high: Floats
    noise_low: Floats
    news: Floats
    volume: Floats


@dataclass(frozen=True)
class Columns:
    """Bars of one company as columns of equal length; prices in dollars, rounded to cents; volume in shares."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    turnover: Floats

    def __len__(self) -> int:
        return len(self.open)

    def grouped(self, size: int) -> "Columns":
        """Every `size` bars as one; the length must be a multiple of it."""
        shape = (len(self) // size, size)
        return Columns(
            self.open.reshape(shape)[:, 0].copy(),
            self.high.reshape(shape).max(axis=1),
            self.low.reshape(shape).min(axis=1),
            self.close.reshape(shape)[:, -1].copy(),
            self.volume.reshape(shape).sum(axis=1),
            self.turnover.reshape(shape).sum(axis=1),
        )

    def part(self, first: int, last: int) -> "Columns":
        """The bars [first, last)."""
        piece = slice(first, last)
        return Columns(
            self.open[piece],
            self.high[piece],
            self.low[piece],
            self.close[piece],
            self.volume[piece],
            self.turnover[piece],
        )


class Grid:
    """Both grids of one seed, drawn when asked for, with the latest days kept; safe to ask from several threads."""

    def __init__(self, seed: int, factors: Factors, news: NewsPath) -> None:
        self._seed = seed
        self._factors = factors
        self._news = news
        self._lock = threading.RLock()
        self._coarse: OrderedDict[int, CoarseDay] = OrderedDict()
        self._fine: OrderedDict[tuple[int, int], Columns] = OrderedDict()
        self._daily: dict[int, Columns] = {}
        self._base = np.array([profile.base_price for profile in profiles()])

    def coarse(self, day: int, company: int) -> Columns:
        """The 288 five-minute bars of a company on a day."""
        with self._lock:
            whole = self._coarse_day(day)
            return self._priced(
                self._base[company],
                *(
                    row[company]
                    for row in (
                        whole.noise_open + whole.news,
                        whole.noise_high + whole.news,
                        whole.noise_low + whole.news,
                        whole.noise_close + whole.news,
                        whole.volume,
                    )
                ),
            )

    def daily(self, day: int) -> Columns:
        """The day's bar of every company, one entry a company."""
        with self._lock:
            known = self._daily.get(day)
            if known is None:
                whole = self._coarse_day(day)
                flat = self._priced(
                    np.repeat(self._base, SEGMENTS),
                    (whole.noise_open + whole.news).ravel(),
                    (whole.noise_high + whole.news).ravel(),
                    (whole.noise_low + whole.news).ravel(),
                    (whole.noise_close + whole.news).ravel(),
                    whole.volume.ravel(),
                )
                known = flat.grouped(SEGMENTS)
                self._daily[day] = known
            return known

    def fine(self, day: int, company: int) -> Columns:
        """The 17,280 five-second bars of a company on a day."""
        with self._lock:
            known = self._fine.get((day, company))
            if known is not None:
                self._fine.move_to_end((day, company))
                return known
            known = self._fine_day(day, company)
            self._fine[(day, company)] = known
            if len(self._fine) > FINE_KEPT:
                self._fine.popitem(last=False)
            return known

    def _priced(self, base: Floats, open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats) -> Columns:
        """Log prices to dollars and cents; rounding keeps their order."""
        dollars = [np.maximum(np.round(base * np.exp(value), 2), 0.01) for value in (open_, high, low, close)]
        typical = (dollars[0] + dollars[1] + dollars[2] + dollars[3]) / 4
        return Columns(dollars[0], dollars[1], dollars[2], dollars[3], volume, typical * volume)

    def _coarse_day(self, day: int) -> CoarseDay:
        known = self._coarse.get(day)
        if known is not None:
            self._coarse.move_to_end(day)
            return known
        known = self._draw_coarse(day)
        self._coarse[day] = known
        if len(self._coarse) > COARSE_KEPT:
            self._coarse.popitem(last=False)
        return known

    def _draw_coarse(self, day: int) -> CoarseDay:
        paths = self._factors.until(day)
        begin, finish, sigma = paths.noise[day], paths.noise[day + 1], paths.sigma[day]
        rng = generator(self._seed, "coarse", day)
        count = len(begin)
        scale = (sigma / np.sqrt(SEGMENTS))[:, None]
        walk = np.zeros((count, SEGMENTS + 1))
        np.cumsum(rng.standard_normal((count, SEGMENTS)) * scale, axis=1, out=walk[:, 1:])
        part = np.arange(SEGMENTS + 1) / SEGMENTS
        node = begin[:, None] + walk + (finish - begin - walk[:, -1])[:, None] * part
        opens, closes = node[:, :-1], node[:, 1:]
        # The greatest and least value of a Brownian bridge between two known ends.
        spread = (closes - opens) ** 2
        depth = -2 * scale**2 * np.log(1.0 - rng.random((2, count, SEGMENTS)))
        high = (opens + closes + np.sqrt(spread + depth[0])) / 2
        low = (opens + closes - np.sqrt(spread + depth[1])) / 2
        news, attention = self._news.day(day)
        hour = np.arange(SEGMENTS) * 24 / SEGMENTS
        season = 0.6 + 0.8 * np.exp(-(((hour - 17) / 4.5) ** 2))
        typical = np.array([profile.volume for profile in profiles()])[:, None] / SEGMENTS
        chance = np.exp(0.45 * rng.standard_normal((count, SEGMENTS)))
        loud = (sigma / sigma.mean())[:, None] ** 0.5
        volume = np.round(typical * season * chance * loud * (1 + 12 * attention))
        return CoarseDay(opens, closes, high, low, news, volume)

    def _fine_day(self, day: int, company: int) -> Columns:
        whole = self._coarse_day(day)
        begin, finish = whole.noise_open[company], whole.noise_close[company]
        high, low = whole.noise_high[company], whole.noise_low[company]
        rng = generator(self._seed, "fine", day, company)
        scale = self._factors.until(day).sigma[day][company] / np.sqrt(FINE_BARS)
        walk = np.zeros((SEGMENTS, PER_SEGMENT + 1))
        np.cumsum(rng.standard_normal((SEGMENTS, PER_SEGMENT)) * scale, axis=1, out=walk[:, 1:])
        part = np.arange(PER_SEGMENT + 1) / PER_SEGMENT
        node = begin[:, None] + walk + (finish - begin - walk[:, -1])[:, None] * part
        node = np.clip(node, low[:, None], high[:, None])
        node[:, 0], node[:, -1] = begin, finish
        opens, closes = node[:, :-1], node[:, 1:]
        reach = rng.random((2, SEGMENTS, PER_SEGMENT)) * scale
        highs = np.minimum(np.maximum(opens, closes) + reach[0], high[:, None])
        lows = np.maximum(np.minimum(opens, closes) - reach[1], low[:, None])
        rows = np.arange(SEGMENTS)
        highs[rows, highs.argmax(axis=1)] = high
        lows[rows, lows.argmin(axis=1)] = low
        news = whole.news[company][:, None]
        share = np.exp(0.8 * rng.standard_normal((SEGMENTS, PER_SEGMENT)))
        running = share.cumsum(axis=1)
        traded = np.round(running / running[:, -1:] * whole.volume[company][:, None])
        volume = np.diff(traded, axis=1, prepend=0.0)
        return self._priced(
            self._base[company],
            (opens + news).ravel(),
            (highs + news).ravel(),
            (lows + news).ravel(),
            (closes + news).ravel(),
            volume.ravel(),
        )
