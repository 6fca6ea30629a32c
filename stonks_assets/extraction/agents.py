"""AI agents: which model, prompt and options an agent uses for a document, and how it fared. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stonks_core.identifiers import digest

BASE = "base"
NUM_PREDICT = 2048
SEED = 7
_DIGITS = 8  # of a hash that is read as a point between 0 and 1


@dataclass(frozen=True)
class AgentConfig:
    """An agent, or one of its variants, as it is asked. An empty `system_prompt` means the built-in one.

    `tokens_per_hour` is what it may spend within an hour; None is as much as it likes. A shadow's answers are compared
    and never become signals.
    """

    agent: str
    variant: str
    model: str
    system_prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    input_token_limit: int | None = None
    active: bool = True
    tokens_per_hour: int | None = None
    shadow: bool = False

    @property
    def name(self) -> str:
        """How a person names it: the agent, or the agent and its variant."""
        return self.agent if self.variant == BASE else f"{self.agent}/{self.variant}"

    def call_options(self, num_ctx: int) -> dict[str, Any]:
        """The options of a call: temperature 0, a seed, the context window and room for the answer, then the agent's."""
        stated = {"num_ctx": num_ctx, "temperature": 0, "seed": SEED, **self.options}
        stated.setdefault("num_predict", min(NUM_PREDICT, int(stated["num_ctx"]) // 4))
        return stated

    @property
    def hash(self) -> str:
        """Identifies what its answers depend on: model, prompt, options and input limit, but no share and no budget."""
        options = json.dumps(dict(self.options), sort_keys=True)
        return digest(self.agent, self.model, self.system_prompt, options, self.input_token_limit)


@dataclass(frozen=True)
class Variant:
    """A variant and its share of the traffic in [0, 1]; a shadow's share is of the documents it reads besides."""

    config: AgentConfig
    traffic_weight: float


@dataclass(frozen=True)
class Agent:
    """An agent's base configuration, its active variants and its active shadows, by name."""

    base: AgentConfig
    variants: tuple[Variant, ...] = ()
    shadows: tuple[Variant, ...] = ()

    def choose(self, document_id: str) -> AgentConfig:
        """The configuration for a document, the same one whenever it is asked.

        The hash of (agent, document) falls into the variants' shares laid end to end by name; what they leave over,
        if anything, is the base's.
        """
        total = sum(variant.traffic_weight for variant in self.variants)
        point = _point(self.base.agent, document_id) * max(1.0, total)
        for variant in self.variants:
            if point < variant.traffic_weight:
                return variant.config
            point -= variant.traffic_weight
        return self.base

    def shadows_of(self, document_id: str) -> tuple[AgentConfig, ...]:
        """The shadows that read a document too, each by a hash of its own."""
        return tuple(
            shadow.config
            for shadow in self.shadows
            if _point(self.base.agent, shadow.config.variant, document_id) < shadow.traffic_weight
        )


def _point(*parts: str) -> float:
    """A point in [0, 1) that hangs on the parts alone."""
    return float(int(digest(*parts, length=_DIGITS), 16) / 16**_DIGITS)


@dataclass(frozen=True)
class Performance:
    """How an agent fared with one document. Tokens are those that were paid for; a recorded answer costs none."""

    config: AgentConfig
    document_id: str
    ok: bool
    recorded: bool
    latency_ms: float
    prompt_tokens: int = 0
    output_tokens: int = 0
    kept: int = 0
    dropped: int = 0
    error: str = ""
