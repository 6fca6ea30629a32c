"""The agents' tables: what the operator configured, and the log of how each agent fared."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from stonks_assets.extraction.agents import BASE, Agent, AgentConfig, Performance, Variant
from stonks_core.stores.postgres import Database


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
