"""Splits and dividends in the vendors' shapes, and the row of each. Pure.

Polygon lists `results`; Alpaca lists objects by type under `corporate_actions`, a stock dividend among them, which is a
split of 1 : 1 + rate. Spin-offs, mergers and unit splits are not read: no ratio of prices follows from them alone.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stonks_assets.ingestion.bar_shapes import SANDBOX_HEADER
from stonks_core.prices.adjusting import DIVIDEND, SPLIT

Row = dict[str, Any]
_SPLITS = ("forward_splits", "reverse_splits")
_STOCK_DIVIDENDS = "stock_dividends"
_CASH = "cash_dividends"


@dataclass(frozen=True)
class BadAction:
    """An entry that could not be read: whose (or `?`), and why."""

    ticker: str
    sentence: str


def corporate_actions(body: Mapping[str, Any], raw: Mapping[str, Any], kind: str) -> Iterator[Row | BadAction]:
    """The rows of a payload of `splits` or `dividends` (`kind`), without their clocks."""
    sandbox = SANDBOX_HEADER in json.loads(raw["response_headers"] or "{}")
    provider = "alpaca" if "corporate_actions" in body else "polygon"
    for entry in _polygon(body, kind) if provider == "polygon" else _alpaca(body, kind):
        if isinstance(entry, dict):
            yield {**entry, "provider": "sandbox" if sandbox else provider, "raw_sha256": raw["sha256"]}
        else:
            yield entry


def _polygon(body: Mapping[str, Any], kind: str) -> Iterator[Row | BadAction]:
    for entry in _listed(body.get("results")):
        yield _read(_polygon_split if kind == "splits" else _polygon_dividend, entry, "ticker")


def _alpaca(body: Mapping[str, Any], kind: str) -> Iterator[Row | BadAction]:
    listed = body["corporate_actions"] if isinstance(body["corporate_actions"], dict) else {}
    readers = (
        {**dict.fromkeys(_SPLITS, _alpaca_split), _STOCK_DIVIDENDS: _alpaca_stock_dividend}
        if kind == "splits"
        else {_CASH: _alpaca_dividend}
    )
    for name, reader in readers.items():
        for entry in _listed(listed.get(name)):
            yield _read(reader, entry, "symbol")


def _listed(value: Any) -> list[Any]:
    """A list; nothing stands for none, and what is no list is one entry that cannot be read."""
    return value if isinstance(value, list) else [value] if value else []


def _read(reader: Any, entry: Any, named: str) -> Row | BadAction:
    ticker = str(entry.get(named) or "?") if isinstance(entry, dict) else "?"
    try:
        row: Row = reader(entry)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        said = f"a corporate action of {ticker} lacks a part or has one that cannot be ({error!r}): {str(entry)[:160]}"
        return BadAction(ticker, said)
    return row


def _polygon_split(entry: Mapping[str, Any]) -> Row:
    return _split(entry, entry["ticker"], entry["execution_date"], entry["split_from"], entry["split_to"])


def _alpaca_split(entry: Mapping[str, Any]) -> Row:
    return _split(entry, entry["symbol"], entry["ex_date"], entry["old_rate"], entry["new_rate"])


def _alpaca_stock_dividend(entry: Mapping[str, Any]) -> Row:
    return _split(entry, entry["symbol"], entry["ex_date"], 1, 1 + _above_zero(entry["rate"]))


def _split(entry: Mapping[str, Any], ticker: Any, ex_date: Any, before: Any, after: Any) -> Row:
    old, new = _above_zero(before), _above_zero(after)
    terms = f"{old:g}:{new:.12g}"
    return {
        **_entry(entry, ticker, SPLIT, ex_date, terms),
        "split_from": old,
        "split_to": new,
        "cash_amount": None,
        "currency": None,
        "dividend_type": None,
    }


def _polygon_dividend(entry: Mapping[str, Any]) -> Row:
    kind = str(entry.get("dividend_type") or "")
    return _dividend(entry, (entry["ticker"], entry["ex_dividend_date"], entry["cash_amount"]), kind)


def _alpaca_dividend(entry: Mapping[str, Any]) -> Row:
    kind = "special" if entry.get("special") else "regular"
    return _dividend(entry, (entry["symbol"], entry["ex_date"], entry["rate"]), kind)


def _dividend(entry: Mapping[str, Any], paid: tuple[Any, Any, Any], kind: str) -> Row:
    ticker, ex_date, amount = paid[0], paid[1], _above_zero(paid[2])
    currency = str(entry.get("currency") or "USD").upper()
    return {
        **_entry(entry, ticker, DIVIDEND, ex_date, f"{amount:.12g} {currency}"),
        "split_from": None,
        "split_to": None,
        "cash_amount": amount,
        "currency": currency,
        "dividend_type": kind or None,
    }


def _entry(entry: Mapping[str, Any], ticker: Any, kind: str, ex_date: Any, terms: str) -> Row:
    if not isinstance(ticker, str) or not ticker:
        raise ValueError("it names no ticker")
    day = date.fromisoformat(str(ex_date)).isoformat()
    return {
        "day": day,
        "ticker": ticker,
        "kind": kind,
        "ex_date": day,
        "action_id": str(entry.get("id") or entry.get("dividend_type") or kind),
        "terms": terms,
        "declared_on": _date(entry.get("declaration_date")),
        "record_on": _date(entry.get("record_date")),
        "pay_on": _date(entry.get("pay_date") or entry.get("payable_date")),
    }


def _date(value: Any) -> str | None:
    """A date as given; one that is none is not worth losing the action for."""
    try:
        return date.fromisoformat(str(value)).isoformat() if value else None
    except ValueError:
        return None


def _above_zero(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise ValueError(f"{value!r} is not above zero")
    return number
