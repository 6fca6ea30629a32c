"""Recorded answers: no question is paid for twice, and a month replays with no call and the same bytes.

An answer is known by what it depends on: document, model digest, the whole prompt with its schema, and the options.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from stonks_assets.extraction.agents import AgentConfig
from stonks_assets.extraction.asking import Answer, NotRecordedError, answer_key
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.prompts import Prompt
from stonks_core.clock import Clock
from stonks_core.stores.postgres import Database


class RecordedAnswers:
    """The table `recorded_answers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> Answer | None:
        """The answer of a key."""
        row = self._database.fetch_one("SELECT * FROM recorded_answers WHERE answer_key = %s", (key,))
        return _answer(row) if row else None

    def find_of_any_digest(
        self, model: str, content_sha256: str, prompt: Prompt, options: Mapping[str, Any]
    ) -> Answer | None:
        """The newest answer of a model to a question, whichever digest it had; another model's answer is none."""
        row = self._database.fetch_one(
            """
            SELECT * FROM recorded_answers
            WHERE content_sha256 = %s AND prompt_hash = %s AND options = %s AND model = %s
            ORDER BY recorded_at DESC, answer_key LIMIT 1
            """,
            (content_sha256, prompt.hash, Jsonb(dict(options)), model),
        )
        return _answer(row) if row else None

    def record(
        self,
        answer: Answer,
        config: AgentConfig,
        content_sha256: str,
        prompt: Prompt,
        options: Mapping[str, Any],
        at: datetime,
    ) -> None:
        """Keep an answer; a newer one to the same question takes its place."""
        self._database.execute(
            """
            INSERT INTO recorded_answers (answer_key, agent, variant, model, model_digest, prompt_hash, content_sha256,
                options, answer, prompt_eval_count, eval_count, duration_ms, recorded_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (answer_key) DO UPDATE SET answer = excluded.answer, duration_ms = excluded.duration_ms,
                prompt_eval_count = excluded.prompt_eval_count, eval_count = excluded.eval_count,
                recorded_at = excluded.recorded_at
            """,
            (
                *(answer.key, config.agent, config.variant, answer.model, answer.model_digest, prompt.hash),
                *(content_sha256, Jsonb(dict(options)), answer.text),
                *(answer.prompt_tokens, answer.output_tokens, answer.duration_ms, at),
            ),
        )


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(
        key=row["answer_key"],
        model=row["model"],
        model_digest=row["model_digest"],
        text=row["answer"],
        prompt_tokens=row["prompt_eval_count"],
        output_tokens=row["eval_count"],
        duration_ms=row["duration_ms"],
        recorded=True,
    )


class Asker:
    """Asks the record first and the server second."""

    def __init__(
        self,
        record: RecordedAnswers,
        client: OllamaClient | None,
        clock: Clock,
        *,
        num_ctx: int,
    ) -> None:
        """Without a client only the record is asked."""
        self._record = record
        self._client = client
        self._clock = clock
        self.num_ctx = num_ctx

    def ask(self, config: AgentConfig, prompt: Prompt, content_sha256: str, *, fresh: bool = False) -> Answer:
        """The answer to a prompt over a document; `fresh` asks the server again and records anew.

        Raises the client's errors, or NotRecordedError where only the record may be asked.
        """
        options = config.call_options(self.num_ctx)
        client = self._client
        if client is None:
            found = self._record.find_of_any_digest(config.model, content_sha256, prompt, options)
            if found is None:
                raise NotRecordedError(
                    f"no answer of {config.model} as {config.agent} is recorded for document text "
                    f"{content_sha256[:12]}: run once without --replay-only and OLLAMA_REPLAY_ONLY"
                )
            return found
        model_digest = client.digest(config.model)
        key = answer_key(content_sha256, model_digest, prompt, options)
        found = None if fresh else self._record.find(key)
        if found is not None:
            return found
        reply = client.chat(config.model, model_digest, prompt, options)
        answer = Answer(
            key=key,
            model=config.model,
            model_digest=model_digest,
            text=reply.content,
            prompt_tokens=reply.prompt_tokens,
            output_tokens=reply.output_tokens,
            duration_ms=reply.duration_ms,
            recorded=False,
        )
        self._record.record(answer, config, content_sha256, prompt, options, self._clock.now())
        return answer
