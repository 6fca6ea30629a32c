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
    row = database.fetch_one(
        "SELECT model, system_prompt, options, input_token_limit, active FROM ai_agents WHERE agent = %s", (agent,)
    )
    row = row or {"model": "", "system_prompt": "", "options": {}, "input_token_limit": None, "active": True}
    base = AgentConfig(
        agent=agent,
        variant=BASE,
        model=row["model"] or default_model,
        system_prompt=row["system_prompt"],
        options=row["options"],
        input_token_limit=row["input_token_limit"],
        active=row["active"],
    )
    rows = database.fetch(
        """
        SELECT name, model, system_prompt, options, traffic_weight, token_budget_per_hour, input_token_limit, shadow
        FROM agent_variants WHERE agent = %s AND active AND traffic_weight > 0 ORDER BY name
        """,
        (agent,),
    )
    return Agent(base, _variants(base, rows, shadow=False), _variants(base, rows, shadow=True))


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
