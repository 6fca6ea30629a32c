"""A universe named by people: a list of tickers, or a table of constituents such as the S&P 500's. Pure."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stonks_core.errors import BadInputError
from stonks_core.vocabulary import SECTORS

TICKER = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,11}")
PEERS = 5
_NAMES: Mapping[str, tuple[str, ...]] = {
    "ticker": ("symbol", "ticker"),
    "name": ("security", "name", "company", "legal_name"),
    "sector": ("gics sector", "sector"),
    "industry": ("gics sub-industry", "industry", "sub_industry"),
    "cik": ("cik",),
}
"""The headings that a column may have, in small letters."""


@dataclass(frozen=True)
class Constituent:
    """One company of a named universe; what its table does not say is empty."""

    ticker: str
    name: str = ""
    sector: str = ""
    industry: str = ""
    cik: int | None = None


def named(tickers: str) -> list[Constituent]:
    """Companies out of tickers, separated by commas or spaces. Raises BadInputError naming each word that is none."""
    words = [word.upper() for word in re.split(r"[\s,;]+", tickers) if word]
    if bad := [word for word in words if not TICKER.fullmatch(word)]:
        raise BadInputError(f"{', '.join(bad[:5])} cannot be tickers: give them as AAPL, BRK.B")
    if not words:
        raise BadInputError("no ticker was named: give some as AAPL, MSFT")
    return [Constituent(ticker) for ticker in dict.fromkeys(words)]


def tabled(text: str, where: str) -> list[Constituent]:
    """Companies out of a CSV table with a heading: Symbol, and where they are there Security, GICS Sector,
    GICS Sub-Industry and CIK.

    Raises BadInputError naming `where`, and each line that is wrong.
    """
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    headings = {(heading or "").strip().lower(): heading for heading in rows.fieldnames or ()}
    columns = {
        field: next((headings[name] for name in names if name in headings), None) for field, names in _NAMES.items()
    }
    if columns["ticker"] is None:
        raise BadInputError(f"{where} has no column Symbol or ticker: its first line must name its columns")
    found: dict[str, Constituent] = {}
    problems: list[str] = []
    for number, row in enumerate(rows, 2):
        values = {field: (row.get(column) or "").strip() if column else "" for field, column in columns.items()}
        problem = _problem(values)
        if problem:
            problems.append(f"line {number}: {problem}")
            continue
        cik = int(values["cik"]) if values["cik"] else None
        ticker = values["ticker"].upper()
        found.setdefault(ticker, Constituent(ticker, values["name"], values["sector"], values["industry"], cik))
    if problems:
        raise BadInputError(f"{where} cannot be taken: {'; '.join(problems[:5])}")
    if not found:
        raise BadInputError(f"{where} names no company")
    return list(found.values())


def _problem(values: Mapping[str, str]) -> str:
    if not TICKER.fullmatch(values["ticker"].upper()):
        return f"{values['ticker'][:20]!r} cannot be a ticker"
    if values["cik"] and not (values["cik"].isdecimal() and int(values["cik"]) > 0):
        return f"the CIK of {values['ticker']} is {values['cik'][:20]!r}, which is no number above zero"
    if values["sector"] and values["sector"] not in SECTORS:
        return f"the sector of {values['ticker']} is {values['sector'][:40]!r}; sectors are {', '.join(SECTORS)}"
    return ""


def peers(industry: Mapping[str, str], by_size: Sequence[str], most: int = PEERS) -> dict[str, tuple[str, ...]]:
    """Each company's peers: at most so many of its own industry, those nearest to it in size.

    `by_size` lists tickers, largest first; those that are missing in it come last. A company of an unknown industry
    has none.
    """
    rank = {ticker: place for place, ticker in enumerate(by_size)}
    groups: dict[str, list[str]] = defaultdict(list)
    for ticker in sorted(industry, key=lambda name: (rank.get(name, len(rank)), name)):
        groups[industry[ticker]].append(ticker)
    return {
        ticker: tuple(_nearest(groups[industry[ticker]], ticker, most)) if industry[ticker] else ()
        for ticker in industry
    }


def _nearest(group: Sequence[str], ticker: str, most: int) -> Iterable[str]:
    place = group.index(ticker)
    others = [(abs(n - place), n, other) for n, other in enumerate(group) if other != ticker]
    return (other for _, _, other in sorted(others)[:most])
