"""As whom the server runs: the weakest user that can reach both the programs and the folder, tried for real."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stonks_core.stores.embedded.binaries import Binaries, find_binaries
from stonks_core.stores.embedded.cluster import require_cluster, server_settings, system_identifier
from stonks_core.stores.embedded.failure import EmbeddedPostgresError
from stonks_core.stores.embedded.identity import Identity, candidates, choose, complaint, guard_argv
from stonks_core.stores.embedded.ports import free_port
from stonks_core.stores.embedded.server import EmbeddedPostgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL only minds root")
NO_SYNC = {"fsync": "off"}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may pass, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def closed_binaries(tmp_path_factory: pytest.TempPathFactory) -> Binaries:
    """The programs again, in a folder that only its owner may pass, as in a clone below root's home."""
    found = find_binaries()
    package = found.folder.parent.parent
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)

    def link(source: str, target: str) -> str:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
        return target

    for part in (f"{package.name}/{found.folder.parent.name}", f"{package.name}.libs"):
        if (package.parent / part).exists():
            shutil.copytree(package.parent / part, closed / part, symlinks=True, copy_function=link)
    return Binaries(closed / package.name / found.folder.parent.name / "bin", found.major)


def test_an_ordinary_user_stays_itself(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("we are root")
    assert choose(find_binaries(), tmp_path).become is None


@as_root
def test_nobody_suffices_below_open_folders(open_folder: Path) -> None:
    if complaint(candidates()[0], find_binaries(), Path("/")) is not None:
        pytest.skip("the installed programs lie below a folder that is closed to others")
    assert choose(find_binaries(), open_folder).name == "nobody"


@as_root
def test_below_a_closed_folder_plain_nobody_is_passed_over(
    tmp_path: Path, open_folder: Path, closed_binaries: Binaries
) -> None:
    tmp_path.chmod(0o700)
    inside = tmp_path / "inside"
    inside.mkdir()
    assert complaint(candidates()[0], find_binaries(), inside) is not None
    assert complaint(candidates()[0], closed_binaries, open_folder) is not None
    assert choose(closed_binaries, inside).name != "nobody"


@as_root
def test_it_starts_where_home_and_programs_are_closed_to_others(tmp_path: Path, closed_binaries: Binaries) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    with EmbeddedPostgres(home, "stonks", "pw", binaries=closed_binaries, extra_settings=NO_SYNC) as postgres:
        assert postgres.answers()
        os.kill(int((postgres.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        postgres.ensure_started()
        assert postgres.answers()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@as_root
@pytest.mark.parametrize("number", range(1, 4))
def test_each_way_runs_a_server_below_a_closed_folder(number: int, tmp_path: Path, closed_binaries: Binaries) -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere there is only plain nobody")
    identity = candidates()[number]
    tmp_path.chmod(0o700)
    why_not = complaint(identity, closed_binaries, tmp_path)
    if why_not is not None:
        pytest.skip(f"{identity.name} is not to be had here: {why_not}")
    data = tmp_path / "data"
    require_cluster(data, closed_binaries, identity, "stonks", "pw", sync=False)
    assert data.stat().st_uid == identity.uid
    assert system_identifier(data) > 0
    assert serves(closed_binaries, identity, data)


@as_root
def test_a_cluster_that_was_somebody_elses_becomes_ours(tmp_path: Path, closed_binaries: Binaries) -> None:
    tmp_path.chmod(0o700)
    data = tmp_path / "data"
    usable = [each for each in candidates() if complaint(each, closed_binaries, tmp_path) is None]
    for identity in usable:
        require_cluster(data, closed_binaries, identity, "stonks", "pw", sync=False)
        assert {path.lstat().st_uid for path in [data, *data.rglob("*")]} == {identity.uid}
        assert serves(closed_binaries, identity, data)


@as_root
def test_when_nobody_can_reach_it_the_sentence_says_so(tmp_path: Path) -> None:
    nowhere = Binaries(tmp_path / "nothing" / "bin", 18)
    with pytest.raises(EmbeddedPostgresError, match="start as an ordinary user, or set POSTGRES_HOST"):
        choose(nowhere, tmp_path)


def serves(binaries: Binaries, identity: Identity, data: Path) -> bool:
    """Start in the foreground until it is ready, then stop; whether it did both in good order."""
    settings = server_settings(free_port(), binaries.major, NO_SYNC)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    argv = [str(binaries.postgres), "-D", str(data), *options]
    task = {"argv": argv, "run_as": identity.become, "data": str(data)}
    with subprocess.Popen(guard_argv(task), stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:  # type: ignore[union-attr]
            if "ready to accept connections" in line:
                process.send_signal(signal.SIGINT)
    return process.returncode == 0
