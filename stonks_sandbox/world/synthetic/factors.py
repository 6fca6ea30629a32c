"""The part of prices that no news explains: regimes, the market, the sectors, each company's own noise and mood.

Everything is drawn in order of days, so that a longer horizon never changes an earlier day.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stonks_sandbox.world.synthetic.draws import generator
from stonks_sandbox.world.synthetic.universe import profiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CALM, TREND, TURBULENT = 0, 1, 2
TRANSITIONS = np.array([[0.965, 0.020, 0.015], [0.040, 0.945, 0.015], [0.060, 0.020, 0.920]])
VOLATILITY = np.array([1.0, 1.1, 2.1])
TREND_DRIFT = 0.0015
MARKET_SIGMA = 0.0045
SECTOR_SIGMA = 0.004
REVERSION = 0.998
"""Daily pull of the noise towards the base price: a half-life of about a year keeps decades of prices in range."""
MOOD_MEMORY = 0.93
"""Daily persistence of a company's run of good or bad news: a half-life of about ten days."""
BLOCK_DAYS = 512


@dataclass(frozen=True)
class FactorPaths:
    """For days 0..n-1: noise of the log price at each midnight (n+1, C), daily sigma (n, C), mood (n, C), regimes."""

    noise: Floats
    sigma: Floats
    mood: Floats
    market_regime: Ints
    sector_regime: Ints


def _regimes(seed: int, days: int, chains: int) -> tuple[Ints, Floats]:
    """Markov chains by day: states (days, chains) and the sign of the present trend."""
    rng = generator(seed, "regimes")
    uniform = rng.random((days, chains))
    sides = np.where(rng_sides(seed, days, chains) < 0.5, -1.0, 1.0)
    bounds = TRANSITIONS.cumsum(axis=1)
    states = np.zeros((days, chains), dtype=np.int64)
    trend = np.zeros((days, chains))
    state, side = np.zeros(chains, dtype=np.int64), np.ones(chains)
    for day in range(days):
        following = (uniform[day][:, None] > bounds[state][:, :2]).sum(axis=1)
        side = np.where((following == TREND) & (state != TREND), sides[day], side)
        state = following
        states[day] = state
        trend[day] = np.where(state == TREND, side * TREND_DRIFT, 0.0)
    return states, trend


def rng_sides(seed: int, days: int, chains: int) -> Floats:
    """The coin that gives a beginning trend its direction; its own stream, so that both stay prefix-stable."""
    return generator(seed, "regimes", 1).random((days, chains))


def _simulate(seed: int, days: int) -> FactorPaths:
    companies = profiles()
    sectors = sorted({profile.sector for profile in companies})
    sector_of = np.array([sectors.index(profile.sector) for profile in companies])
    beta = np.array([profile.beta for profile in companies])
    own = np.array([profile.sigma * 0.75 for profile in companies])
    states, trend = _regimes(seed, days, 1 + len(sectors))
    loud = VOLATILITY[states]
    shocks = generator(seed, "factors").standard_normal((days, 1 + len(sectors) + 2 * len(companies)))
    market = shocks[:, 0] * MARKET_SIGMA * loud[:, 0] + trend[:, 0]
    sector = shocks[:, 1 : 1 + len(sectors)] * SECTOR_SIGMA * loud[:, 1:] + trend[:, 1:]
    idio = shocks[:, 1 + len(sectors) : 1 + len(sectors) + len(companies)]
    mood_shock = shocks[:, 1 + len(sectors) + len(companies) :]
    scale = np.maximum(loud[:, :1], loud[:, 1:][:, sector_of])
    step = market[:, None] * beta + sector[:, sector_of] + idio * own * np.sqrt(scale)
    sigma = np.sqrt((MARKET_SIGMA * beta) ** 2 + SECTOR_SIGMA**2 + own**2) * scale
    noise = np.zeros((days + 1, len(companies)))
    mood = np.zeros((days, len(companies)))
    feeling = np.zeros(len(companies))
    for day in range(days):
        noise[day + 1] = noise[day] * REVERSION + step[day]
        feeling = feeling * MOOD_MEMORY + mood_shock[day] * np.sqrt(1 - MOOD_MEMORY**2)
        mood[day] = np.tanh(feeling)
    return FactorPaths(noise, sigma, mood, states[:, 0], states[:, 1:])


class Factors:
    """The paths of one seed, drawn in blocks as far as they are needed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._paths: FactorPaths | None = None

    def until(self, day: int) -> FactorPaths:
        """Paths that cover day number `day`; the internal horizon may lie beyond it."""
        paths = self._paths
        if paths is None or len(paths.sigma) <= day:
            paths = _simulate(self._seed, (day // BLOCK_DAYS + 1) * BLOCK_DAYS)
            self._paths = paths
        return paths
