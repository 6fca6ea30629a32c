"""The recorded world as the protocol fronts see it: real filings and daily bars, nothing later than the clock."""

import json
import logging
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from stonks_sandbox.world.forms import acceptance
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Action, Article, Bar, Company, Filing, FilingDocument, SandboxClock
from stonks_sandbox.world.recorded.calendar import CALENDAR, Mapping, Sessions
from stonks_sandbox.world.recorded.reading import ACCEPTED, RecordedBar, RecordedFiling, Recording, read_recording

LOG = logging.getLogger(__name__)
DAY_SECONDS = 86_400
BEYOND = timedelta(days=400)
SENTENCES_LOGGED = 20


@dataclass(frozen=True)
class Played:
    """One ticker's bars with the instants at which they are played, in order."""

    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    rows: tuple[RecordedBar, ...]


class RecordedWorld:
    """A recording on a clock. Promises: `stonks_sandbox.world.protocol.World`."""

    kind: Literal["synthetic", "recorded"] = "recorded"
    calendar_name = CALENDAR
    bar_seconds = DAY_SECONDS

    def __init__(self, recording: Recording, clock: SandboxClock, mapping: Mapping, open_hours: Sessions) -> None:
        self.clock = clock
        self.mapping = mapping
        self._hours = open_hours
        self._recording = recording
        self._companies = tuple(recording.companies())
        self._by_ticker = {company.ticker: company for company in self._companies}
        self._played = {ticker: self._play(ticker, rows) for ticker, rows in recording.bars.items()}
        moved = sorted(
            ((mapping.move(filing.accepted_at), filing) for filing in recording.filings),
            key=lambda pair: (pair[0], pair[1].accession),
        )
        self._filed_at = [at for at, _ in moved]
        self._filings = [filing for _, filing in moved]
        self._place = {filing.accession: number for number, filing in enumerate(self._filings)}

    @staticmethod
    def open(folder: Path, clock: SandboxClock, *, mapped: bool, state: Path | None = None) -> "RecordedWorld":
        """Read a folder and put it on a clock: under its own dates, or `mapped` onto the clock's calendar.

        The day on which a mapped recording began is kept in `state`, so that a restart goes on in the same place.
        Raises ValueError with a sentence where the folder cannot be used.
        """
        recording = read_recording(folder)
        for sentence in recording.skipped[:SENTENCES_LOGGED]:
            LOG.warning("%s", sentence)
        if len(recording.skipped) > SENTENCES_LOGGED:
            LOG.warning("%d more such problems in %s", len(recording.skipped) - SENTENCES_LOGGED, folder)
        days = [bar.session for rows in recording.bars.values() for bar in rows]
        sessions = Sessions.between(min(days), max(days))
        if not sessions.days:
            raise ValueError(f"{folder / 'prices_csv'} has no bar on any session of {CALENDAR}")
        today = clock.now().astimezone(NEW_YORK).date()
        if not mapped:
            hours = Sessions.between(min(days) - timedelta(days=30), max(*days, today) + BEYOND)
            return RecordedWorld(recording, clock, Mapping.identity(sessions), hours)
        anchor = _anchor(state, folder, today)
        mapping = Mapping.onto(sessions, anchor)
        return RecordedWorld(recording, clock, mapping, mapping.played)

    def about(self) -> dict[str, Any]:
        """What the health page says of the recording."""
        first, last = self.mapping.recorded.days[0], self.mapping.recorded.days[-1]
        return {
            "recorded_from": str(first),
            "recorded_to": str(last),
            "played_from": str(self.mapping.move_day(first)),
            "played_to": str(self.mapping.move_day(last)),
            "skipped": len(self._recording.skipped),
        }

    def companies(self) -> Sequence[Company]:
        """All companies, by ticker."""
        return self._companies

    def company(self, ticker: str) -> Company | None:
        """One company, or None."""
        return self._by_ticker.get(ticker)

    def bars(self, ticker: str, start: datetime, end: datetime, seconds: int) -> Sequence[Bar]:
        """Daily bars whose session opens in [start, end), oldest first; no finer bars were recorded."""
        if seconds != DAY_SECONDS:
            raise ValueError(f"bars of {seconds} s do not exist here: this recording holds daily bars only")
        played = self._played.get(ticker)
        if played is None:
            return []
        first = bisect_left(played.opens, start)
        last = min(bisect_left(played.opens, end), bisect_right(played.opens, self.clock.now()))
        return [self._bar(played, place) for place in range(first, last)]

    def last_price(self, ticker: str) -> float | None:
        """The open of the running session, or the close of the last one; None before the first."""
        played = self._played.get(ticker)
        if played is None:
            return None
        place = bisect_right(played.opens, self.clock.now()) - 1
        return self._bar(played, place).close if place >= 0 else None

    def next_bar(self, ticker: str, after: datetime) -> Bar | None:
        """The first session's bar that opens strictly after `after`, once it has opened."""
        played = self._played.get(ticker)
        if played is None:
            return None
        place = bisect_right(played.opens, after)
        if place >= len(played.opens) or played.opens[place] > self.clock.now():
            return None
        return self._bar(played, place)

    def is_open(self, at: datetime) -> bool:
        """Whether the exchange is in session at `at`."""
        return self._hours.is_open(at)

    def actions(self) -> Sequence[Action]:
        """None: this world's prices know no splits. `ActedWorld` plays some over it."""
        return ()

    def articles(self, start: datetime, end: datetime) -> Sequence[Article]:
        """None: a recording has filings and no news."""
        del start, end
        return []

    def article_at(self, path: str) -> Article | None:
        """None: a recording has no articles."""
        del path
        return None

    def filings(self, start: datetime, end: datetime, cik: int | None = None) -> Sequence[Filing]:
        """Filings accepted in [start, end) and not after now, oldest first."""
        first = bisect_left(self._filed_at, start)
        last = min(bisect_left(self._filed_at, end), bisect_right(self._filed_at, self.clock.now()))
        return [self._filing(place) for place in range(first, last) if cik is None or self._filings[place].cik == cik]

    def filing(self, accession: str) -> Filing | None:
        """One accepted filing by its accession number with dashes, or None."""
        place = self._place.get(accession)
        if place is None or self._filed_at[place] > self.clock.now():
            return None
        return self._filing(place)

    def _play(self, ticker: str, rows: Sequence[RecordedBar]) -> Played:
        """Bars on days without a session are left out, with a sentence; gaps stay gaps."""
        kept, opens, closes = [], [], []
        for row in rows:
            index = self.mapping.recorded.index(row.session)
            if index is None:
                self._recording.skipped.append(
                    f"{self._recording.folder / 'prices_csv'}: {ticker} has a bar on {row.session}, "
                    f"which is no session of {CALENDAR}; the bar was skipped"
                )
                continue
            place = self.mapping.place(index)
            kept.append(row)
            opens.append(self.mapping.played.opens[place])
            closes.append(self.mapping.played.closes[place])
        return Played(tuple(opens), tuple(closes), tuple(kept))

    def _bar(self, played: Played, place: int) -> Bar:
        row, start = played.rows[place], played.opens[place]
        if self.clock.now() < played.closes[place]:
            return Bar(start, DAY_SECONDS, row.open, row.open, row.open, row.open, 0.0, row.open, 0)
        return Bar(start, DAY_SECONDS, row.open, row.high, row.low, row.close, row.volume, row.vwap, row.trades)

    def _filing(self, place: int) -> Filing:
        row: RecordedFiling = self._filings[place]
        at = self._filed_at[place]
        return Filing(
            accession=row.accession,
            cik=row.cik,
            ticker=row.ticker,
            company=row.company,
            form=row.form,
            accepted_at=at,
            filed=self._moved(row.filed),
            period=self._moved(row.period) if row.period else None,
            items=row.items,
            header=self._header(row, at),
            documents=tuple(
                FilingDocument(document.type, document.filename, document.description, document.file.read_bytes())
                for document in row.documents
            ),
        )

    def _moved(self, day: date) -> date:
        return day if self.mapping.is_identity else self.mapping.move_day(day)

    def _header(self, row: RecordedFiling, at: datetime) -> bytes:
        """Verbatim under its own dates; mapped, the acceptance stamp alone is written anew."""
        if self.mapping.is_identity:
            return row.header
        return ACCEPTED.sub(lambda match: match[1] + acceptance(at).encode(), row.header, count=1)


def _anchor(state: Path | None, folder: Path, today: date) -> date:
    """The day on which this recording was first played from this state folder; today at first."""
    if state is None:
        return today
    file = state / "recording.json"
    name = folder.resolve().name
    if file.exists():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.get("folder") == name:
            return date.fromisoformat(kept["anchor"])
    state.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps({"folder": name, "anchor": str(today)}), encoding="utf-8")
    scratch.replace(file)
    return today
