"""AI agents: which model, prompt and options an agent uses for a document, and how it fared. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stonks_core.identifiers import digest

BASE = "base"
NUM_PREDICT = 2048
SEED = 7


@dataclass(frozen=True)
class AgentConfig:
    """An agent, or one of its variants, as it is asked. An empty `system_prompt` means the built-in one."""

    agent: str
    variant: str
    model: str
    system_prompt: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    input_token_limit: int | None = None
    active: bool = True

    def call_options(self, num_ctx: int) -> dict[str, Any]:
        """The options of a call: temperature 0, a seed, the context window and room for the answer, then the agent's."""
        stated = {"num_ctx": num_ctx, "temperature": 0, "seed": SEED, **self.options}
        stated.setdefault("num_predict", min(NUM_PREDICT, int(stated["num_ctx"]) // 4))
        return stated


@dataclass(frozen=True)
class Variant:
    """A variant and its share of the traffic in [0, 1]."""

    config: AgentConfig
    traffic_weight: float


@dataclass(frozen=True)
class Agent:
    """An agent's base configuration and its active variants, by name."""

    base: AgentConfig
    variants: tuple[Variant, ...] = ()

    def choose(self, document_id: str) -> AgentConfig:
        """The configuration for a document, the same one whenever it is asked.

        The hash of (agent, document) falls into the variants' shares laid end to end by name; what they leave over,
        if anything, is the base's.
        """
        total = sum(variant.traffic_weight for variant in self.variants)
        point = int(digest(self.base.agent, document_id, length=8), 16) / 16**8 * max(1.0, total)
        for variant in self.variants:
            if point < variant.traffic_weight:
                return variant.config
            point -= variant.traffic_weight
        return self.base


@dataclass(frozen=True)
class Performance:
    """How an agent fared with one document."""

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
