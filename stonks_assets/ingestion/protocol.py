"""What an adapter promises, and the item it brings."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from stonks_core.registry.universe import Source, Universe


@dataclass(frozen=True)
class RawItem:
    """One item as the source gave it. `published_at` is the source's own claim, aware UTC."""

    item_id: str
    kind: str
    url: str
    payload: bytes
    media_type: str
    fetched_at: datetime
    published_at: datetime | None = None
    ticker: str = ""
    http_status: int = 200
    response_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """What a source is asked for: a feed day, as far as `as_of`, for these companies, less what is known already."""

    source: Source
    day: date
    as_of: datetime
    universe: Universe
    known: Set[str]
    report: Callable[[str, str], None]  # (item, sentence): one item failed, the others go on

    @property
    def tickers(self) -> tuple[str, ...]:
        """The source's company, or every tracked one where it belongs to none."""
        return (self.source.ticker,) if self.source.ticker else tuple(self.universe.companies)


class Adapter(Protocol):
    """Speaks one vendor's protocol.

    `fetch` yields the items of the asked feed day that are not known, oldest first where the source has an order, none
    of them published after `as_of`. An item that cannot be read is reported and left for the next time. When the source
    itself fails it raises TransientError or PermanentError: an empty answer always means that there was nothing.
    """

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """The items of one source and day."""
        ...
