"""`stonks notifications` over a home's real database: what is set up, what was said, and a channel tried."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_core.notifications import notices
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from tests.core.test_notification_channels import SECRET, Web
from tests.core.test_notification_delivery import NOW


@pytest.fixture
def environment(database: Database, postgres: Postgres, tmp_path: Path) -> dict[str, str]:
    return {
        "STONKS_HOME": str(tmp_path),
        "POSTGRES_HOST": postgres.host,
        "POSTGRES_PORT": str(postgres.port),
        "POSTGRES_USER": postgres.user,
        "POSTGRES_PASSWORD": postgres.password.get_secret_value(),
        "POSTGRES_DB": database.name,
        "COLUMNS": "200",
    }


def stonks(environment: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(app, ["notifications", *words], env=environment)


def test_what_was_said_is_shown(environment: dict[str, str], database: Database) -> None:
    with database.connection() as connection:
        notices.leave(connection, NOW, "critical", "a breaker tripped", "It did.")
    told = json.loads(stonks(environment, "--json").stdout)
    assert told["channels"] == []
    assert [one["subject"] for one in told["messages"]] == ["a breaker tripped"]
    assert "a breaker tripped" in stonks(environment).stdout


def test_a_channel_is_tried(environment: dict[str, str]) -> None:
    with Web().served() as web:
        url = f"json://127.0.0.1:{web.port}/{SECRET}"
        configured = {**environment, "TRADING_NOTIFY_URLS": url}
        assert stonks(configured, "--test", "json").exit_code == 0
        assert json.loads(web.posted[0][1])["title"] == "Stonks Oracle: a message to try this channel"
        web.status = 503
        failed = stonks(configured, "--test", "json")
    assert failed.exit_code == 1
    assert "json did not take the message" in failed.stderr
    assert SECRET not in failed.stderr
    missing = stonks(environment, "--test", "json")
    assert "the settings name no channel json; they name none" in " ".join(missing.stderr.split())
