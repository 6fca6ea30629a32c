"""The SEC's list of tickers, company_tickers.json: read from its bytes, laid beside what is tracked, taken over.

EDGAR writes share classes with a hyphen (BRK-B), vendors and brokers with a point (BRK.B): the two count as the same ticker.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from stonks_core.errors import BadFieldsError, BadInputError
from stonks_core.registry.companies import add_company, change_company
from stonks_core.registry.editing import Edit
from stonks_core.registry.entries import Cik, CompanyChange, Entry, Name, NewCompany, Ticker

_CLASS = re.compile(r"-([A-Z])$")
MOST_TOLD = 20


class Filer(Entry):
    """One row of the list."""

    model_config = ConfigDict(extra="ignore")
    cik_str: Cik
    ticker: Ticker
    title: Name


@dataclass(frozen=True)
class TickerImport:
    """What came of it: tickers added, tracked ones filled in, and names of ours that EDGAR writes in another way."""

    listed: int
    added: tuple[str, ...]
    filled: tuple[str, ...]
    differing: tuple[dict[str, Any], ...]

    def told(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def read_tickers(body: bytes) -> dict[str, Filer]:
    """The list by ticker as EDGAR writes it, the first where one stands twice. Raises BadInputError naming each bad row."""
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"company_tickers.json is no JSON: {error}") from error
    if not isinstance(rows, dict) or not rows:
        raise BadInputError(
            'company_tickers.json must be an object such as {"0": {"cik_str": 1, "ticker": "A", "title": "A"}}'
        )
    try:
        filers = TypeAdapter(dict[str, Filer]).validate_python(rows)
    except ValidationError as error:
        told = error.errors(include_url=False)[:MOST_TOLD]
        raise BadFieldsError((f"row {', '.join(map(str, one['loc']))}", str(one["msg"])) for one in told) from error
    found: dict[str, Filer] = {}
    for filer in filers.values():
        found.setdefault(filer.ticker, filer)
    return found


def import_tickers(
    edit: Edit, filers: Mapping[str, Filer], wanted: Collection[str] = (), *, everyone: bool = False
) -> TickerImport:
    """Fill in the CIK and legal name that tracked companies lack, and add those asked for, or everyone.

    A legal name counts as lacking where it is only the ticker. What is there and differs is told, not changed.
    """
    rows = edit.connection.execute(
        "SELECT ticker, legal_name, cik, version FROM companies WHERE valid_to = 'infinity' ORDER BY ticker"
    ).fetchall()
    by_key = {_key(ticker): filer for ticker, filer in filers.items()}
    tracked = {_key(row["ticker"]) for row in rows}
    filled, differing = [], []
    for row in rows:
        filer = by_key.get(_key(row["ticker"]))
        if filer is None:
            continue
        lacking = _lacking(row, filer)
        if lacking:
            change_company(edit, row["ticker"], CompanyChange(**lacking), row["version"])
            filled.append(row["ticker"])
        theirs = {"legal_name": filer.title, "cik": filer.cik_str}
        other = {k: {"ours": row[k], "edgar": v} for k, v in theirs.items() if k not in lacking and row[k] != v}
        if other:
            differing.append({"ticker": row["ticker"], **other})
    asked = {_spelling(ticker): ticker for ticker in filers} if everyone else {}
    asked |= {name: name for name in wanted}
    if unknown := [name for name in asked if _key(name) not in by_key]:
        raise BadFieldsError(("tickers", f"EDGAR's list does not know {name}") for name in unknown)
    added = []
    for name in sorted(asked):
        filer = by_key[_key(name)]
        if _key(name) not in tracked:
            add_company(edit, NewCompany(ticker=name, legal_name=filer.title, cik=filer.cik_str))
            tracked.add(_key(name))
            added.append(name)
    return TickerImport(len(filers), tuple(added), tuple(filled), tuple(differing))


def _lacking(row: Mapping[str, Any], filer: Filer) -> dict[str, Any]:
    lacking: dict[str, Any] = {}
    if row["cik"] is None:
        lacking["cik"] = filer.cik_str
    if row["legal_name"] == row["ticker"] != filer.title:
        lacking["legal_name"] = filer.title
    return lacking


def _key(ticker: str) -> str:
    return ticker.replace(".", "-")


def _spelling(ticker: str) -> str:
    return _CLASS.sub(r".\1", ticker)
