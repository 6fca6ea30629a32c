"""Which agents there are and how they are set up, as the tables say, believed for a minute."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from stonks_assets.extraction.agents import BASE, Agent, AgentConfig, Variant
from stonks_core.clock import Clock
from stonks_core.stores.postgres import Database

BELIEVED = timedelta(seconds=60)


class AgentResolver:
    """Agents by name. Safe to share between threads; a change in the tables is seen within a minute."""

    def __init__(self, database: Database, default_model: str, clock: Clock) -> None:
        self._database = database
        self._default_model = default_model
        self._clock = clock
        self._known: dict[str, tuple[datetime, Agent]] = {}
        self._lock = threading.Lock()

    def resolve(self, agent: str) -> Agent:
        """An agent as it is set up, at most a minute ago."""
        with self._lock:
            now = self._clock.now()
            known = self._known.get(agent)
            if known is None or now - known[0] >= BELIEVED:
                known = self._known[agent] = now, load_agent(self._database, agent, self._default_model)
            return known[1]


def load_agent(database: Database, agent: str, default_model: str) -> Agent:
    """The agent as the tables say; an agent without a row, or with empty fields, uses the settings' model."""
    base = _base(database, agent, default_model)
    rows = database.fetch(
        "SELECT * FROM agent_variants WHERE agent = %s AND active AND traffic_weight > 0 ORDER BY name", (agent,)
    )
    return Agent(base, _variants(base, rows, shadow=False), _variants(base, rows, shadow=True))


def load_config(database: Database, agent: str, variant: str, default_model: str) -> AgentConfig | None:
    """An agent's base or one of its variants, active or not; None where the agent has none of that name."""
    base = _base(database, agent, default_model)
    if variant == BASE:
        return base
    row = database.fetch_one("SELECT * FROM agent_variants WHERE agent = %s AND name = %s", (agent, variant))
    return _variant(base, row) if row else None


def _base(database: Database, agent: str, default_model: str) -> AgentConfig:
    row = database.fetch_one("SELECT * FROM ai_agents WHERE agent = %s", (agent,))
    row = row or {"model": "", "system_prompt": "", "options": {}, "input_token_limit": None, "active": True}
    return AgentConfig(
        agent=agent,
        variant=BASE,
        model=row["model"] or default_model,
        system_prompt=row["system_prompt"],
        options=row["options"],
        input_token_limit=row["input_token_limit"],
        active=row["active"],
    )


def _variants(base: AgentConfig, rows: Sequence[Mapping[str, Any]], *, shadow: bool) -> tuple[Variant, ...]:
    return tuple(Variant(_variant(base, row), row["traffic_weight"]) for row in rows if row["shadow"] is shadow)


def _variant(base: AgentConfig, row: Mapping[str, Any]) -> AgentConfig:
    return AgentConfig(
        agent=base.agent,
        variant=row["name"],
        model=row["model"] or base.model,
        system_prompt=row["system_prompt"] or base.system_prompt,
        options={**base.options, **row["options"]},
        input_token_limit=row["input_token_limit"] or base.input_token_limit,
        active=base.active,
        tokens_per_hour=row["token_budget_per_hour"],
        shadow=row["shadow"],
    )
