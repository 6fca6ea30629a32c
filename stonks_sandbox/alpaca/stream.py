"""The `trade_updates` stream: who listens, and the conversation on one socket. Nothing is kept for later."""

import asyncio
from typing import Any

import orjson
from fastapi import WebSocket, WebSocketDisconnect

from stonks_sandbox.alpaca.settlement import Change
from stonks_sandbox.alpaca.wire import frame_json

PUSHED_OUT = 1008  # policy violation: another consumer of the same key has taken the place
STREAMS = ("trade_updates",)


class Listener:
    """One connected consumer and the frames that wait for it; None in the queue ends the connection."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.listening = False


class Hub:
    """At most one listener per key: a newcomer pushes the one before it out."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}

    def join(self, key: str, listener: Listener) -> None:
        """Give the key's place to a listener."""
        before = self._listeners.get(key)
        if before is not None and before is not listener:
            before.frames.put_nowait(None)
        self._listeners[key] = listener

    def leave(self, key: str | None, listener: Listener) -> None:
        """Free the key's place, unless someone else has it by now."""
        if key is not None and self._listeners.get(key) is listener:
            del self._listeners[key]

    def publish(self, change: Change) -> None:
        """Queue a change for everyone who listens now."""
        frame = frame_json(change)
        for listener in self._listeners.values():
            if listener.listening:
                listener.frames.put_nowait(frame)

    def close(self) -> None:
        """End every connection."""
        for listener in self._listeners.values():
            listener.frames.put_nowait(None)


def credentials(message: dict[str, Any]) -> str | None:
    """The key of an authentication message, in either of the vendor's two spellings; None where one is missing."""
    data = message.get("data") if isinstance(message.get("data"), dict) else message
    key, secret = (data or {}).get("key_id"), (data or {}).get("secret_key")
    if message.get("action") == "auth":
        key, secret = message.get("key"), message.get("secret")
    return str(key) if key and secret else None


async def serve(socket: WebSocket, hub: Hub) -> None:
    """Talk to one consumer until either side hangs up."""
    await socket.accept()
    listener = Listener()
    writer = asyncio.create_task(_write(socket, listener))
    try:
        await _converse(socket, hub, listener, writer)
    finally:
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _write(socket: WebSocket, listener: Listener) -> None:
    while (frame := await listener.frames.get()) is not None:
        await socket.send_bytes(orjson.dumps(frame))
    await socket.close(PUSHED_OUT, "another connection with this key has been opened")


async def _converse(socket: WebSocket, hub: Hub, listener: Listener, writer: "asyncio.Task[None]") -> None:
    key: str | None = None
    try:
        while not writer.done():
            message = await _receive(socket)
            action = message.get("action")
            if action in {"authenticate", "auth"}:
                key = credentials(message)
                if key is not None:
                    hub.join(key, listener)
                status = "authorized" if key else "unauthorized"
                listener.frames.put_nowait(_authorization(status, "authenticate"))
            elif key is None:
                listener.frames.put_nowait(_authorization("unauthorized", str(action)))
            elif action == "listen":
                wanted = (message.get("data") or {}).get("streams") or []
                streams = [name for name in STREAMS if name in wanted]
                listener.listening = bool(streams)
                listener.frames.put_nowait({"stream": "listening", "data": {"streams": streams}})
    except WebSocketDisconnect:
        return
    finally:
        hub.leave(key, listener)


def _authorization(status: str, action: str) -> dict[str, Any]:
    return {"stream": "authorization", "data": {"status": status, "action": action}}


async def _receive(socket: WebSocket) -> dict[str, Any]:
    """The next message as an object; what is not a JSON object counts as an empty one."""
    event = await socket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code") or 1000)
    raw = event.get("bytes") or event.get("text") or ""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
