"""Who reads for `stonks extract`: an agent or variant as the database has it, or a built-in one where there is none yet."""

from dataclasses import dataclass

from stonks_assets.extraction.agents import BASE, AgentConfig
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER
from stonks_assets.extraction.resolver import load_config
from stonks_core.errors import StonksError
from stonks_core.settings import Settings
from stonks_core.stores.migrations import migrate
from stonks_core.stores.opening import open_postgres
from stonks_core.stores.postgres import Database

READING = (DOCUMENT_EXTRACTOR, EVENT_CLASSIFIER)


@dataclass(frozen=True)
class Reader:
    """What is asked, and the part it plays: one of `READING`."""

    config: AgentConfig
    role: str


def reader(settings: Settings, wanted: str) -> Reader:
    """The agent `wanted`, named as AGENT or AGENT/VARIANT, active or not; StonksError where there is none that reads.

    An install that was never started has no database: there the built-in agents are asked as they come.
    """
    agent, _, variant = wanted.partition("/")
    if settings.postgres.embedded and not (settings.general.home / "postgres" / "data" / "PG_VERSION").exists():
        if agent in READING and not variant:
            return Reader(AgentConfig(agent, BASE, settings.endpoints.model), agent)
        raise StonksError(
            f"{wanted} cannot be asked: this install has no database yet, which `stonks up` makes; "
            f"without one name {' or '.join(READING)}"
        )
    with open_postgres(settings) as located:
        migrate(located.postgres, located.database_name)
        with Database(located.postgres, located.database_name, application="stonks extract") as database:
            return _stored(database, agent, variant or BASE, settings.endpoints.model)


def _stored(database: Database, agent: str, variant: str, default_model: str) -> Reader:
    roles = {row["agent"]: row["role"] for row in database.fetch("SELECT agent, role FROM ai_agents ORDER BY agent")}
    reading = [name for name, role in roles.items() if role in READING]
    if agent not in reading:
        why = "reads no documents" if agent in roles else "does not exist"
        raise StonksError(f"the agent {agent} {why}: name one of {', '.join(reading)}")
    config = load_config(database, agent, variant, default_model)
    if config is None:
        names = database.fetch("SELECT name FROM agent_variants WHERE agent = %s ORDER BY name", (agent,))
        there = ", ".join(row["name"] for row in names) or "none"
        raise StonksError(f"{agent} has no variant {variant}; its variants: {there}")
    return Reader(config, roles[agent])
