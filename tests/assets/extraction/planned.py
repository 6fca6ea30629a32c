"""An Ollama on loopback that behaves as a plan says, request by request: well, slowly, busy, cut short, or not at all."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stonks_sandbox.ollama import model as rules

Body = dict[str, Any]
Act = Callable[["Planned", Body], tuple[int, bytes] | None]


def replied(content: str, **changes: Any) -> tuple[int, bytes]:
    whole = {
        "model": "tiny",
        "message": {"role": "assistant", "content": content},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 400,
        "eval_count": 100,
        "total_duration": 5_000_000,
    }
    return 200, json.dumps(whole | changes).encode()


def honest(_: "Planned", body: Body) -> tuple[int, bytes]:
    """What the rule-based model says."""
    messages = [(message["role"], message["content"]) for message in body["messages"]]
    return replied(rules.answer(messages, body["format"]))


def says(content: str, **changes: Any) -> Act:
    return lambda server, body: replied(content, **changes)


def status(code: int, said: str = "planned") -> Act:
    return lambda server, body: (code, json.dumps({"error": said}).encode())


def garbage(payload: bytes) -> Act:
    return lambda server, body: (200, payload)


def hangs_up(_: "Planned", __: Body) -> None:
    """Closes the connection without a word."""


def hangs(server: "Planned", body: Body) -> tuple[int, bytes]:
    """Answers only when the test is over."""
    server.released.wait(20)
    return honest(server, body)


class Planned:
    """Answers chats by the plan, in the order they come; after it honestly. `asked` keeps what was sent."""

    def __init__(self, *plan: Act) -> None:
        self.plan = deque(plan)
        self.models = {"tiny:latest": "d1"}
        self.asked: list[Body] = []
        self.released = threading.Event()
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                models = [{"model": name, "digest": digest} for name, digest in outer.models.items()]
                self._answer(200, json.dumps({"models": models}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = outer.serve(body)
                if answer is None:
                    self.close_connection = True
                    return
                self._answer(*answer)

            def _answer(self, code: int, payload: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is planned
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def serve(self, body: Body) -> tuple[int, bytes] | None:
        with self._lock:
            self.asked.append(body)
            act = self.plan.popleft() if self.plan else honest
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return act(self, body)
        finally:
            with self._lock:
                self.in_flight -= 1


@contextmanager
def planned(*plan: Act) -> Iterator[Planned]:
    server = Planned(*plan)
    try:
        yield server
    finally:
        server.released.set()
        server.server.shutdown()
        server.server.server_close()
