"""A spell of asking, which all stages of one call share, and in it an agent's session: who reads a document, and with what."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import Any, Protocol, TypeVar

from stonks_assets.extraction.agent_store import spent_lately
from stonks_assets.extraction.agents import BASE, Agent, AgentConfig, Performance
from stonks_assets.extraction.answers import Asker, RecordedAnswers
from stonks_assets.extraction.asking import LlmTooSlowError, ModelMissingError, NotRecordedError
from stonks_assets.extraction.budgets import HourlyBudgets
from stonks_assets.extraction.client import OllamaClient, connect
from stonks_assets.extraction.resolver import AgentResolver
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError, StonksError, TransientError

PATIENCE = 3  # transient failures of a document after which fresher ones go first, whatever their age
SLOW_IN_A_ROW = 3  # answers that did not come in time, after which the server is left alone
_log = logging.getLogger(__name__)


class Read(Protocol):
    """What reading a document gives."""

    @property
    def performance(self) -> Performance:
        """How the agent fared."""
        ...


Result = TypeVar("Result", bound=Read)


@dataclass(frozen=True)
class EarlierFailure:
    """How a document fared in earlier cycles."""

    attempts: int
    terminal: bool
    replay: bool


@dataclass(frozen=True)
class Undone:
    """A document that could not be read now, and why."""

    document_id: str
    config: AgentConfig
    cause: StonksError

    @property
    def error(self) -> str:
        """The sentence."""
        return str(self.cause)

    @property
    def performance(self) -> Performance:
        """The entry for the performance log."""
        return Performance(
            self.config, self.document_id, ok=False, recorded=False, latency_ms=0.0, error=self.error[:1000]
        )


@dataclass
class Shift:
    """The time and the server that one call has; the client that its asker uses lives as long."""

    pipeline: Pipeline
    budget: float
    connect: Callable[[], OllamaClient] | None = None
    stopped: bool = False
    missing: set[str] = field(default_factory=set)
    _slow: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Shift":
        self.begun: datetime = self.pipeline.clock.now()
        self.deadline: datetime = self.begun + timedelta(seconds=self.budget)
        model = self.pipeline.settings.endpoints.model
        self.agents = AgentResolver(self.pipeline.database, model, self.pipeline.clock)
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
        if not self.replay_only:
            client = self._stack.enter_context(self.connect() if self.connect else connect(address, settings))
            client.go_on = self.may_start
        record = RecordedAnswers(self.pipeline.database)
        return Asker(record, client, self.pipeline.clock, num_ctx=settings.num_ctx)

    @property
    def replay_only(self) -> bool:
        """Whether only recorded answers are allowed."""
        return self.pipeline.settings.ollama.replay_only

    def may_start(self) -> bool:
        """Whether another document may be begun: there is time left, and the server has not failed."""
        return not self.stopped and self.pipeline.clock.now() <= self.deadline

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._slow = 0

    def failed(self, error: TransientError) -> None:
        """The server failed: no other document would fare better, unless it was this one that took too long."""
        with self._lock:
            self._slow += 1
            if not isinstance(error, LlmTooSlowError) or self._slow >= SLOW_IN_A_ROW:
                self.stopped = True


@dataclass
class Session:
    """An agent's part of a shift."""

    shift: Shift
    stage: str
    agent_name: str
    handed_over: dict[str, int] = field(default_factory=dict)

    @property
    def agent(self) -> Agent:
        """The agent as it is set up, at most a minute ago."""
        return self.shift.agents.resolve(self.agent_name)

    @cached_property
    def budgets(self) -> HourlyBudgets:
        """What the variants have spent. Made when the first document is read."""
        pipeline = self.shift.pipeline
        return HourlyBudgets(spent_lately(pipeline.database, self.agent_name, pipeline.clock.now()))

    def may_start(self) -> bool:
        """Whether the agent may begin another document."""
        return self.shift.may_start() and self.agent.base.active and self.agent.base.model not in self.shift.missing

    def choose(self, document_id: str, tokens: int = 0) -> AgentConfig:
        """Who reads a document that takes about so many tokens; `settle` must follow.

        A variant that is over its hourly budget, or whose model no server has, hands its documents to the base. When
        only recorded answers are used there is nothing to spend, and the record says who read what.
        """
        agent = self.agent
        config = agent.choose(document_id)
        if config.variant != BASE and config.model in self.shift.missing and config.model != agent.base.model:
            config = self._hand_over(
                config, f"no server has its model {config.model}: run `ollama pull {config.model}`"
            )
        limit = None if self.shift.replay_only else config.tokens_per_hour
        if not self.budgets.admit(config.variant, limit, tokens, self.shift.pipeline.clock.now()):
            config = self._hand_over(config, f"it is over its budget of {limit} tokens an hour")
            self.budgets.admit(config.variant, None, tokens, self.shift.pipeline.clock.now())
        return config

    def _hand_over(self, config: AgentConfig, why: str) -> AgentConfig:
        if config.variant not in self.handed_over:
            _log.warning("variant %s of %s hands its documents to the base: %s", config.variant, config.agent, why)
        self.handed_over[config.variant] = self.handed_over.get(config.variant, 0) + 1
        return self.agent.base

    def settle(self, config: AgentConfig, tokens: int, performance: Performance | None) -> None:
        """Take back what a document was promised, and count what it cost."""
        spent = performance.prompt_tokens + performance.output_tokens if performance else 0
        self.budgets.settle(config.variant, tokens, spent, self.shift.pipeline.clock.now())

    def attempt(self, document_id: str, tokens: int, read: Callable[[AgentConfig], Result]) -> Result | Undone:
        """What `read` makes of a document with the agent's configuration for it, or why the document stays undone.

        What a variant cannot read because no server has its model, or because the record holds the base's answer, the
        base reads.
        """
        config = self.choose(document_id, tokens)
        outcome = self.read_as(config, document_id, tokens, read)
        if isinstance(outcome, Undone) and config.variant != BASE:
            if isinstance(outcome.cause, NotRecordedError):
                return self.read_as(self.agent.base, document_id, 0, read)
            if isinstance(outcome.cause, ModelMissingError) and config.model != self.agent.base.model:
                base = self._hand_over(config, outcome.error)
                return self.read_as(base, document_id, 0, read)
        return outcome

    def read_as(
        self, config: AgentConfig, document_id: str, tokens: int, read: Callable[[AgentConfig], Result]
    ) -> Result | Undone:
        """What `read` makes of a document with one configuration, to which so many tokens were promised."""
        performance = None
        try:
            reading = read(config)
        except TransientError as error:
            self.shift.failed(error)
            return Undone(document_id, config, error)
        except PermanentError as error:
            if isinstance(error, ModelMissingError):
                self.shift.missing.add(config.model)
            return Undone(document_id, config, error)
        else:
            performance = reading.performance
            self.shift.succeeded()
            return reading
        finally:
            self.settle(config, tokens, performance)

    def earlier(self, document_ids: Sequence[str], *stages: str) -> Mapping[str, EarlierFailure]:
        """The failures of earlier cycles that still matter, by document; a replay of any of the stages is one."""
        rows: list[dict[str, Any]] = self.shift.pipeline.database.fetch(
            """
            SELECT item, max(attempts) FILTER (WHERE stage = %(stage)s) AS attempts,
                   COALESCE(bool_or((detail ->> 'terminal')::boolean) FILTER (WHERE stage = %(stage)s), false) AS terminal,
                   bool_or(status = 'replay') AS replay
            FROM failures WHERE stage = ANY(%(stages)s) AND item = ANY(%(items)s) AND status <> 'resolved' GROUP BY item
            """,
            {"stage": self.stage, "stages": [self.stage, *stages], "items": list(document_ids)},
        )
        return {row["item"]: EarlierFailure(row["attempts"] or 0, row["terminal"], row["replay"]) for row in rows}


def in_turn(documents: Sequence[Mapping[str, Any]], earlier: Mapping[str, EarlierFailure]) -> list[Mapping[str, Any]]:
    """Documents in the order to read them: newest first, those that failed again and again last.

    Fresh news is what a signal is about, and one document that always runs into the time-out must not starve the rest.
    """

    def urgency(row: Mapping[str, Any]) -> tuple[bool, float, str]:
        failure = earlier.get(row["document_id"])
        tired = failure is not None and failure.attempts >= PATIENCE and not failure.replay
        return tired, -row["published_at"].timestamp(), row["document_id"]

    return sorted(documents, key=urgency)
