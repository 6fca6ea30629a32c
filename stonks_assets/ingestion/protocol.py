"""What an adapter promises, and the item it brings."""

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from stonks_assets.ingestion.http import Answer
from stonks_core.registry.universe import Source, Universe


@dataclass(frozen=True)
class RawPart:
    """An answer that belongs to an item: its page, its index, one of its documents. `name` is unique within the item.

    `detail` is what was learnt of it elsewhere than in its own bytes.
    """

    name: str
    kind: str
    answer: Answer
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RawItem:
    """One item as the source gave it: the bytes of one answer, or an exact slice of them (`Answer.slice`).

    `published_at` is the source's own claim, aware UTC. `detail` is what the adapter learnt of the item elsewhere than
    in its bytes; `parts` are committed together with it. `url` is where people read it, the answer's own by default.
    """

    item_id: str
    kind: str
    answer: Answer
    published_at: datetime | None = None
    ticker: str = ""
    url: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    parts: tuple[RawPart, ...] = ()

    @property
    def payload(self) -> bytes:
        """The item's bytes, verbatim."""
        return self.answer.content

    @property
    def size(self) -> int:
        """Bytes of the item with its parts."""
        return len(self.payload) + sum(len(part.answer.content) for part in self.parts)


@dataclass(frozen=True)
class Ask:
    """What a source is asked for: a feed day, as far as `as_of`, for these companies, less what is known already."""

    source: Source
    day: date
    as_of: datetime
    universe: Universe
    known: Callable[[Collection[str]], Set[str]]
    """Those of some item ids that were fetched before, ever; ask for a whole page at once."""
    report: Callable[[str, str], None]
    """(item, sentence): one item failed, the others go on."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """What was remembered of this source: validators of its feed, when it was last listed whole."""
    remember: Callable[[str, str], None] = lambda _, __: None
    """(name, value): kept once everything that was yielded is committed, and only if the source did not fail."""

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
