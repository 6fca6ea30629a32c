"""Notices copied to channels and delivered: once each, tried again, within the limit, by several at once."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from stonks_core.errors import PermanentError, StonksError, TransientError
from stonks_core.notifications import notices
from stonks_core.notifications.channels import Channel
from stonks_core.notifications.delivery import LONGEST_PAUSE, MOST_ATTEMPTS, deliver, ensure_channels, pause_after
from stonks_core.notifications.notices import Severity
from stonks_core.settings.notifying import Notifying
from stonks_core.stores.postgres import Database

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)


@dataclass
class Phone:
    """A channel that keeps what it is sent, or fails as it is told to."""

    fails: list[StonksError] = field(default_factory=list)
    got: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, body: str) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append((subject, body))


def through(
    database: Database, per_hour: int = 100, severity: str = "warning", **phones: Phone
) -> Mapping[str, Channel]:
    channels = {name: Channel(name, phone.send) for name, phone in phones.items()}
    settings = Notifying.model_validate({"TRADING_NOTIFY_PER_HOUR": per_hour, "TRADING_NOTIFY_SEVERITY": severity})
    ensure_channels(database, channels, settings, NOW - timedelta(minutes=1))
    return channels


def leave(database: Database, subject: str, severity: Severity = "warning", at: datetime = NOW, key: str = "") -> bool:
    with database.connection() as connection:
        return notices.leave(connection, at, severity, subject, f"All about {subject}.", key)


def states(database: Database, channel: str) -> list[tuple[str, str]]:
    rows = database.fetch("SELECT subject, status FROM notifications WHERE channel = %s ORDER BY id", (channel,))
    return [(row["subject"], row["status"]) for row in rows]


def test_a_notice_is_sent_once_through_each_channel(database: Database) -> None:
    sms, mail = Phone(), Phone()
    channels = through(database, sms=sms, email=mail)
    leave(database, "a breaker tripped", "critical")
    leave(database, "a fill came", "info")
    assert deliver(database, channels, NOW).sent == 2
    assert deliver(database, channels, NOW + timedelta(hours=1)).sent == 0
    for phone in (sms, mail):
        ((subject, body),) = phone.got
        assert subject == "Stonks Oracle: a breaker tripped"
        assert body == "All about a breaker tripped.\n\ncritical, 2026-03-10 15:00:00 UTC"


def test_a_notice_with_a_key_is_left_once(database: Database) -> None:
    assert leave(database, "again", key="k")
    assert not leave(database, "again", key="k")


def test_what_is_old_or_older_than_the_channel_is_not_sent(database: Database) -> None:
    leave(database, "before the channel", at=NOW - timedelta(minutes=2))
    phone = Phone()
    channels = through(database, sms=phone)
    leave(database, "in time")
    deliver(database, channels, NOW + timedelta(hours=25))
    assert phone.got == []
    deliver(database, channels, NOW)
    assert [subject for subject, _ in phone.got] == ["Stonks Oracle: in time"]


def test_a_channel_that_is_off_or_wants_worse_gets_nothing(database: Database) -> None:
    off, grave = Phone(), Phone()
    channels = through(database, off=off, grave=grave)
    database.execute("UPDATE notification_channels SET enabled = false WHERE channel = 'off'")
    database.execute("UPDATE notification_channels SET severity = 'critical' WHERE channel = 'grave'")
    leave(database, "a warning")
    leave(database, "an alarm", "critical")
    deliver(database, channels, NOW)
    assert (len(off.got), len(grave.got)) == (0, 1)


def test_a_channel_that_is_down_is_tried_again_later_and_later(database: Database) -> None:
    phone = Phone([TransientError("no network")] * 3)
    channels = through(database, sms=phone)
    leave(database, "x", "critical")
    now = NOW
    for attempt in (1, 2, 3):
        assert deliver(database, channels, now).put_off == 1
        assert deliver(database, channels, now + pause_after(attempt) - timedelta(seconds=1)).put_off == 0
        now += pause_after(attempt)
    assert deliver(database, channels, now).sent == 1
    assert len(phone.got) == 1


def test_it_is_given_up_at_last_and_at_once_where_it_was_refused(database: Database) -> None:
    dead = Phone([TransientError("no network")] * MOST_ATTEMPTS)
    channels = through(database, sms=dead)
    leave(database, "x")
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        done = deliver(database, channels, now)
        now += LONGEST_PAUSE
    assert done.failed == 1
    row = database.fetch_one("SELECT status, error FROM notifications WHERE channel = 'sms'")
    assert row == {"status": "failed", "error": "given up after 8 attempts: no network"}
    refusing = Phone([PermanentError("no such number")])
    channels = through(database, other=refusing)
    leave(database, "y", at=NOW)
    assert deliver(database, channels, NOW).failed == 1


def test_above_the_limit_warnings_are_held_back_and_counted_and_alarms_wait(database: Database) -> None:
    phone = Phone()
    channels = through(database, per_hour=2, sms=phone)
    for name in "abcd":
        leave(database, name)
    leave(database, "e", "critical")
    done = deliver(database, channels, NOW)
    assert (done.sent, done.held_back, done.put_off) == (2, 3, 0)
    assert [subject[-1] for subject, _ in phone.got] == ["e", "a"]
    leave(database, "f", "critical", NOW + timedelta(minutes=1))
    assert deliver(database, channels, NOW + timedelta(minutes=1)).put_off == 1
    assert deliver(database, channels, NOW + timedelta(minutes=59)).sent == 0
    assert deliver(database, channels, NOW + timedelta(minutes=61)).sent == 1
    assert "3 messages before this one were held back by the limit of 2 an hour" in phone.got[-1][1]


def test_several_at_once_send_each_message_once(database: Database) -> None:
    phone = Phone()
    channels = through(database, sms=phone)
    for number in range(30):
        leave(database, f"n{number}")
    threads = [threading.Thread(target=deliver, args=(database, channels, NOW)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    deliver(database, channels, NOW)
    assert sorted(subject for subject, _ in phone.got) == sorted(f"Stonks Oracle: n{n}" for n in range(30))


def test_a_message_whose_sender_died_is_sent_again(database: Database) -> None:
    class DiedError(BaseException):
        """A kill."""

    phone = Phone([DiedError()])  # type: ignore[list-item]
    channels = through(database, sms=phone)
    leave(database, "x", "critical")
    with suppress(DiedError):
        deliver(database, channels, NOW)
    assert deliver(database, channels, NOW + timedelta(minutes=1)).sent == 0, "it may still be under way"
    assert deliver(database, channels, NOW + LONGEST_PAUSE).sent == 1
    assert states(database, "sms") == [("x", "sent")]


def test_without_a_channel_nothing_is_copied(database: Database) -> None:
    leave(database, "x", "critical")
    assert deliver(database, {}, NOW).sent == 0
    assert len(database.fetch("SELECT * FROM notifications")) == 1


@given(st.integers(1, 30))
def test_pauses_grow_and_end(attempts: int) -> None:
    assert pause_after(attempts) <= pause_after(attempts + 1) <= LONGEST_PAUSE
