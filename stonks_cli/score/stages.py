"""What each stage of the pipeline made of planted events: found or missed, right or wrong. Pure.

- A *planted* effect is a log effect of at least `LEAST_EFFECT` on a ticker; what is smaller but there is *slight*: it is
  not looked for, and what is said of it counts neither way, as a macro event moves every exposed company a little.
- An event is looked for once for each ticker that it planted an effect on. Its own company stands in the row of its
  catalyst, the tickers of a macro event in `macro`, rivals and allies of the company in `echo`.
- It is *found* at a stage when something that stage said of the ticker rests on one of the event's documents, has the
  right sign, and was said within `within` of the first document's publication. Recall is the share found.
- The right sign of an extraction about the event's own company is the sign that its document claims, and where the
  document tells the event itself (a first report, a copy, a filing) its catalyst must be the event's. The right sign of
  all else is that of the planted effect, so that it is wrong to believe a report that was wrong.
- What a stage said is *right* where that sign is right. Else it is wrong: `opposite` where the planted effect has the
  other sign, and without any where the event left that ticker alone, or was a false rumour. Precision is the share right
  of what is not slight. Trends and recommendations are laid to the event of their best supporting evidence, and a ticker, window
  and side upon the same document count once, however often they were said.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from stonks_cli.score.truth import MACRO, TELLING, Event, Told

LEAST_EFFECT = 0.005
LEAST_SENTIMENT = 0.1
"""What is said more weakly than this says nothing, as in the labelled headlines."""
WITHIN = timedelta(hours=24)
ECHO, RUMOUR = "echo", "false rumour"
EXTRACTION = "extraction"
STAGES = (EXTRACTION, "signals", "trends", "recommendations", "calls")
"""In the order of the pipeline. Recommendations are buy, sell or watch, calls those of them that are buy or sell."""


@dataclass(frozen=True)
class Saying:
    """One thing that a stage said of a ticker upon a document; sign 0 says nothing either way.

    `led_at` is when the document was first the best evidence of such a saying, `last_at` when it last was; None where
    it never was. For records and signals all three are the same.
    """

    ticker: str
    sign: int
    source_id: str
    at: datetime
    led_at: datetime | None
    last_at: datetime | None
    catalyst: str = ""
    sentiment: float = 0.0
    impact: float = 0.0
    document_id: str = ""


@dataclass
class Tally:
    """Counts of one row and stage, and the delays from the first publication to what found it."""

    planted: int = 0
    found: int = 0
    said: int = 0
    right: int = 0
    opposite: int = 0
    slight: int = 0
    delays: list[timedelta] = field(default_factory=list)

    @property
    def recall(self) -> float | None:
        """Found of planted, in [0, 1]; None where nothing was planted."""
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Right of what was said and is not slight, in [0, 1]; None where nothing of that kind was said."""
        counted = self.said - self.slight
        return self.right / counted if counted else None

    @property
    def delay_minutes(self) -> float | None:
        """The median delay."""
        return median(delay.total_seconds() for delay in self.delays) / 60 if self.delays else None

    def add(self, other: "Tally") -> None:
        """Take another row's counts in."""
        self.planted, self.found = self.planted + other.planted, self.found + other.found
        self.said, self.right = self.said + other.said, self.right + other.right
        self.opposite, self.slight = self.opposite + other.opposite, self.slight + other.slight
        self.delays += other.delays


@dataclass(frozen=True)
class Miss:
    """A planted effect that a stage did not find, with what it said instead of it, for a person to look at."""

    stage: str
    row: str
    event: Event
    ticker: str
    effect: float
    said: tuple[Saying, ...]


@dataclass(frozen=True)
class StageScore:
    """A stage's tallies by row, and what it missed."""

    rows: Mapping[str, Tally]
    misses: tuple[Miss, ...]


class Planted:
    """The events to be found, with the ways to them from documents."""

    def __init__(self, events: Sequence[Event], least: float = LEAST_EFFECT) -> None:
        self.events = tuple(events)
        self._least = least
        self.by_document: dict[str, tuple[Event, Told]] = {
            told.source_id: (event, told) for event in events for told in event.documents
        }

    def effect(self, event: Event, ticker: str) -> float:
        """The planted log effect; 0 where it counts as none."""
        value = event.effects.get(ticker, 0.0)
        return value if abs(value) >= self._least else 0.0

    def slight(self, event: Event, ticker: str) -> bool:
        """Whether the event moves the ticker by less than what is looked for."""
        return 0 < abs(event.effects.get(ticker, 0.0)) < self._least

    def pairs(self) -> Iterable[tuple[Event, str, float]]:
        """Every event with each ticker that it planted an effect on."""
        for event in self.events:
            for ticker in event.effects:
                if value := self.effect(event, ticker):
                    yield event, ticker, value


def row_of(event: Event, ticker: str) -> str:
    """The row of the report that an event stands in, as far as a ticker is concerned."""
    if event.rumour:
        return RUMOUR
    if event.kind == MACRO:
        return MACRO
    return event.catalyst if ticker == event.ticker else ECHO


def score_stage(stage: str, planted: Planted, sayings: Iterable[Saying], within: timedelta = WITHIN) -> StageScore:
    """The recall and precision of a stage, by row. What rests on documents of no event looked for is left out."""
    rows: dict[str, Tally] = {}
    of_event: dict[tuple[str, str], list[Saying]] = {}
    for saying in sayings:
        if saying.source_id not in planted.by_document or not saying.sign:
            continue
        event, told = planted.by_document[saying.source_id]
        of_event.setdefault((event.event_id, saying.ticker), []).append(saying)
        if saying.led_at is not None:
            tally = rows.setdefault(row_of(event, saying.ticker), Tally())
            tally.said += 1
            tally.right += _right(stage, planted, saying, event, told)
            tally.opposite += saying.sign * planted.effect(event, saying.ticker) < 0
            tally.slight += planted.slight(event, saying.ticker) and not _by_its_claim(stage, saying, event)
    misses = []
    for event, ticker, value in planted.pairs():
        tally = rows.setdefault(row_of(event, ticker), Tally())
        tally.planted += 1
        said = of_event.get((event.event_id, ticker), [])
        hits = [one.at for one in said if _right(stage, planted, one, *planted.by_document[one.source_id])]
        first = min((told.published_at for told in event.documents), default=event.at)
        if hits and min(hits) - first <= within:
            tally.found += 1
            tally.delays.append(max(timedelta(), min(hits) - first))
        else:
            misses.append(Miss(stage, row_of(event, ticker), event, ticker, value, tuple(said)))
    return StageScore(rows, tuple(misses))


def _right(stage: str, planted: Planted, saying: Saying, event: Event, told: Told) -> bool:
    if event.rumour:
        return False
    if _by_its_claim(stage, saying, event):
        named = saying.catalyst == event.catalyst or told.role not in TELLING
        return named and saying.sign == event.claim_of(told)
    return saying.sign * planted.effect(event, saying.ticker) > 0


def _by_its_claim(stage: str, saying: Saying, event: Event) -> bool:
    """Whether what was said is judged by what the document claims, whatever is true."""
    return stage == EXTRACTION and event.kind != MACRO and saying.ticker == event.ticker


def total(rows: Mapping[str, Tally], *, company_only: bool = False) -> Tally:
    """All rows as one; with `company_only` without macro events, echoes and false rumours."""
    whole = Tally()
    for name, tally in rows.items():
        if not (company_only and name in {MACRO, ECHO, RUMOUR}):
            whole.add(tally)
    return whole
