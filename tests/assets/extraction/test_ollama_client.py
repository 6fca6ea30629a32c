"""The Ollama client against a scripted server on loopback: failures are classed, retried by class, and never silent."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from stonks_assets.extraction.asking import CutError, LlmUnavailableError, ModelMissingError, RequestRefusedError
from stonks_assets.extraction.client import OllamaClient
from stonks_assets.extraction.prompts import Prompt

PROMPT = Prompt("document-extractor", "System words.", "User words. " * 40, {"type": "object"})
OPTIONS = {"num_ctx": 4096, "temperature": 0, "seed": 7, "num_predict": 256}
Reply = tuple[int, Any]


class Scripted:
    """Answers /api/chat with the scripted replies in turn (the last one for ever) and keeps what it was sent."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.models: list[dict[str, Any]] = [{"model": "tiny:latest", "digest": "d1"}]
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.listed = 0
        self.delay: Callable[[], object] = lambda: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.listed += 1
                self._answer(200, {"models": outer.models})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.bodies.append(body)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                outer.delay()
                status, reply = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                self._answer(status, reply)

            def _answer(self, status: int, reply: Any) -> None:
                payload = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that hangs up is part of the script
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()
    yield script
    script.server.shutdown()
    script.server.server_close()


def whole(**changes: Any) -> Reply:
    return 200, {
        "model": "tiny",
        "message": {"role": "assistant", "content": "{}"},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 120,
        "eval_count": 5,
        "total_duration": 2_000_000,
    } | changes


def client(script: Scripted, retries: int = 2, timeout: float = 5.0, **options: Any) -> OllamaClient:
    return OllamaClient([script.url], timeout=timeout, max_retries=retries, sleep=lambda _: None, **options)


def test_a_request_states_everything(scripted: Scripted) -> None:
    scripted.replies = [whole()]
    with client(scripted) as server:
        reply = server.chat("tiny", server.digest("tiny"), PROMPT, OPTIONS)
    assert (reply.content, reply.prompt_tokens, reply.output_tokens, reply.duration_ms) == ("{}", 120, 5, 2.0)
    body = scripted.bodies[0]
    assert (body["think"], body["stream"], body["format"]) == (False, False, {"type": "object"})
    assert body["options"] == OPTIONS
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_no_key_from_the_environment_is_sent(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-of-another-host")
    scripted.replies = [whole()]
    with client(scripted) as server:
        server.chat("tiny", "d1", PROMPT, OPTIONS)
    assert "authorization" not in scripted.headers[0]
    with client(scripted, api_keys={scripted.url: "mine"}) as server:
        server.chat("tiny", "d1", PROMPT, OPTIONS)
    assert scripted.headers[1]["authorization"] == "Bearer mine"


def test_busy_servers_are_asked_again_up_to_the_limit(scripted: Scripted) -> None:
    scripted.replies = [(503, {"error": "server busy"}), (503, {"error": "server busy"}), whole()]
    with client(scripted) as server:
        assert server.chat("tiny", "d1", PROMPT, OPTIONS).content == "{}"
    scripted.replies = [(503, {"error": "server busy"})]
    with client(scripted, retries=1) as server, pytest.raises(LlmUnavailableError, match="busy"):
        server.chat("tiny", "d1", PROMPT, OPTIONS)
    assert len(scripted.bodies) == 5


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        ((404, {"error": "model not found"}), ModelMissingError, "ollama pull tiny"),
        ((400, {"error": "invalid format"}), RequestRefusedError, "invalid format"),
        ((302, {}), RequestRefusedError, "status 302"),
        (whole(done_reason="length"), CutError, "was cut after 5 tokens"),
        (whole(prompt_eval_count=4096), CutError, "it was cut"),
        (whole(prompt_eval_count=3), CutError, "it was cut"),
    ],
)
def test_permanent_failures_are_not_repeated(
    scripted: Scripted, reply: Reply, error: type[Exception], sentence: str
) -> None:
    scripted.replies = [reply]
    with client(scripted) as server, pytest.raises(error, match=sentence):
        server.chat("tiny", "d1", PROMPT, OPTIONS)
    assert len(scripted.bodies) == 1


def test_a_proxy_that_speaks_html_is_told_apart(scripted: Scripted) -> None:
    scripted.replies = [(200, b"<html>welcome</html>")]
    with client(scripted, retries=0) as server, pytest.raises(LlmUnavailableError, match="not Ollama's JSON"):
        server.chat("tiny", "d1", PROMPT, OPTIONS)


def test_a_slow_server_runs_into_the_timeout(scripted: Scripted) -> None:
    release = threading.Event()
    scripted.delay = lambda: release.wait(5)
    scripted.replies = [whole()]
    with client(scripted, retries=0, timeout=0.2) as server, pytest.raises(LlmUnavailableError, match="OLLAMA_TIMEOUT"):
        server.chat("tiny", "d1", PROMPT, OPTIONS)
    release.set()


def test_digests_are_believed_for_a_minute(scripted: Scripted) -> None:
    now = [0.0]
    with client(scripted, monotonic=lambda: now[0]) as server:
        assert server.digest("tiny") == server.digest("tiny") == "d1"
        assert scripted.listed == 1
        scripted.models[0]["digest"] = "d2"
        now[0] = 61.0
        assert server.digest("tiny") == "d2"
        with pytest.raises(ModelMissingError, match="ollama pull absent"):
            server.digest("absent")


def test_another_version_of_the_model_is_not_asked(scripted: Scripted) -> None:
    with client(scripted) as server, pytest.raises(LlmUnavailableError, match="another version"):
        server.chat("tiny", "other", PROMPT, OPTIONS)
    assert scripted.bodies == []


def test_a_dead_server_is_passed_over_for_a_living_one(scripted: Scripted) -> None:
    scripted.replies = [whole()]
    urls = ["http://127.0.0.1:1", scripted.url]
    with OllamaClient(urls, timeout=5, max_retries=2, sleep=lambda _: None) as server:
        for _ in range(3):
            assert server.chat("tiny", "d1", PROMPT, OPTIONS).content == "{}"
