"""What one signal weighs in one window at one instant.

    recency = 2 ** (-(as_of - published_at) / half_life)
    W       = layer_weight * recency * credibility * (0.5 + 0.5 * novelty) * confidence * impact

A copy of a story that another signal told first weighs nothing; `origins` says which those are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from stonks_core.columns import Flags, Floats, Ints, round_micros
from stonks_core.settings.slices import Signals
from stonks_core.vocabulary import Layer

SHORT = "short"
STALE_SHORT_FACTOR = 0.25
"""What is left of the weight of a short macro event once it is stale."""


@dataclass(frozen=True)
class LayerWeights:
    """How much each layer counts against the company layer (0: switched off), and when short events grow stale."""

    company: float = 1.0
    macro: float = 0.3
    competitive: float = 0.2
    short_staleness: timedelta = timedelta(hours=48)

    @classmethod
    def of(cls, signals: Signals, *, macro_on: bool, competitive_on: bool) -> "LayerWeights":
        """The weights by the settings, 0 for a layer that is switched off."""
        return cls(
            macro=signals.macro_signal_weight if macro_on else 0.0,
            competitive=signals.competitive_signal_weight if competitive_on else 0.0,
            short_staleness=timedelta(hours=signals.macro_short_term_staleness_hours),
        )

    @property
    def by_layer(self) -> Mapping[str, float]:
        """The weights by the layers' names."""
        return {Layer.COMPANY: self.company, Layer.MACRO: self.macro, Layer.COMPETITIVE: self.competitive}

    @property
    def stamp(self) -> str:
        """All of it in one text: other weights have another one."""
        weights = " ".join(f"{layer} {weight!r}" for layer, weight in self.by_layer.items())
        return f"{weights} stale_seconds {self.short_staleness.total_seconds()!r}"


def recency(age: Ints, half_life: timedelta) -> Floats:
    """`2 ** (-age / half_life)` for ages in microseconds: 1 for a signal of this instant, 0.5 one half-life later."""
    return np.asarray(np.exp2(-(age / round_micros(half_life))), dtype=np.float64)


def base_weights(
    *,
    layer_weight: Floats,
    credibility: Floats,
    novelty: Floats,
    confidence: Floats,
    impact: Floats,
    stale_short: Flags,
) -> Floats:
    """W without its recency, which alone differs between windows; all inputs are per signal, in [0, 1].

    `stale_short` marks macro events of short duration that are older than the staleness limit: their weight is
    quartered.
    """
    whole = layer_weight * credibility * (0.5 + 0.5 * novelty) * confidence * impact
    return np.where(stale_short, STALE_SHORT_FACTOR * whole, whole)


def weight(
    *,
    layer_weight: float,
    recency: float,
    credibility: float,
    novelty: float,
    confidence: float,
    impact: float,
    copy: bool = False,
) -> float:
    """W of a single signal, for explanations of one number; the pipeline uses the column form."""
    return 0.0 if copy else layer_weight * recency * credibility * (0.5 + 0.5 * novelty) * confidence * impact
