"""The embedded server from outside: it starts, keeps what was committed through any death, and lets only us in."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from stonks_core.stores.embedded import guard
from stonks_core.stores.embedded.asking import Refused, ask, connect
from stonks_core.stores.embedded.failure import EmbeddedPostgresError
from stonks_core.stores.embedded.locks import is_locked
from stonks_core.stores.embedded.server import EmbeddedPostgres
from stonks_core.stores.embedded.temporary import FAST, temporary_postgres

PASSWORD = "it's a \\ pass word"


def until(condition: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def server(home: Path, password: str = PASSWORD, **options: object) -> EmbeddedPostgres:
    return EmbeddedPostgres(home, "stonks", password, extra_settings=FAST, **options)  # type: ignore[arg-type]


def query(postgres: EmbeddedPostgres, statement: str) -> object:
    with connect(postgres.address, postgres.user, postgres.password) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(postgres: EmbeddedPostgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""  # it went while we looked


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a cluster that every test of this module may start and must leave stopped."""
    home = tmp_path_factory.mktemp("home")
    with server(home) as postgres:
        query(postgres, "CREATE TABLE kept (n int)")
    return home


@pytest.fixture
def running(home: Path) -> Iterator[EmbeddedPostgres]:
    with server(home) as postgres:
        yield postgres
    assert not is_locked(postgres.data)


def test_a_fresh_home_has_a_durable_server_in_utf8_and_utc(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "not" / "there", "stonks", PASSWORD) as postgres:
        shown = {
            name: query(postgres, f"SHOW {name}")
            for name in ("fsync", "timezone", "server_encoding", "listen_addresses", "unix_socket_directories")
        }
        assert shown == {
            "fsync": "on",
            "timezone": "UTC",
            "server_encoding": "UTF8",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        assert query(postgres, "SELECT lower('ÄÖÜ')") == "äöü"
        assert postgres.log == tmp_path / "not" / "there" / "logs" / "postgres.log"
        assert "ready to accept connections" in postgres.log.read_text()


def test_the_data_folder_is_closed_and_no_other_folder_is_opened(running: EmbeddedPostgres, tmp_path: Path) -> None:
    assert stat.S_IMODE(running.data.stat().st_mode) == 0o700
    tmp_path.chmod(0o700)
    with server(tmp_path / "closed"):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_wrong_password_is_refused(running: EmbeddedPostgres, home: Path) -> None:
    assert isinstance(ask(running.address.port, "stonks", "wrong"), Refused)
    with pytest.raises(EmbeddedPostgresError, match="refuses user 'stonks' with this password"):
        server(home, "wrong").ensure_started()


def test_an_empty_or_broken_password_is_refused_at_once(tmp_path: Path) -> None:
    for password in ("", "two\nlines"):
        with pytest.raises(EmbeddedPostgresError, match="POSTGRES_PASSWORD"):
            server(tmp_path, password)


def test_the_password_is_nowhere_in_the_home_and_on_no_command_line(tmp_path: Path) -> None:
    secret = "sesame-7c1e"
    with server(tmp_path, secret) as postgres:
        query(postgres, "SELECT 1")
        command_lines = [content(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
        files = [content(path) for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"postgres" in line for line in command_lines) or sys.platform != "linux"
    assert len(files) > 100
    assert not any(secret.encode() in each for each in [*command_lines, *files])


def test_a_second_start_continues_with_the_rows_on_the_same_port(home: Path) -> None:
    with server(home) as first:
        port = first.address.port
        query(first, "INSERT INTO kept VALUES (101)")
    with server(home) as second:
        assert second.address.port == port
        assert query(second, "SELECT n FROM kept WHERE n = 101") == 101


def test_another_port_when_the_remembered_one_is_taken(home: Path) -> None:
    with server(home) as first:
        port = first.address.port
    with socket.create_server(("127.0.0.1", port)):
        with server(home) as second:
            assert second.address.port != port
            assert query(second, "SELECT 1") == 1
        with pytest.raises(EmbeddedPostgresError, match=f"port {port} is taken"):
            server(home, port=port).ensure_started()


def test_committed_rows_survive_sigkill_of_the_server(home: Path) -> None:
    # As shipped, not as tests like it: fsync is on here.
    with EmbeddedPostgres(home, "stonks", PASSWORD) as postgres:
        query(postgres, "INSERT INTO kept SELECT 200 FROM generate_series(1, 50)")
        os.kill(postmaster(postgres), signal.SIGKILL)
        postgres.ensure_started()
        assert query(postgres, "SELECT count(*) FROM kept WHERE n = 200") == 50


def test_a_pid_file_that_names_a_living_stranger_does_not_stop_a_start(home: Path) -> None:
    with server(home) as postgres:
        data = postgres.data
        lines = (data / "postmaster.pid").read_text().splitlines()
    (data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with server(home) as postgres:
        assert postmaster(postgres) != os.getpid()


def test_the_server_runs_until_its_last_user_stops(home: Path) -> None:
    first, second = server(home), server(home)
    assert first.ensure_started() == second.ensure_started()
    pid = postmaster(first)
    assert first.stop() is False
    assert second.answers()
    assert postmaster(second) == pid
    assert second.stop() is True
    assert not second.answers()


SCRIPT = """
import sys
from pathlib import Path
from stonks_core.stores.embedded.server import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]), "stonks", sys.stdin.readline()[:-1], extra_settings={"fsync": "off"})
print(postgres.ensure_started().port, flush=True)
sys.stdin.read()
postgres.stop()
"""


def user_process(home: Path, **options: object) -> subprocess.Popen[str]:
    """A process that uses the server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    process.stdin.write(PASSWORD + "\n")
    process.stdin.flush()
    return process  # type: ignore[no-any-return]


def test_two_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    processes = [user_process(tmp_path) for _ in range(2)]
    ports = [process.stdout.readline() for process in processes]
    assert ports[0].strip()
    assert ports[0] == ports[1]
    for process in processes:
        process.communicate(timeout=30)
        assert process.returncode == 0
    assert not is_locked(tmp_path / "postgres" / "data")


def test_sigkill_of_the_last_user_stops_the_server(home: Path) -> None:
    with user_process(home) as process:
        assert process.stdout.readline().strip()
        data = home / "postgres" / "data"
        assert is_locked(data)
        process.kill()
        until(lambda: not is_locked(data), "the server is gone after its user was killed")
    until(lambda: not (data / "postmaster.pid").exists(), "it shut down in good order")


def test_sigkill_of_the_guard_shuts_the_server_down(home: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux signals the death of a parent")
    with server(home) as postgres:
        assert postgres._guard is not None
        pid = postmaster(postgres)
        postgres._guard.kill()
        until(lambda: not is_locked(postgres.data), "the server is gone after its guard was killed")
        postgres.ensure_started()
        assert postmaster(postgres) != pid
        assert query(postgres, "SELECT 1") == 1


def test_another_major_version_is_refused_with_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="was made by PostgreSQL 12, and the installed one is 18"):
        server(tmp_path).ensure_started()


def test_a_folder_that_is_no_cluster_is_not_touched(tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "letters.txt").write_text("dear")
    with pytest.raises(EmbeddedPostgresError, match="neither empty nor a PostgreSQL cluster"):
        server(tmp_path).ensure_started()
    assert (data / "letters.txt").read_text() == "dear"


def test_a_start_that_was_killed_half_way_leaves_nothing_to_trip_over(tmp_path: Path) -> None:
    half = tmp_path / "postgres" / "making-0badcafe" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with server(tmp_path) as postgres:
        assert query(postgres, "SELECT 1") == 1
        assert not half.parent.exists()


def test_a_bad_setting_ends_in_a_sentence_with_the_servers_own_words(home: Path) -> None:
    postgres = EmbeddedPostgres(home, "stonks", PASSWORD, extra_settings={"shared_buffers": "many"})
    with pytest.raises(EmbeddedPostgresError, match=r'(?s)ended at its start.*invalid value.*"shared_buffers"'):
        postgres.ensure_started()
    postgres.stop()


def test_databases_are_made_once(running: EmbeddedPostgres) -> None:
    for _ in range(2):
        running.ensure_database('odd "name"')
    with connect(running.address, running.user, running.password, 'odd "name"') as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_in_the_foreground_it_stops_on_sigint_and_a_second_one_stands_by(home: Path) -> None:
    postgres = server(home)
    postgres.prepare()
    argv = postgres.serve_argv()
    first = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    until(postgres.answers, "the first answers")
    assert first.pid == postmaster(postgres)
    second = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    first.send_signal(signal.SIGINT)
    assert first.wait(20) == 0
    until(postgres.answers, "the second took over")
    assert second.pid == postmaster(postgres)
    second.send_signal(signal.SIGINT)
    assert second.wait(20) == 0
    assert postgres.stop() is True


def test_the_servers_for_tests_leaves_nothing_behind() -> None:
    with temporary_postgres() as postgres:
        assert query(postgres, "SHOW fsync") == "off"
        folder = postgres.folder.parent
        with pytest.raises(psycopg.OperationalError):
            connect(postgres.address, postgres.user, "wrong")
    assert not folder.exists()


def as_ordinary_user(home: Path) -> subprocess.Popen[str]:
    """The same in a user namespace, so that it can pass the folders that are closed to everybody but us."""
    if os.geteuid() != 0:
        return user_process(home)
    try:
        return user_process(home, preexec_fn=lambda: guard.become(65534, 65534, None, namespace=True))
    except subprocess.SubprocessError:
        pytest.skip("user namespaces are not to be had here")


def test_an_ordinary_user_runs_it_as_itself(tmp_path: Path) -> None:
    with as_ordinary_user(tmp_path) as process:
        assert process.stdout.readline().strip()
        assert (tmp_path / "postgres" / "data").stat().st_uid == os.geteuid()
        process.communicate(timeout=30)
        assert process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_home_of_another_user_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with server(tmp_path) as postgres:
        os.chown(postgres.data, 1, 1)
    os.chown(tmp_path / "postgres" / "start.lock", 1, 1)
    with as_ordinary_user(tmp_path) as process:
        assert process.stdout.readline() == ""
        _, complaint = process.communicate(timeout=30)
    assert re.search("start.lock belongs to another user", complaint)
