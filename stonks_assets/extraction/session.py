"""What both extraction stages share: the agent, the asker, the budget, and the failures of earlier cycles."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from stonks_assets.extraction.agents import Agent, load_agent
from stonks_assets.extraction.answers import Asker, RecordedAnswers
from stonks_assets.extraction.client import OllamaClient, connect
from stonks_assets.pipeline import Pipeline

PATIENCE = 3  # transient failures of a document after which fresher ones go first, whatever their age


@dataclass(frozen=True)
class EarlierFailure:
    """How a document fared in earlier cycles."""

    attempts: int
    terminal: bool
    replay: bool


@dataclass
class Session:
    """One stage's call: enter it to get an asker whose client lives as long as the session."""

    pipeline: Pipeline
    stage: str
    agent_name: str
    budget: float
    connect: Callable[[], OllamaClient] | None = None
    stopped: bool = False
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Session":
        settings, endpoints = self.pipeline.settings.ollama, self.pipeline.settings.endpoints
        self.agent: Agent = load_agent(self.pipeline.database, self.agent_name, endpoints.model)
        self.deadline: datetime = self.pipeline.clock.now() + timedelta(seconds=self.budget)
        client = None
        if not settings.replay_only:
            client = self._stack.enter_context(self.connect() if self.connect else connect(endpoints.ollama, settings))
        self.asker = Asker(
            RecordedAnswers(self.pipeline.database),
            client,
            self.pipeline.clock,
            num_ctx=settings.num_ctx,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

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
