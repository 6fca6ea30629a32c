"""The synthetic market's truth as the sandbox records it: events, their effects, their documents. Read here and nowhere else.

No part of the pipeline may import this or open the file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from stonks_core.errors import StonksError

CONTRADICTION, DENIAL = "contradiction", "denial"
TELLING = frozenset({"origin", "copy", "filing"})
"""The roles of documents that tell the event itself; the others speak of it, or hint at something."""
MACRO, FALSE_RUMOUR = "macro", "false_rumour"
UNDISPUTED = "none"


@dataclass(frozen=True)
class Told:
    """A document of an event: the id that its source gives it, what it is to the event, and when it was published."""

    source_id: str
    role: str
    published_at: datetime


@dataclass(frozen=True)
class Event:
    """One happening. `claimed` is the sign that the first report gives it, `effects` the true log effects by ticker."""

    event_id: str
    kind: str
    at: datetime
    ticker: str | None
    catalyst: str
    claimed: int
    effects: Mapping[str, float]
    dispute: str = UNDISPUTED
    jump_share: float = 1.0
    drift: timedelta = timedelta(days=1)
    documents: tuple[Told, ...] = field(default_factory=tuple)

    @property
    def rumour(self) -> bool:
        """Whether nothing of it is true."""
        return self.kind == FALSE_RUMOUR

    def claim_of(self, document: Told) -> int:
        """The sign that a document gives the event: contradictions and denials say the opposite of the first report."""
        return -self.claimed if document.role in {CONTRADICTION, DENIAL} else self.claimed

    def to_come(self, ticker: str, at: datetime) -> float:
        """The part of the log effect on a ticker that its price has not taken at `at`: it jumps, then drifts in.

        (1 - jump share) * (1 - u) ** 2 of it, with u the share of the drift's time that has gone; nothing before the event.
        """
        if at < self.at:
            return 0.0
        gone = min(1.0, (at - self.at) / self.drift)
        return self.effects.get(ticker, 0.0) * (1.0 - self.jump_share) * (1.0 - gone) ** 2


def read_truth(file: Path) -> list[Event]:
    """All recorded events, by time; StonksError where the file is not there or a line of it is none of the sandbox's."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return list(_events(lines))
    except FileNotFoundError:
        raise StonksError(
            f"{file} is not there: only a synthetic sandbox records what it planted; start one with `make up`, "
            "and score a real market's filings with `stonks score-filings`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StonksError(
            f"the truth in {file} cannot be read ({type(error).__name__}: {error}): start the sandbox anew to have it rewritten"
        ) from error


def _events(lines: list[str]) -> Iterator[Event]:
    for line in lines:
        if line.strip():
            yield _event(json.loads(line))


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        event_id=row["event_id"],
        kind=row["kind"],
        at=datetime.fromisoformat(row["at"]),
        ticker=row["ticker"],
        catalyst=row["catalyst"],
        claimed=int(row["claimed_sign"]),
        effects={ticker: float(value) for ticker, value in row["effects"].items()},
        dispute=row["dispute"],
        jump_share=float(row["jump_share"]),
        drift=timedelta(hours=max(float(row["drift_hours"]), 1 / 60)),
        documents=tuple(
            Told(told["id"], told["role"], datetime.fromisoformat(told["published_at"])) for told in row["documents"]
        ),
    )
