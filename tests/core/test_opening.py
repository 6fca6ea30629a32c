"""Opening the stores: the kept secret under a race, addresses, an external server, a lake of its own per stage."""

import multiprocessing
import multiprocessing.synchronize
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from stonks_core.errors import SettingsError
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import General, Postgres
from stonks_core.stores.lake.registry import BY_NAME
from stonks_core.stores.opening import at_address, embedded_password, kept_secret, open_postgres, open_stores

RACERS = 2


def _race(path: str, line: "multiprocessing.synchronize.Barrier", answers: "multiprocessing.Queue[Any]") -> None:
    line.wait(60)
    answers.put(kept_secret(Path(path)))


def test_processes_that_are_first_at_once_get_the_same_secret(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    line, answers = context.Barrier(RACERS), context.Queue()
    path = tmp_path / "home" / "secrets" / "one"
    racers = [context.Process(target=_race, args=(str(path), line, answers)) for _ in range(RACERS)]
    for racer in racers:
        racer.start()
    found = {answers.get(timeout=60) for _ in racers}
    for racer in racers:
        racer.join(60)
    assert len(found) == 1
    assert found == {path.read_text()}
    assert [file.name for file in path.parent.iterdir()] == ["one"]


def test_a_kept_secret_is_long_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    secret = kept_secret(path)
    assert len(secret) >= 32
    assert kept_secret(path) == secret
    assert kept_secret(tmp_path / "secrets" / "other") != secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_secret_that_was_lost_is_said(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(SettingsError, match="is empty: put the secret back"):
        kept_secret(tmp_path / "token")


def test_a_password_that_is_set_is_taken(tmp_path: Path) -> None:
    given = Postgres(password=SecretStr("mine"))
    assert embedded_password(tmp_path, given) == "mine"
    assert list(tmp_path.iterdir()) == []
    made = embedded_password(tmp_path, Postgres())
    assert made == (tmp_path / "secrets" / "postgres_password").read_text() != "stonks_dev"


def test_the_address_is_filled_in() -> None:
    settings = at_address(load_settings({"POSTGRES_DB": "mine", "POSTGRES_USER": "me"}), "127.0.0.1", 7777, "word")
    postgres = settings.postgres
    assert (postgres.host, postgres.port, postgres.db, postgres.user) == ("127.0.0.1", 7777, "mine", "me")
    assert postgres.password.get_secret_value() == "word"
    assert not postgres.embedded


def test_an_external_server_is_used_as_it_is(postgres: Postgres, tmp_path: Path) -> None:
    settings = Settings(
        general=General(home=tmp_path / "home", deploy_stage="blue"),
        postgres=postgres.model_copy(update={"db": "opened"}),
    )
    with open_postgres(settings) as located:
        assert located is settings
    with open_stores(settings, {}) as stores:
        assert stores.database.fetch_one("SELECT count(*) AS n FROM companies") == {"n": 0}
        assert stores.lake.location.root == str(tmp_path / "home" / "blue-lake")
        assert stores.lake.version(BY_NAME["documents"]) == 0
        names = {row["datname"] for row in stores.database.fetch("SELECT datname FROM pg_database")}
    assert {"opened", "opened_dagster"} <= names
    with open_stores(settings, {}) as again:
        assert again.lake.version(BY_NAME["documents"]) == 0
