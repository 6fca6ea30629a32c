"""Log records: one JSON object per line, and no secret in any of them."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.logs import JsonLines, PlainLines, Redactor, configure_logging
from stonks_core.settings import load_settings

SECRET = "s3cr3t-p@ss/word"
ENVIRONMENT = {"BROKER_API_KEY": "key-of-broker", "BROKER_API_SECRET": SECRET, "POSTGRES_PASSWORD": SECRET + "-longer"}


@contextmanager
def logging_to(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, **more: str) -> Iterator[logging.Logger]:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging(load_settings({**ENVIRONMENT, **more}), "tests")
    try:
        yield logging.getLogger("stonks.test")
    finally:
        root.handlers[:], root.level = kept


def test_a_record_is_one_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    with logging_to(stream, monkeypatch) as log:
        log.warning("two\nlines of %s, ünïcode", "text")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert set(entry) == {"at", "level", "process", "logger", "message"}
    assert (entry["level"], entry["process"], entry["logger"]) == ("WARNING", "tests", "stonks.test")
    assert entry["message"] == "two\nlines of text, ünïcode"
    assert entry["at"].endswith("+00:00")


@pytest.mark.parametrize("json_logs", ["true", "false"])
def test_no_known_secret_is_written(monkeypatch: pytest.MonkeyPatch, json_logs: str) -> None:
    stream = io.StringIO()
    with logging_to(stream, monkeypatch, JSON_LOGS=json_logs) as log:
        log.info("argument %s and longer %s", SECRET, SECRET + "-longer")
        log.info("quoted %s", "s3cr3t-p%40ss%2Fword")
        try:
            int(SECRET)
        except ValueError:
            log.exception("it failed with key-of-broker")
    written = stream.getvalue()
    for hidden in ("s3cr3t", "key-of-broker", "-longer", "%40ss"):
        assert hidden not in written
    assert "invalid literal for int() with base 10: '***'" in written
    assert "Traceback" in written


@pytest.mark.parametrize(
    "text",
    [
        "GET /v2/x?apiKey=HIDDEN&limit=3",
        "api_key=HIDDEN",
        "Authorization: Bearer HIDDEN",
        "{'APCA-API-SECRET-KEY': 'HIDDEN'}",
        '{"password": "HIDDEN", "user": "x"}',
        "token: HIDDEN",
        "postgresql+psycopg2://stonks:HIDDEN@127.0.0.1:5432/stonks",
        "https://user:HIDDEN@example.com/feed",
        "SECRET_KEY=HIDDEN",
    ],
)
def test_what_looks_like_a_secret_is_struck_out(text: str) -> None:
    cleaned = Redactor().clean(text)
    assert "HIDDEN" not in cleaned
    assert "***" in cleaned


@pytest.mark.parametrize(
    "text", ["prompt_tokens are 512", "http://127.0.0.1:8000/api", "at 12:30:01 it was so", "a plain sentence"]
)
def test_plain_sentences_stay(text: str) -> None:
    assert Redactor(["longsecret"]).clean(text) == text


@given(st.text(min_size=6, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    if "*" in secret:
        return
    assert secret not in Redactor([secret]).clean(before + secret + after)


def test_a_record_whose_arguments_do_not_fit_is_kept() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%d of %d", ("many",), None)
    assert Redactor().filter(record)
    assert "many" in record.getMessage()


def test_short_words_are_no_secrets() -> None:
    assert Redactor(["abc", ""]).clean("abcdef") == "abcdef"


def test_levels_and_chatty_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    with logging_to(stream, monkeypatch, LOG_LEVEL="ERROR", JSON_LOGS="false") as log:
        log.warning("not written")
        log.error("written")
        assert logging.getLogger("httpx").level == logging.WARNING
        assert isinstance(logging.getLogger().handlers[0].formatter, PlainLines)
    assert stream.getvalue().count("\n") == 1
    assert "ERROR tests stonks.test: written" in stream.getvalue()


def test_the_json_formatter_stands_alone() -> None:
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "hello", None, None)
    assert json.loads(JsonLines("p", Redactor()).format(record))["message"] == "hello"
