"""Ollama's protocol, spoken with the real client to a real server on loopback."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import ollama
import pytest
import uvicorn
from fastapi import FastAPI

from stonks_core.vocabulary import Catalyst
from stonks_sandbox.ollama import build_ollama
from stonks_sandbox.ollama.model import FULL_NAME, digest

SCHEMA = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "sentiment": {"type": "number", "minimum": -1, "maximum": 1},
        "catalyst": {"type": "string", "enum": [c.value for c in Catalyst]},
        "confidence": {"type": "number"},
        "impacts": {"type": "array", "items": {"$ref": "#/$defs/Impact"}},
    },
    "required": ["summary", "sentiment", "impacts"],
    "$defs": {
        "Impact": {
            "type": "object",
            "properties": {
                "ticker": {"type": "string"},
                "sentiment": {"type": "number"},
                "quote": {"type": "string"},
                "rationale": {"type": "string"},
            },
            "required": ["ticker", "sentiment", "quote", "rationale"],
        }
    },
}
PROMPT = """Read the document.
COMPANIES 7f3a
[{"ticker": "AAPL", "names": ["Apple Inc.", "Apple"]}, {"ticker": "INTC", "names": ["Intel"]}]
END COMPANIES 7f3a
DOCUMENT 7f3a
title: Apple soars, Intel sinks
published: 2026-03-02T14:30:00Z
text:
Apple shares soared 9% after profit beat expectations. Intel sank 12% on a lowered outlook.
END DOCUMENT 7f3a
"""


class _Server:
    """A uvicorn server in a thread, on a port that the system chose."""

    def __init__(self) -> None:
        app = FastAPI()
        app.include_router(build_ollama(), prefix="/ollama")
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/ollama"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def start(self) -> None:
        self._socket.listen()
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = _Server()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def client(url: str) -> ollama.Client:
    return ollama.Client(host=url, timeout=20)


def _chat(client: ollama.Client, prompt: str = PROMPT, **options: int) -> ollama.ChatResponse:
    return client.chat(
        model="stonks-rules",
        messages=[{"role": "system", "content": "Be exact."}, {"role": "user", "content": prompt}],
        format=SCHEMA,
        think=False,
        options={"num_ctx": 8192, "temperature": 0, "seed": 7, **options},
    )


def test_a_document_is_extracted_in_the_callers_schema(client: ollama.Client) -> None:
    response = _chat(client)
    answer = json.loads(response.message.content or "")
    signs = {record["ticker"]: record["sentiment"] > 0 for record in answer["impacts"]}
    assert signs == {"AAPL": True, "INTC": False}
    assert set(answer) == {"summary", "sentiment", "catalyst", "confidence", "impacts"}
    assert all(set(r) == {"ticker", "sentiment", "quote", "rationale"} for r in answer["impacts"])
    assert all(record["quote"] in PROMPT for record in answer["impacts"])
    assert response.done
    assert response.done_reason == "stop"
    assert response.eval_count
    assert response.prompt_eval_count
    assert response.total_duration is not None


def test_streamed_pieces_make_up_the_whole_answer(client: ollama.Client) -> None:
    whole = _chat(client).message.content
    messages = [{"role": "system", "content": "Be exact."}, {"role": "user", "content": PROMPT}]
    parts = list(client.chat(model=FULL_NAME, messages=messages, format=SCHEMA, stream=True, options={"num_ctx": 8192}))
    assert "".join(part.message.content or "" for part in parts) == whole
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1].done_reason == "stop"


def test_a_short_num_predict_cuts_the_json_and_says_length(client: ollama.Client) -> None:
    response = _chat(client, num_predict=10)
    assert response.done_reason == "length"
    assert response.eval_count == 10
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.message.content or "")


def test_a_prompt_over_num_ctx_is_cut_silently(client: ollama.Client) -> None:
    response = _chat(client, PROMPT.replace("text:\n", "text:\n" + "Nothing happened here. " * 500), num_ctx=256)
    assert response.prompt_eval_count == 256
    assert response.done_reason == "stop"
    json.loads(response.message.content or "")


def test_older_messages_go_before_the_last_one_is_cut(client: ollama.Client) -> None:
    history = [{"role": "user", "content": "x" * 8000}, {"role": "assistant", "content": "y" * 8000}]
    messages = [*history, {"role": "user", "content": PROMPT}]
    response = client.chat(model="stonks-rules", messages=messages, format=SCHEMA, options={"num_ctx": 512})
    assert len(json.loads(response.message.content or "")["impacts"]) == 2
    assert response.prompt_eval_count == 512


def test_the_model_is_listed_with_the_digest_of_its_rules(client: ollama.Client) -> None:
    listed = client.list().models[0]
    assert (listed.model, listed.digest) == ("stonks-rules:latest", digest())
    assert len(digest()) == 64
    running = client.ps().models[0]
    assert running.digest == digest()
    shown = client.show("stonks-rules")
    assert shown.details is not None
    assert shown.details.family == "rules"


def test_version_and_root_answer(url: str) -> None:
    assert "version" in httpx.get(f"{url}/api/version").json()
    assert httpx.get(f"{url}/").text == "Ollama is running"


def test_an_unknown_model_is_404_with_its_name(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat(model="llama9", messages=[{"role": "user", "content": "hi"}])
    assert caught.value.status_code == 404
    assert caught.value.error == "model 'llama9' not found"
    with pytest.raises(ollama.ResponseError):
        client.show("llama9")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"model": "stonks-rules", "messages": 3}',
        b'{"model": "stonks-rules", "messages": [{"role": "boss", "content": ""}]}',
        b'{"model": "stonks-rules", "messages": [{"role": "user", "content": ""}], "options": {"num_ctx": "many"}}',
        b'{"model": "stonks-rules", "messages": [{"role": "user", "content": ""}], "options": {"num_ctx": 0}}',
        b'{"model": "stonks-rules", "messages": [{"role": "user", "content": ""}], "format": "xml"}',
        b'{"model": "stonks-rules", "messages": [{"role": "user", "content": ""}], "format": {"type": "object"}}',
    ],
)
def test_a_bad_request_is_400_with_a_sentence(url: str, body: bytes) -> None:
    response = httpx.post(f"{url}/api/chat", content=body)
    assert response.status_code == 400
    assert response.json()["error"]


def test_no_messages_loads_the_model(client: ollama.Client) -> None:
    assert client.chat(model="stonks-rules", messages=[]).done_reason == "load"


def test_without_a_format_it_says_what_it_is(client: ollama.Client) -> None:
    answer = client.chat(model="stonks-rules", messages=[{"role": "user", "content": "hello"}], think=True)
    assert "stonks-rules" in (answer.message.content or "")


@pytest.mark.parametrize(("block", "key"), [("THESIS", "thesis"), ("DOCUMENT", "severity"), ("COMPANIES", "impacts")])
def test_format_json_chooses_the_task_by_the_blocks(client: ollama.Client, block: str, key: str) -> None:
    inside = '[{"ticker": "AAPL", "names": ["Apple"]}]' if block == "COMPANIES" else "Apple rose."
    prompt = f"{block} q1\n{inside}\nEND {block} q1\n"
    answer = client.chat(model="stonks-rules", messages=[{"role": "user", "content": prompt}], format="json")
    assert key in json.loads(answer.message.content or "")


def test_a_release_of_a_hundred_kilobytes_takes_little_time(client: ollama.Client) -> None:
    line = "Apple reported revenue of $12.5 billion, up 4 percent from a year ago, while costs at Intel rose.\n"
    release = PROMPT.replace("text:\n", "text:\n" + line * 1000)
    started = time.process_time()
    _chat(client, release, num_ctx=40_000)
    assert time.process_time() - started < 2.0  # the goal is 0.3 s; a shared machine gets some room
