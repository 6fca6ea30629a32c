"""`stonks notifications`: the channels, what was said lately, and a message to try a channel with, sent by this process."""

from datetime import datetime
from typing import Any

from stonks_core.errors import NotFoundError
from stonks_core.notifications.channels import channels_of
from stonks_core.notifications.delivery import ensure_channels
from stonks_core.stores.opening import Stores

NEWEST = 20


def try_channel(stores: Stores, name: str, now: datetime) -> None:
    """Send a message through a channel now; NotFoundError where the settings name no such channel, else as it fails."""
    channels = channels_of(stores.settings.notifying)
    if name not in channels:
        there = ", ".join(channels) or "none: set TRADING_SNS_*, TRADING_GMAIL_* or TRADING_NOTIFY_URLS"
        raise NotFoundError(f"the settings name no channel {name}; they name {there}")
    channels[name].send("Stonks Oracle: a message to try this channel", f"Sent at {now:%Y-%m-%d %H:%M:%S} UTC.")


def overview(stores: Stores, now: datetime) -> dict[str, Any]:
    """The channels as they are set up, and the newest messages."""
    settings = stores.settings.notifying
    channels = channels_of(settings)
    ensure_channels(stores.database, channels, settings, now)
    rows = stores.database.fetch(
        "SELECT channel, enabled, severity, per_hour FROM notification_channels ORDER BY channel"
    )
    messages = stores.database.fetch(
        """
        SELECT at, channel, severity, subject, status, error FROM notifications ORDER BY id DESC LIMIT %s
        """,
        (NEWEST,),
    )
    return {"channels": [{**row, "configured": row["channel"] in channels} for row in rows], "messages": messages}
