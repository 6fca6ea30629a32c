"""AI agents: which model, prompt and options an agent uses for a document, and how it fared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stonks_core.identifiers import digest
from stonks_core.stores.postgres import Database

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


def load_agent(database: Database, agent: str, default_model: str) -> Agent:
    """The agent as the tables say; an agent without a row, or with empty fields, uses the settings' model."""
    row = database.fetch_one("SELECT model, system_prompt, options, active FROM ai_agents WHERE agent = %s", (agent,))
    row = row or {"model": "", "system_prompt": "", "options": {}, "active": True}
    base = AgentConfig(
        agent=agent,
        variant=BASE,
        model=row["model"] or default_model,
        system_prompt=row["system_prompt"],
        options=row["options"],
        active=row["active"],
    )
    variants = database.fetch(
        """
        SELECT name, model, system_prompt, options, traffic_weight, input_token_limit FROM agent_variants
        WHERE agent = %s AND active AND NOT shadow AND traffic_weight > 0 ORDER BY name
        """,
        (agent,),
    )
    return Agent(base, tuple(Variant(_variant(base, row), row["traffic_weight"]) for row in variants))


def _variant(base: AgentConfig, row: Mapping[str, Any]) -> AgentConfig:
    return AgentConfig(
        agent=base.agent,
        variant=row["name"],
        model=row["model"] or base.model,
        system_prompt=row["system_prompt"] or base.system_prompt,
        options={**base.options, **row["options"]},
        input_token_limit=row["input_token_limit"],
        active=base.active,
    )


def log_performance(database: Database, entries: Sequence[Performance], at: datetime) -> None:
    """Add to `agent_performance_log`."""
    if not entries:
        return
    rows = [
        (
            *(entry.config.agent, entry.config.variant, entry.config.model, entry.document_id, entry.ok),
            *(entry.recorded, entry.latency_ms, entry.prompt_tokens, entry.output_tokens),
            *(entry.kept, entry.dropped, entry.error, at),
        )
        for entry in entries
    ]
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO agent_performance_log (agent, variant, model, document_id, ok, recorded, latency_ms,
                prompt_tokens, output_tokens, kept, dropped, error, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            rows,
        )
