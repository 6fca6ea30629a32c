"""Descriptions of children, probes, logs and the lock: the small parts beside the loop."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from stonks_cli import books, children
from stonks_cli.supervise import logs
from stonks_cli.supervise.launch import Log
from stonks_cli.supervise.lock import AlreadyUpError, HomeLock, supervising_pid
from stonks_cli.supervise.probes import http_answers, tcp_answers
from stonks_cli.supervise.specs import ChildSpec, check_order
from stonks_core.settings import load_settings
from stonks_core.stores.embedded.ports import free_port, port_taken


def child(name: str, *after: str) -> ChildSpec:
    return ChildSpec(name, ("true",), {}, Path("/"), after=after)


def test_an_order_without_gaps_and_circles_is_accepted() -> None:
    check_order([child("web", "postgres"), child("postgres"), child("daemon", "postgres", "web")])


@pytest.mark.parametrize(
    ("specs", "sentence"),
    [
        ([child("a"), child("a")], "two children are called a"),
        ([child("a", "b")], "a starts after b, which is no child"),
        ([child("a", "b"), child("b", "a")], "in a circle: .* -> "),
        ([child("../a")], "cannot name a child"),
    ],
)
def test_a_bad_order_is_refused_with_a_sentence(specs: list[ChildSpec], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_order(specs)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready?full=1" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def web_port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_http_probe_wants_200(web_port: int) -> None:
    assert http_answers(f"http://127.0.0.1:{web_port}/ready?full=1")()
    assert not http_answers(f"http://127.0.0.1:{web_port}/")()
    assert not http_answers(f"http://127.0.0.1:{free_port()}/")()
    with pytest.raises(ValueError, match="an http:// address is needed"):
        http_answers("https://127.0.0.1/")


def test_a_tcp_probe_wants_a_listener(web_port: int) -> None:
    assert tcp_answers("127.0.0.1", web_port)()
    assert not tcp_answers("127.0.0.1", free_port())()


def test_a_taken_port_is_seen_and_avoided() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert port_taken(taken)
        assert free_port(taken) != taken
    assert not port_taken(taken)
    assert free_port(taken) == taken


def test_a_log_rotates_and_keeps_so_many_files(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = Log(path, longest=10, files=3)
    for number in range(6):
        log.write(f"line {number}\n".encode())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert path.read_text() == "line 5\n"
    assert path.with_name("a.log.2").read_text() == "line 3\n"
    reopened = Log(path, longest=100, files=3)
    reopened.write(b"more\n")
    assert path.read_text() == "line 5\nmore\n"


def test_the_tail_begins_where_this_life_began(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    assert logs.tail(path) == ""
    path.write_text("old\n")
    begin = logs.size(path)
    with path.open("a") as file:
        file.writelines(f"new {number}\n" for number in range(20))
    assert logs.tail(path, begin, lines=2) == "  new 18\n  new 19"
    assert "old" not in logs.tail(path, begin, lines=100)
    path.write_text("n\n")
    assert logs.tail(path, begin) == "  n"


def test_one_supervisor_per_home(tmp_path: Path) -> None:
    assert supervising_pid(tmp_path) is None
    with HomeLock(tmp_path):
        assert supervising_pid(tmp_path) == os.getpid()
        with (
            pytest.raises(AlreadyUpError, match=f"already up in .*: process {os.getpid()} supervises it") as caught,
            HomeLock(tmp_path),
        ):
            pass
        assert caught.value.pid == os.getpid()
        with HomeLock(tmp_path / "another"):
            pass
    assert supervising_pid(tmp_path) is None


def test_the_lock_of_a_killed_supervisor_is_free(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from stonks_cli.supervise.lock import HomeLock\n"
        "with HomeLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert supervising_pid(tmp_path) == process.pid
        process.kill()
        process.wait()
        with HomeLock(tmp_path):
            assert supervising_pid(tmp_path) == os.getpid()


def test_the_sandbox_is_told_which_actions_to_play_and_a_simulation_plays_none() -> None:
    settings = load_settings({"SANDBOX_ACTIONS": "/somewhere/actions.json"})
    argv = children.sandbox(settings, {}, 5000).argv
    assert argv[argv.index("--actions") + 1] == "/somewhere/actions.json"
    played = books.simulated(settings, recorded="", url="http://127.0.0.1:1")
    assert "--actions" not in children.sandbox(played, {}, 5000).argv
