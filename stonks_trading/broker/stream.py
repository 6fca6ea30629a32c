"""Alpaca's `trade_updates` stream: one connection, from its greeting to its end.

Nothing is replayed after a reconnect: whoever connects sweeps by REST before it trusts what comes. Reconnecting is the
supervisor's business; alpaca-py's own stream client reconnects in silence, which would hide that moment.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from stonks_core.errors import PermanentError, TransientError
from stonks_trading.broker import wire
from stonks_trading.broker.protocol import TradeUpdate

GREETING_SECONDS = 10.0
PING_SECONDS = 10.0
PONG_SECONDS = 30.0


@asynccontextmanager
async def trade_updates(url: str, key: str, secret: str) -> AsyncIterator[AsyncIterator[TradeUpdate]]:
    """An authorised, listening connection; iterating gives the account's events until the connection ends.

    Raises TransientError when it cannot be made or breaks, PermanentError when the key is refused or a frame cannot be
    read.
    """
    try:
        async with connect(
            url, open_timeout=GREETING_SECONDS, ping_interval=PING_SECONDS, ping_timeout=PONG_SECONDS
        ) as socket:
            await _say(socket, {"action": "authenticate", "data": {"key_id": key, "secret_key": secret}})
            answer = await _hear(socket)
            if answer.get("data", {}).get("status") != "authorized":
                raise PermanentError(f"{url} refused the key: check BROKER_API_KEY and BROKER_API_SECRET")
            await _say(socket, {"action": "listen", "data": {"streams": ["trade_updates"]}})
            await _hear(socket)
            yield _events(socket, url)
    except (WebSocketException, OSError, TimeoutError) as error:
        raise TransientError(f"the order stream at {url} broke: {error or type(error).__name__}") from error


async def _events(socket: ClientConnection, url: str) -> AsyncIterator[TradeUpdate]:
    async for frame in socket:
        message = _parsed(frame)
        if message.get("stream") == "trade_updates":
            yield wire.trade_update(message.get("data") or {})
    raise TransientError(f"the order stream at {url} was closed by the other side (another consumer of the key?)")


async def _say(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(json.dumps(message))


async def _hear(socket: ClientConnection) -> dict[str, Any]:
    return _parsed(await socket.recv())


def _parsed(frame: str | bytes) -> dict[str, Any]:
    try:
        message = json.loads(frame)
    except ValueError as error:
        raise PermanentError(f"the order stream sent what is no JSON: {frame[:80]!r}") from error
    return message if isinstance(message, dict) else {}
