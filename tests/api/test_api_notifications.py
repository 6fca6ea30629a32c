"""Channels and messages over real HTTP and a real database."""

from datetime import timedelta

import httpx
import pytest

from stonks_core.notifications import notices
from stonks_core.notifications.channels import Channel
from stonks_core.notifications.delivery import deliver, ensure_channels
from stonks_core.settings.notifying import Notifying
from stonks_core.stores.postgres import Database
from tests.api import story

ROOT = "/api/trading/notifications"
WHY = {"reason": "too many at night"}
NOW = story.AS_OF + timedelta(hours=5)


@pytest.fixture
def api(own_client: httpx.Client, operator: dict[str, str], database: Database) -> httpx.Client:
    own_client.headers.update(operator)
    ensure_channels(database, {"sms": Channel("sms", print)}, Notifying(), NOW - timedelta(minutes=5))
    return own_client


def test_a_channel_is_changed_by_version_and_on_record(api: httpx.Client, database: Database) -> None:
    (shown,) = api.get(f"{ROOT}/config").json()["items"]
    assert (shown["channel"], shown["enabled"], shown["severity"], shown["per_hour"]) == ("sms", True, "warning", 20)
    wish = {**WHY, "channel": "sms", "version": 1, "severity": "critical", "per_hour": 5}
    (changed,) = api.put(f"{ROOT}/config", json=wish).json()["items"]
    assert (changed["severity"], changed["per_hour"], changed["version"]) == ("critical", 5, 2)
    assert api.put(f"{ROOT}/config", json=wish).status_code == 409
    assert api.put(f"{ROOT}/config", json={**wish, "version": 2, "enabled": None}).status_code == 400
    for wrong in ({"per_hour": 0}, {"severity": "loud"}, {"address": "x"}):
        assert api.put(f"{ROOT}/config", json={**wish, "version": 2, **wrong}).status_code == 422
    nowhere = api.put(f"{ROOT}/config", json={**wish, "channel": "pigeon"})
    assert (nowhere.status_code, "there are: sms" in nowhere.text) == (404, True)
    (audit,) = database.fetch("SELECT action, subject, reason, detail FROM audit_events")
    assert (audit["action"], audit["subject"], audit["reason"]) == (
        "notification_channel_changed",
        "sms",
        WHY["reason"],
    )
    assert audit["detail"]["changed"]["per_hour"] == {"was": 20, "is": 5}


def test_a_channel_is_tried_and_the_history_tells(api: httpx.Client, database: Database) -> None:
    queued = api.post(f"{ROOT}/test", json={**WHY, "channel": "sms"})
    assert (queued.status_code, queued.json()["status"]) == (202, "queued")
    with database.connection() as connection:
        notices.leave(connection, NOW, "critical", "a breaker tripped", "It did.")
    got: list[str] = []
    channel = Channel("sms", lambda subject, body: got.append(subject))
    assert deliver(database, {"sms": channel}, NOW).sent == 2
    assert got == ["Stonks Oracle: a message to try this channel", "Stonks Oracle: a breaker tripped"]
    history = api.get(f"{ROOT}/history").json()
    assert [(one["channel"], one["status"]) for one in history["items"]] == [
        ("sms", "sent"),
        ("screen", "shown"),
        ("sms", "sent"),
    ]
    first = api.get(f"{ROOT}/history", params={"limit": 2, "channel": "sms", "status": "sent"}).json()
    assert len(first["items"]) == 2
    assert api.get(f"{ROOT}/history", params={"limit": 2, "cursor": "zzz"}).status_code == 400
    (shown,) = api.get(f"{ROOT}/config").json()["items"]
    assert (shown["sent_last_hour"], shown["waiting"], shown["last_error"]) == (2, 0, "")


def test_only_the_operator_may(own_client: httpx.Client) -> None:
    assert own_client.post(f"{ROOT}/test", json={**WHY, "channel": "sms"}).status_code == 401
    assert own_client.put(f"{ROOT}/config", json={**WHY, "channel": "sms", "version": 1}).status_code == 401
