"""Polygon's envelope: keys, error bodies, cursors and the reading of query arguments."""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response

from stonks_sandbox.world.instants import DAY, from_epoch_ms, midnight_new_york, midnight_utc, parse_instant

PLAYED = {"X-Sandbox": "polygon"}


class PolygonError(Exception):
    """An answer that is an error; `field` is where the vendor puts the text (`error` or `message`)."""

    def __init__(self, status: int, label: str, text: str, field: str = "error") -> None:
        super().__init__(text)
        self.status, self.label, self.text, self.field = status, label, text, field

    def response(self) -> Response:
        """The error as the vendor words it."""
        body = {"status": self.label, "request_id": request_id(), self.field: self.text}
        return Response(orjson.dumps(body), self.status, media_type="application/json")


def request_id() -> str:
    """32 hex digits, new with every answer."""
    return uuid.uuid4().hex


def answer(body: Mapping[str, Any]) -> Response:
    """A successful JSON answer, which says that it is played."""
    return Response(orjson.dumps(body), headers=PLAYED, media_type="application/json")


def bad(text: str) -> PolygonError:
    """400 with a sentence."""
    return PolygonError(400, "ERROR", text)


def authorise(request: Request) -> None:
    """Any key that is not empty opens the door, from `Authorization: Bearer` or `apiKey`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    bearer = key.strip() if scheme.lower() == "bearer" else ""
    if bearer or request.query_params.get("apiKey", "").strip():
        return
    raise PolygonError(
        401, "ERROR", "API Key was not provided. Send it as 'Authorization: Bearer KEY' or as the apiKey parameter."
    )


def whole(text: str | None, name: str, default: int, most: int) -> int:
    """A positive integer argument, cut at `most`."""
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise bad(f"'{name}' must be a positive integer, and {text!r} is not")
    return min(int(text), most)


def choice(text: str | None, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    value = text or default
    if value not in allowed:
        raise bad(f"'{name}' must be one of {', '.join(allowed)}, and {value!r} is not")
    return value


def flag(text: str | None, name: str, *, default: bool) -> bool:
    """A boolean argument."""
    return choice(text, name, "true" if default else "false", ("true", "false")) == "true"


def day_argument(text: str, name: str) -> date:
    """A date such as 2026-11-20."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise bad(f"Could not parse the parameter '{name}': {text!r} is not a date like 2026-11-20") from error


def span_edge(text: str, name: str, *, last: bool, around_the_clock: bool) -> datetime:
    """`from` or `to` of a range: milliseconds since 1970 or a date, whose whole day is meant.

    Returns the first instant of the range, or with `last` the first instant after it.
    """
    if text.lstrip("-").isdigit():
        try:
            at = from_epoch_ms(int(text))
        except OverflowError as error:
            raise bad(f"Could not parse the parameter '{name}': {text!r} lies outside the calendar") from error
        return at + timedelta(milliseconds=1) if last else at
    midnight = midnight_utc if around_the_clock else midnight_new_york
    try:
        return midnight(day_argument(text, name) + (DAY if last else timedelta()))
    except OverflowError as error:
        raise bad(f"Could not parse the parameter '{name}': {text!r} lies outside the calendar") from error


def instant_argument(text: str, name: str) -> tuple[datetime, datetime]:
    """A date or an instant as the half-open range that it means: a whole UTC day, or one microsecond."""
    if len(text) == 10:
        begin = midnight_utc(day_argument(text, name))
        return begin, begin + DAY
    try:
        at = parse_instant(text)
    except ValueError as error:
        raise bad(f"Could not parse the parameter '{name}': {error}") from error
    return at, at + timedelta(microseconds=1)


def encode_cursor(state: Mapping[str, Any]) -> str:
    """A page's place as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(state, sort_keys=True).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> dict[str, Any]:
    """The place that `encode_cursor` wrote; 400 for anything else."""
    try:
        loaded = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise bad("the cursor is damaged: begin again without it") from error
    if not isinstance(loaded, dict):
        raise bad("the cursor is damaged: begin again without it")
    return loaded


def page_url(request: Request, path: str, state: Mapping[str, Any]) -> str:
    """`next_url`: the same path with a cursor and, as with the vendor, without the key."""
    return f"{str(request.base_url).rstrip('/')}/polygon{path}?{urlencode({'cursor': encode_cursor(state)})}"
