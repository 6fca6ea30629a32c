"""Reading a recording's folder: `filings.jsonl`, `edgar/TICKER/ACCESSION/*` and `prices_csv/*.csv`.

What cannot be read is either refused for the whole folder (a part is missing) or skipped with a sentence that names
file and line (a row is malformed); nothing is guessed.
"""

import csv
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stonks_sandbox.world.forms import item_number
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Company
from stonks_sandbox.world.recorded.industries import sector_of

REQUIRED = ("edgar", "filings.jsonl", "prices_csv")
COLUMNS = ("date", "volume", "open", "close", "high", "low")
ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
ACCEPTED = re.compile(rb"(<ACCEPTANCE-DATETIME>)(\d{14})")
FIELD = re.compile(r"^\s*([A-Z][A-Z ]+):[ \t]*(.*?)\s*$", re.MULTILINE)
INDUSTRY = re.compile(r"^(.*?)\s*\[(\d{4})\]$")


@dataclass(frozen=True)
class RecordedBar:
    """One session's row; prices in dollars, volume in shares."""

    session: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    trades: int


@dataclass(frozen=True)
class RecordedDocument:
    """A document on disk; its bytes are read when it is asked for."""

    type: str
    filename: str
    description: str
    file: Path


@dataclass(frozen=True)
class RecordedFiling:
    """A filing as recorded: acceptance in UTC by the header, the header's bytes verbatim."""

    accession: str
    ticker: str
    company: str
    cik: int
    sic_code: str
    sic_description: str
    form: str
    accepted_at: datetime
    filed: date
    period: date | None
    items: tuple[str, ...]
    header: bytes
    documents: tuple[RecordedDocument, ...]


@dataclass
class Recording:
    """Everything of a folder, with a sentence for each thing that was skipped."""

    folder: Path
    filings: list[RecordedFiling] = field(default_factory=list)
    bars: dict[str, list[RecordedBar]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def companies(self) -> list[Company]:
        """By ticker: names and industries from the newest header, peers by the first two digits of the industry."""
        known: dict[str, RecordedFiling] = {}
        for filing in sorted(self.filings, key=lambda row: row.accepted_at):
            known[filing.ticker] = filing
        built = []
        for ticker in sorted(set(known) | set(self.bars)):
            if ticker not in known:
                built.append(Company(ticker=ticker, name=ticker, cik=None, exchange="XNYS"))
                continue
            filing = known[ticker]
            peers = tuple(
                other
                for other, row in sorted(known.items())
                if other != ticker and filing.sic_code and row.sic_code[:2] == filing.sic_code[:2]
            )
            built.append(
                Company(
                    ticker=ticker,
                    name=filing.company,
                    cik=filing.cik,
                    exchange="XNYS",
                    sic_code=filing.sic_code,
                    sic_description=filing.sic_description,
                    sector=sector_of(filing.sic_code),
                    peers=peers,
                )
            )
        return built


def read_recording(folder: Path) -> Recording:
    """Read a folder; ValueError with a sentence where a required part is missing or nothing in it can be used."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: name a recording with {', '.join(REQUIRED)} in it")
    missing = [name for name in REQUIRED if not (folder / name).exists()]
    if missing:
        raise ValueError(
            f"{folder} is no recording: it lacks {' and '.join(missing)} (needed are {', '.join(REQUIRED)})"
        )
    recording = Recording(folder)
    _read_prices(recording)
    _read_filings(recording)
    if not recording.bars:
        first = f"; the first problem: {recording.skipped[0]}" if recording.skipped else ""
        raise ValueError(f"{folder / 'prices_csv'} holds no usable price file{first}")
    return recording


def _number(row: dict[str, str | None], name: str, *, least: float = 0.0) -> float:
    text = row.get(name)
    try:
        value = float(text or "")
    except ValueError as error:
        raise ValueError(f"{name} is {text!r} and no number") from error
    if not math.isfinite(value) or value < least:
        raise ValueError(f"{name} is {text!r} and must be finite and at least {least:g}")
    return value


def _bar(row: dict[str, str | None]) -> RecordedBar:
    try:
        session = date.fromisoformat((row.get("date") or "")[:10])
    except ValueError as error:
        raise ValueError(f"date is {row.get('date')!r} and does not begin with a date like 2024-01-17") from error
    opened, close = _number(row, "open", least=1e-9), _number(row, "close", least=1e-9)
    high, low = _number(row, "high", least=1e-9), _number(row, "low", least=1e-9)
    if high < max(opened, close, low) or low > min(opened, close):
        raise ValueError(f"high {high} and low {low} do not enclose open {opened} and close {close}")
    volume = _number(row, "volume")
    return RecordedBar(
        session=session,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        vwap=_number(row, "vw") if row.get("vw") else close,
        trades=int(_number(row, "n")) if row.get("n") else 0,
    )


def _read_prices(recording: Recording) -> None:
    for file in sorted((recording.folder / "prices_csv").glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.DictReader(source)
            absent = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if absent:
                recording.skipped.append(f"{file}, line 1: the column {absent[0]} is missing; the file was skipped")
                continue
            by_session: dict[date, RecordedBar] = {}
            for row in reader:
                try:
                    bar = _bar(row)
                except ValueError as error:
                    recording.skipped.append(f"{file}, line {reader.line_num}: {error}; the row was skipped")
                    continue
                if bar.session in by_session:
                    recording.skipped.append(
                        f"{file}, line {reader.line_num}: {bar.session} occurs twice; the second row was skipped"
                    )
                    continue
                by_session[bar.session] = bar
        if by_session:
            ticker = file.name.removesuffix(".csv").removesuffix("_polygon_daily")
            recording.bars[ticker] = [by_session[session] for session in sorted(by_session)]


def _fields(header: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in FIELD.findall(header.decode("utf-8", "replace")):
        found.setdefault(name.strip(), []).append(value)
    return found


def _day(text: str) -> date | None:
    digits = text.replace("-", "")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if re.fullmatch(r"\d{8}", digits) else None


def _header(folder: Path, accession: str) -> tuple[bytes, datetime]:
    file = folder / f"{accession}.hdr.sgml"
    if not file.is_file():
        raise ValueError(f"the header {file.name} is missing in {folder}")
    header = file.read_bytes()
    stamp = ACCEPTED.search(header)
    if stamp is None:
        raise ValueError(f"{file} has no ACCEPTANCE-DATETIME")
    local = datetime.strptime(stamp[2].decode(), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    return header, local.astimezone(UTC)


def _documents(folder: Path, row: dict[str, Any], recording: Recording, place: str) -> tuple[RecordedDocument, ...]:
    found = []
    for entry in row.get("documents") or []:
        name = str(entry.get("filename", ""))
        file = folder / name
        if not name or Path(name).name != name or not file.is_file():
            recording.skipped.append(f"{place}: the document {name!r} is not in {folder}; the filing lacks it")
            continue
        kind = str(entry.get("type", ""))
        found.append(RecordedDocument(kind, name, str(entry.get("description") or kind), file))
    return tuple(found)


def _filing(recording: Recording, row: dict[str, Any], place: str) -> RecordedFiling:
    ticker, accession = str(row.get("ticker") or ""), str(row.get("accession") or "")
    if not ticker or not ACCESSION.fullmatch(accession):
        raise ValueError(f"ticker {ticker!r} or accession {accession!r} is missing or malformed")
    relative = Path(str(row.get("dir") or f"{ticker}/{accession}"))
    if relative.is_absolute() or ".." in relative.parts:
        raise ValueError(f"dir {str(relative)!r} leads out of the recording")
    folder = recording.folder / "edgar" / relative
    header, accepted_at = _header(folder, accession)
    fields = _fields(header)

    def first(name: str, fallback: object = "") -> str:
        return fields[name][0] if fields.get(name) else str(fallback or "")

    cik = first("CENTRAL INDEX KEY", row.get("cik"))
    if not cik.isdigit():
        raise ValueError(f"neither the header nor the row has a CIK for {accession}")
    industry = INDUSTRY.match(first("STANDARD INDUSTRIAL CLASSIFICATION", row.get("sic")))
    titles = fields.get("ITEM INFORMATION") or [str(item) for item in row.get("items") or []]
    documents = _documents(folder, row, recording, place)
    if not documents:
        raise ValueError(f"no document of {accession} is in {folder}")
    return RecordedFiling(
        accession=accession,
        ticker=ticker,
        company=first("COMPANY CONFORMED NAME", row.get("company")) or ticker,
        cik=int(cik),
        sic_code=industry[2] if industry else "",
        sic_description=industry[1] if industry else "",
        form=first("CONFORMED SUBMISSION TYPE", row.get("form")) or "8-K",
        accepted_at=accepted_at,
        filed=_day(first("FILED AS OF DATE", row.get("filed"))) or accepted_at.astimezone(NEW_YORK).date(),
        period=_day(first("CONFORMED PERIOD OF REPORT", row.get("period"))),
        items=tuple(item_number(title) for title in titles),
        header=header,
        documents=documents,
    )


def _row(line: str) -> dict[str, Any]:
    row = json.loads(line)
    if isinstance(row, dict):
        return row
    raise ValueError("the line is no JSON object")


def _read_filings(recording: Recording) -> None:
    file = recording.folder / "filings.jsonl"
    seen: set[str] = set()
    with file.open(encoding="utf-8") as source:
        for number, line in enumerate(source, start=1):
            place = f"{file}, line {number}"
            if not line.strip():
                continue
            try:
                filing = _filing(recording, _row(line), place)
            except (ValueError, OSError) as error:
                recording.skipped.append(f"{place}: {error}; the filing was skipped")
                continue
            if filing.accession in seen:
                recording.skipped.append(f"{place}: {filing.accession} occurs twice; the second was skipped")
                continue
            seen.add(filing.accession)
            recording.filings.append(filing)
    recording.filings.sort(key=lambda filing: (filing.accepted_at, filing.accession))
