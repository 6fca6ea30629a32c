"""The supervisor over real processes: what is killed comes back, what is stopped leaves nothing, no orphan survives."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stonks_cli.supervise.changes import (
    Change,
    Exited,
    KeepsDying,
    NotReady,
    Ready,
    Restarting,
    Starting,
    Stopped,
    Stopping,
)
from stonks_cli.supervise.launch import marked
from stonks_cli.supervise.lock import AlreadyUpError
from stonks_cli.supervise.policy import Exit, RestartPolicy
from stonks_cli.supervise.specs import ChildSpec
from stonks_cli.supervise.supervisor import StartFailedError, Supervisor
from stonks_core.stores.embedded.asking import connect
from stonks_core.stores.embedded.server import EmbeddedPostgres

SECONDS = 20.0
HASTY = RestartPolicy(first_delay=0.01, longest_delay=0.05, alarm_after=3)
SLEEPER = ("/bin/sh", "-c", "exec sleep 1000")
# A child, a grandchild, and a grandchild that left the session of both; each says its process number.
RUNAWAY = """
import os, time
os.fork() and os._exit(0)
os.setsid()
open("pids", "a").write(f"{os.getpid()}\\n")
time.sleep(1000)
"""
FAMILY = (
    "/bin/sh",
    "-c",
    f"sleep 1001 & echo $! >> pids; '{sys.executable}' -c '{RUNAWAY}'; echo $$ >> pids; wait",
)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SECONDS:g} s: {what}"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except FileNotFoundError:
        if sys.platform != "linux":
            return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0
        return False


def spec(name: str, argv: tuple[str, ...] = SLEEPER, **options: object) -> ChildSpec:
    cwd = options.pop("cwd", Path("/"))
    return ChildSpec(name, argv, dict(os.environ), cwd, **{"policy": HASTY, **options})  # type: ignore[arg-type]


class Story:
    """The changes that a supervisor told, and what to do at some of them."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.react: Callable[[Change], None] = lambda _: None

    def __call__(self, change: Change) -> None:
        self.changes.append(change)
        self.react(change)

    def of(self, kind: type[Change]) -> list[str]:
        return [change.name for change in self.changes if isinstance(change, kind)]


@contextmanager
def supervising(home: Path) -> Iterator[tuple[Supervisor, Story]]:
    """A supervisor that stops by itself, in failure, when a test hangs."""
    story = Story()
    with Supervisor(home, story) as supervisor:
        hung = threading.Timer(SECONDS, supervisor.request_stop)
        hung.start()
        yield supervisor, story
        assert hung.is_alive(), f"still waiting after {SECONDS:g} s: {[c.sentence for c in story.changes]}"
        hung.cancel()


def test_children_start_in_their_order_and_stop_in_reverse(tmp_path: Path) -> None:
    asked = []

    def ready_at_the_third_time() -> bool:
        asked.append(1)
        return len(asked) >= 3

    with supervising(tmp_path) as (supervisor, story):
        started = supervisor.start(
            [spec("web", after=("base", "side")), spec("base", ready=ready_at_the_third_time), spec("side")]
        )
        assert started
        assert story.of(Starting)[-1] == "web"
        assert story.of(Ready)[-1] == "web"
        assert set(supervisor.pids()) == {"base", "side", "web"}
        pids = supervisor.pids()
        assert all(alive(pid) for pid in pids.values())
        assert supervisor.start([spec("late", after=("web",))])
    assert story.of(Stopping)[:2] == ["late", "web"]
    assert story.of(Stopped)[:2] == ["late", "web"]
    assert sorted(story.of(Stopped)[2:]) == ["base", "side"]
    assert not any(alive(pid) for pid in pids.values())


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("one"), spec("other")])
        first = supervisor.pids()

        def stop_when_back(change: Change) -> None:
            if isinstance(change, Ready):
                supervisor.request_stop()

        story.react = stop_when_back
        os.kill(first["one"], signal.SIGKILL)
        supervisor.run()
        assert supervisor.pids()["one"] != first["one"]
        assert supervisor.pids()["other"] == first["other"]
    told = [change for change in story.changes if change.name == "one"][2:5]
    assert [type(change) for change in told] == [Exited, Restarting, Starting]
    assert told[0] == Exited("one", Exit(signal=9), deaths=1)
    assert told[0].sentence == "one was killed by SIGKILL"
    assert told[1].sentence == "one is started again in 0.01 s"


def test_a_child_whose_launcher_is_killed_is_started_again_and_leaves_no_family(tmp_path: Path) -> None:
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("clan", FAMILY, cwd=tmp_path, ready=lambda: family(tmp_path))])
        before = family_pids(tmp_path)
        (tmp_path / "pids").unlink()

        def stop_when_back(change: Change) -> None:
            if isinstance(change, Ready):
                supervisor.request_stop()

        story.react = stop_when_back
        launcher = int(Path(f"/proc/{before[-1]}/stat").read_text().rpartition(") ")[2].split()[1])
        os.kill(launcher, signal.SIGKILL)
        supervisor.run()
        assert Exited("clan", Exit(signal=9, launcher=True), deaths=1) in story.changes
        until(lambda: not any(map(alive, before)), "the old family is gone")
        now = family_pids(tmp_path)
        assert all(map(alive, now))
    assert not any(map(alive, now))


def family(folder: Path) -> bool:
    return len(family_pids(folder)) == 3


def family_pids(folder: Path) -> list[int]:
    file = folder / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_what_a_dead_child_left_behind_is_ended_before_it_is_started_again(tmp_path: Path) -> None:
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("clan", FAMILY, cwd=tmp_path, ready=lambda: family(tmp_path))])
        before = family_pids(tmp_path)
        survivors: list[int] = []

        def look(change: Change) -> None:
            if isinstance(change, Exited):
                survivors.extend(filter(alive, before))
                supervisor.request_stop()

        story.react = look
        os.kill(supervisor.pids()["clan"], signal.SIGKILL)
        supervisor.run()
    assert len(before) == 3
    assert not survivors


def test_what_keeps_dying_is_named_with_its_last_words(tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", "echo cannot find my shoes; exit 3")
    with supervising(tmp_path) as (supervisor, story), pytest.raises(StartFailedError) as caught:
        supervisor.start([spec("shoes", argv, ready=lambda: False), spec("late", after=("shoes",))])
    assert "shoes keeps dying: 3 times in a row, the last time it exited with code 3" in str(caught.value)
    assert "cannot find my shoes" in str(caught.value)
    assert str(tmp_path / "logs" / "shoes.log") in str(caught.value)
    assert len(story.of(Exited)) == 3
    assert story.of(KeepsDying) == ["shoes"]
    assert "late" not in story.of(Starting)


def test_what_keeps_dying_later_is_tried_on(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    argv = ("/bin/sh", "-c", f"test -e '{flag}' && exec sleep 1000; echo no flag")
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("it", argv, ready=flag.exists)])

        def react(change: Change) -> None:
            if isinstance(change, KeepsDying):
                assert "no flag" in change.tail
                flag.touch()
            elif isinstance(change, Ready):
                supervisor.request_stop()

        story.react = react
        flag.unlink()
        os.kill(supervisor.pids()["it"], signal.SIGKILL)
        supervisor.run()
    assert story.of(KeepsDying) == ["it"]
    assert story.of(Ready) == ["it", "it"]


def test_what_is_not_ready_in_time_is_named_with_why(tmp_path: Path) -> None:
    def probe() -> bool:
        raise ConnectionError("door closed")

    argv = ("/bin/sh", "-c", "echo waiting for a key; exec sleep 1000")
    with supervising(tmp_path) as (supervisor, story), pytest.raises(StartFailedError) as caught:
        supervisor.start([spec("gate", argv, ready=probe, ready_seconds=0.4)])
    assert str(caught.value).startswith("gate did not become ready within 0.4 s (door closed); its last words in ")
    assert "waiting for a key" in str(caught.value)
    assert story.of(NotReady) == ["gate"]


def test_a_command_that_does_not_exist_says_so(tmp_path: Path) -> None:
    with supervising(tmp_path) as (supervisor, _), pytest.raises(StartFailedError) as caught:
        supervisor.start([spec("ghost", ("/no/such/program",), ready=lambda: False)])
    assert "exited with code 127" in str(caught.value)
    assert "cannot run /no/such/program: No such file or directory" in str(caught.value)


def test_a_folder_that_does_not_exist_is_a_death_too(tmp_path: Path) -> None:
    with supervising(tmp_path) as (supervisor, _), pytest.raises(StartFailedError, match="No such file"):
        supervisor.start([spec("ghost", cwd=tmp_path / "none")])


def test_a_deaf_child_and_its_family_are_killed_when_their_grace_is_over(tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo $! > pids; wait; wait; sleep 1000")
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("deaf", argv, cwd=tmp_path, grace_seconds=0.2, ready=(tmp_path / "pids").exists)])
        pids = [*supervisor.pids().values(), *family_pids(tmp_path)]
    assert Stopped("deaf", killed=True) in story.changes
    assert not any(map(alive, pids))


def test_being_asked_twice_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", "trap '' TERM; touch here; sleep 1000; sleep 1000")
    with supervising(tmp_path) as (supervisor, story):
        supervisor.start([spec("deaf", argv, cwd=tmp_path, grace_seconds=600, ready=(tmp_path / "here").exists)])

        def hurry(change: Change) -> None:
            if isinstance(change, Stopping):
                supervisor.request_stop()

        story.react = hurry
    assert story.changes[-1] == Stopped("deaf", killed=True)


def test_a_child_can_be_stopped_by_the_signal_it_wants(tmp_path: Path) -> None:
    argv = ("/bin/sh", "-c", "trap 'echo interrupted; exit 0' INT; touch here; while :; do sleep 0.02; done")
    with supervising(tmp_path) as (supervisor, story):
        ready = (tmp_path / "here").exists
        supervisor.start([spec("db", argv, cwd=tmp_path, stop_signal=signal.SIGINT, ready=ready)])
    assert story.changes[-1] == Stopped("db", killed=False)
    assert "interrupted" in (tmp_path / "logs" / "db.log").read_text()


def test_a_second_supervisor_is_turned_away(tmp_path: Path) -> None:
    with (
        supervising(tmp_path),
        pytest.raises(AlreadyUpError, match=f"process {os.getpid()} supervises it"),
        supervising(tmp_path),
    ):
        pass


# A supervisor in a process of its own, started as shells start things in the background: with SIGINT ignored.
PROGRAM = """
import json, os, sys
from pathlib import Path
from stonks_cli.supervise.specs import ChildSpec
from stonks_cli.supervise.supervisor import Supervisor
home, argv = Path(sys.argv[1]), tuple(json.loads(sys.argv[2]))
ready = lambda: (home / "pids").exists() and len((home / "pids").read_text().split()) == 3
with Supervisor(home, lambda change: None) as supervisor:
    supervisor.start([ChildSpec("clan", argv, dict(os.environ), home, ready=ready)])
    print("up", flush=True)
    supervisor.run()
"""


@contextmanager
def program(home: Path) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-c", PROGRAM, str(home), json.dumps(FAMILY)]
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, previous)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_and_ends_well(number: signal.Signals, tmp_path: Path) -> None:
    with program(tmp_path) as process:
        pids = family_pids(tmp_path)
        assert len(pids) == 3
        assert all(map(alive, pids))
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert not any(map(alive, pids))


def test_sigkill_of_the_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with program(tmp_path) as process:
        pids = family_pids(tmp_path)
        launcher = int(Path(f"/proc/{pids[-1]}/stat").read_text().rpartition(") ")[2].split()[1])
        assert all(map(alive, [*pids, launcher]))
        process.kill()
        until(lambda: not any(map(alive, [*pids, launcher])), "child, grandchildren and launcher are gone")


def test_postgres_as_a_child_comes_back_with_its_rows_after_sigkill(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path, "stonks", "pw")
    postgres.prepare()
    database = spec("postgres", postgres.serve_argv(), ready=postgres.answers, stop_signal=signal.SIGINT)
    with supervising(tmp_path) as (supervisor, story):
        assert supervisor.start([database])
        with connect(postgres.address, "stonks", "pw") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")

        def stop_when_back(change: Change) -> None:
            if isinstance(change, Ready):
                with connect(postgres.address, "stonks", "pw") as connection:
                    assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
                supervisor.request_stop()

        story.react = stop_when_back
        os.kill(supervisor.pids()["postgres"], signal.SIGKILL)
        supervisor.run()
    assert story.changes[-1] == Stopped("postgres", killed=False)
    assert postgres.stop() is True
    assert "database system is shut down" in (tmp_path / "logs" / "postgres.log").read_text()


def test_a_mark_finds_whoever_inherited_it() -> None:
    environment = {**os.environ, "STONKS_FAMILY": "test-mark"}
    with subprocess.Popen(SLEEPER, env=environment) as process:
        until(lambda: marked("test-mark") == [process.pid], "it is found")
        process.kill()
    assert marked("test-mark") == []
