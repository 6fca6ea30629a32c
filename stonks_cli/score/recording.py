"""A recording's filings and prices, as `stonks replay` takes them: each filing as EDGAR's whole submission, prices by session."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from stonks_assets.parsing.filings import parse_header
from stonks_core.calendar import MarketCalendar
from stonks_core.columns import Floats, micros
from stonks_core.errors import BadInputError
from stonks_core.prices.sessions import Sessions

_PRICE_SUFFIX = "_polygon_daily"


@dataclass(frozen=True)
class Filing:
    """One filing: who filed it, when it became public (aware UTC), and its submission with header and documents."""

    ticker: str
    company: str
    accession: str
    accepted_at: datetime
    items: tuple[str, ...]
    submission: bytes


@dataclass(frozen=True)
class Prices:
    """Closes and opens as matrices of (session, ticker) over every session of the calendar; NaN where no bar is."""

    sessions: Sessions
    opens_at: Floats
    open: Floats


def read_filings(folder: Path) -> list[Filing]:
    """The filings of a recording by acceptance; BadInputError that names the line where one cannot be read."""
    listing = folder / "filings.jsonl"
    found = []
    for number, line in enumerate(listing.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                found.append(_filing(folder, json.loads(line)))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise BadInputError(f"{listing}, line {number}: the filing cannot be read: {error}") from error
    return sorted(found, key=lambda filing: (filing.accepted_at, filing.accession))


def _filing(folder: Path, row: Mapping[str, object]) -> Filing:
    ticker, accession = str(row["ticker"]), str(row["accession"])
    place = folder / "edgar" / str(row.get("dir") or f"{ticker}/{accession}")
    head = (place / f"{accession}.hdr.sgml").read_text(encoding="utf-8", errors="replace")
    header = parse_header(head)
    if header.accepted_at is None:
        raise ValueError(f"the header of {accession} does not say when it was accepted")
    parts = [head.split("<DOCUMENT>", 1)[0]]
    documents = row["documents"]
    for document in documents if isinstance(documents, list) else []:
        body = (place / Path(document["filename"]).name).read_text(encoding="utf-8", errors="replace")
        tags = f"<TYPE>{document['type']}\n<FILENAME>{document['filename']}\n<DESCRIPTION>{document.get('description', '')}"
        parts.append(f"<DOCUMENT>\n{tags}\n<TEXT>\n{body}\n</TEXT>\n</DOCUMENT>")
    return Filing(
        ticker=ticker,
        company=header.company or str(row["company"]),
        accession=accession,
        accepted_at=header.accepted_at,
        items=header.items,
        submission="\n".join(parts).encode(),
    )


def read_prices(folder: Path, calendar: MarketCalendar) -> Prices:
    """All prices of a recording. A session of the calendar without a bar stays without one, so that none is bridged."""
    bars = {ticker: rows for ticker, rows in _files(folder / "prices_csv") if rows}
    days = [day for rows in bars.values() for day in rows]
    if not days:
        raise BadInputError(f"{folder / 'prices_csv'} holds no price: it needs CSV files with date, open and close")
    listed = calendar.sessions_between(min(days), max(days))
    tickers = tuple(sorted(bars))
    close, opened = np.full((len(listed), len(tickers)), np.nan), np.full((len(listed), len(tickers)), np.nan)
    for column, ticker in enumerate(tickers):
        for row, session in enumerate(listed):
            if session.day in bars[ticker]:
                opened[row, column], close[row, column] = bars[ticker][session.day]
    ends = np.array([micros(session.close) for session in listed], dtype=np.int64)
    starts = np.array([micros(session.open) for session in listed], dtype=np.int64)
    names = tuple(session.day.isoformat() for session in listed)
    sessions = Sessions(tickers, names, ends, ends, close, np.full(close.shape, np.nan))
    return Prices(sessions, starts.astype(np.float64), opened)


def _files(folder: Path) -> Iterator[tuple[str, dict[date, tuple[float, float]]]]:
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as stream:
            try:
                rows = {date.fromisoformat(row["date"][:10]): _bar(row) for row in csv.DictReader(stream)}
            except (KeyError, ValueError, TypeError) as error:
                raise BadInputError(f"{file} cannot be read as prices with date, open and close: {error}") from error
        yield file.stem.removesuffix(_PRICE_SUFFIX), rows


def _bar(row: Mapping[str, str]) -> tuple[float, float]:
    opened, close = float(row["open"]), float(row["close"])
    if not (math.isfinite(opened) and math.isfinite(close) and opened > 0 and close > 0):
        raise ValueError(f"open {row['open']} or close {row['close']} of {row['date']} is no price")
    return opened, close


def last_instant(prices: Prices) -> datetime:
    """When the last session closed."""
    return datetime.fromtimestamp(int(prices.sessions.ends[-1]) / 1e6, UTC)
