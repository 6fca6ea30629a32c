"""What both extraction stages share: the agent, the asker, the budget, and the failures of earlier cycles."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, TypeVar

from stonks_assets.extraction.agent_store import load_agent
from stonks_assets.extraction.agents import Agent, AgentConfig, Performance
from stonks_assets.extraction.answers import Asker, RecordedAnswers
from stonks_assets.extraction.asking import ModelMissingError
from stonks_assets.extraction.client import OllamaClient, connect
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError, TransientError

Result = TypeVar("Result")
PATIENCE = 3  # transient failures of a document after which fresher ones go first, whatever their age


@dataclass(frozen=True)
class EarlierFailure:
    """How a document fared in earlier cycles."""

    attempts: int
    terminal: bool
    replay: bool


@dataclass(frozen=True)
class Undone:
    """A document that could not be read now, and the sentence that says why."""

    document_id: str
    config: AgentConfig
    error: str

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        return Performance(
            self.config, self.document_id, ok=False, recorded=False, latency_ms=0.0, error=self.error[:1000]
        )


@dataclass
class Session:
    """One stage's call; the client that its asker uses lives as long as the session."""

    pipeline: Pipeline
    stage: str
    agent_name: str
    budget: float
    connect: Callable[[], OllamaClient] | None = None
    stopped: bool = False
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Session":
        model = self.pipeline.settings.endpoints.model
        self.agent: Agent = load_agent(self.pipeline.database, self.agent_name, model)
        self.deadline: datetime = self.pipeline.clock.now() + timedelta(seconds=self.budget)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def asker(self) -> Asker:
        """Asks the record and, unless only that is allowed, the server. Made when there is something to ask."""
        settings, address = self.pipeline.settings.ollama, self.pipeline.settings.endpoints.ollama
        client = None
        if not settings.replay_only:
            client = self._stack.enter_context(self.connect() if self.connect else connect(address, settings))
        record = RecordedAnswers(self.pipeline.database)
        return Asker(record, client, self.pipeline.clock, num_ctx=settings.num_ctx)

    def attempt(self, document_id: str, read: Callable[[AgentConfig], Result]) -> Result | Undone:
        """What `read` makes of a document with the agent's configuration for it, or why the document stays undone.

        A server that fails, or lacks the model, ends the session: no other document would fare better.
        """
        config = self.agent.choose(document_id)
        try:
            return read(config)
        except (TransientError, ModelMissingError) as error:
            self.stopped = True
            return Undone(document_id, config, str(error))
        except PermanentError as error:
            return Undone(document_id, config, str(error))

    def may_start(self) -> bool:
        """Whether another document may be begun: there is time left, and the server has not failed."""
        return not self.stopped and self.pipeline.clock.now() <= self.deadline

    def earlier(self, document_ids: Sequence[str]) -> Mapping[str, EarlierFailure]:
        """The failures of earlier cycles that still matter, by document."""
        rows: list[dict[str, Any]] = self.pipeline.database.fetch(
            "SELECT item, attempts, status, detail FROM failures WHERE stage = %s AND item = ANY(%s) AND status <> 'resolved'",
            (self.stage, list(document_ids)),
        )
        return {
            row["item"]: EarlierFailure(row["attempts"], bool(row["detail"].get("terminal")), row["status"] == "replay")
            for row in rows
        }


def in_turn(documents: Sequence[Mapping[str, Any]], earlier: Mapping[str, EarlierFailure]) -> list[Mapping[str, Any]]:
    """Documents in the order to read them: newest first, those that failed again and again last.

    Fresh news is what a signal is about, and one document that always runs into the time-out must not starve the rest.
    """

    def urgency(row: Mapping[str, Any]) -> tuple[bool, float, str]:
        failure = earlier.get(row["document_id"])
        tired = failure is not None and failure.attempts >= PATIENCE and not failure.replay
        return tired, -row["published_at"].timestamp(), row["document_id"]

    return sorted(documents, key=urgency)
