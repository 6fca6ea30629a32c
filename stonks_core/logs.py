"""Log records as JSON lines or text, with secrets struck out before anything is written."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from stonks_core.settings import Settings, variables

_NAMED = r"api[_-]?key(?:[_-]id)?|api[_-]?secret|apca-api-(?:key-id|secret-key)|access[_-]?key|secret[_-]?key|token|secret|password"
_PATTERNS = (
    re.compile(rf"(?i)((?:{_NAMED})[\"']?\s*[=:]\s*[\"']?)([^&\s\"',;}}]+)"),
    re.compile(r"(?i)(bearer )([A-Za-z0-9._~+/=-]+)"),
    re.compile(r"([a-z][a-z0-9+.-]*://[^:/@\s]+:)([^@\s]+)(?=@)"),
)
_SHORTEST_SECRET = 6


class Redactor(logging.Filter):
    """Replaces known secrets, and whatever looks like one, in each record."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        known = {
            form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in (secret, quote(secret, safe=""))
        }
        self._secrets = sorted(known, key=len, reverse=True)  # the longest first: one may begin like another

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message; never drops one, not even one whose arguments do not fit."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = self.clean(message), None
        return True

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for pattern in _PATTERNS:
            text = pattern.sub(r"\1***", text)
        return text


class PlainLines(logging.Formatter):
    """Text for people, tracebacks without secrets too."""

    def __init__(self, process: str, redactor: Redactor) -> None:
        super().__init__(f"%(asctime)s %(levelname)s {process} %(name)s: %(message)s")
        self._redactor = redactor

    def formatException(self, ei: Any) -> str:  # noqa: N802  logging's name
        """The traceback."""
        return self._redactor.clean(super().formatException(ei))


class JsonLines(logging.Formatter):
    """One JSON object per record."""

    def __init__(self, process: str, redactor: Redactor) -> None:
        super().__init__()
        self._process, self._redactor = process, redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self._redactor.clean(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(settings: Settings, process: str) -> None:
    """Send all of this process's records to standard error in the configured shape. Call once, at the process's root."""
    redactor = Redactor(_secrets(settings))
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(redactor)
    handler.setFormatter((JsonLines if settings.general.json_logs else PlainLines)(process, redactor))
    logging.basicConfig(level=settings.general.log_level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore", "urllib3", "botocore", "alembic", "websockets", "trafilatura"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for told_by_us in ("psycopg.pool", "urllib3.connection"):  # what fails there is raised, and said by who asked
        logging.getLogger(told_by_us).setLevel(logging.ERROR)


def _secrets(settings: Settings) -> Iterable[str]:
    for name, model, variable, _ in variables():
        field = next(k for k, f in model.model_fields.items() if f.alias == variable)
        value = getattr(getattr(settings, name), field)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
