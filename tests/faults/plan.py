"""What goes wrong on the way, and when: a seed decides for each address and each time that it is asked."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

NEWS = "/polygon/v2/reference/news"


class Fault(StrEnum):
    """One way in which a vendor's answer goes wrong."""

    BUSY = "429 with Retry-After"
    BUSY_BARE = "429, empty"
    FORBIDDEN = "403"
    BROKEN = "500"
    GATEWAY = "502 with a page"
    RESET = "connection reset"
    SILENT = "no answer"
    TRUNCATED = "shorter than its Content-Length"
    CUT = "JSON cut in the middle, of the right length"
    EMPTY = "200, empty"
    UNCHANGED = "304 unasked"
    SHUFFLED = "pages and their results in another order"
    REPEATED = "results and a page given twice"
    CIRCLE = "a next page that is the page itself"


SAID: Mapping[Fault, str] = {
    Fault.BUSY: "answered 429", Fault.BUSY_BARE: "answered 429", Fault.FORBIDDEN: "answered 403",
    Fault.BROKEN: "answered 500", Fault.GATEWAY: "answered 502", Fault.RESET: "did not answer",
    Fault.SILENT: "did not answer", Fault.TRUNCATED: "did not answer", Fault.CUT: "is not JSON",
    Fault.EMPTY: "empty", Fault.UNCHANGED: "answered 304", Fault.CIRCLE: "in a circle",
}  # fmt: skip
"""What must be said of each; the two that are missing are borne without a word, for nothing is lost by them."""
BORNE = frozenset({Fault.BUSY, Fault.BUSY_BARE, Fault.BROKEN, Fault.GATEWAY, Fault.RESET, Fault.TRUNCATED, Fault.EMPTY})
"""Over at the next attempt."""
FELT = frozenset({Fault.FORBIDDEN, Fault.UNCHANGED, Fault.CUT})
"""End the question; the next poll must make good."""
LISTS = (Fault.SHUFFLED, Fault.REPEATED, Fault.CIRCLE)


@dataclass
class Plan:
    """The chances of each kind of fault. The same seed and the same questions give the same faults, in any timing."""

    seed: int
    borne: float = 0.2
    felt: float = 0.03
    silent: float = 0.004
    listing: float = 0.3
    asked: Counter[str] = field(default_factory=Counter)

    def next(self, url: str, *, is_json: bool) -> Fault | None:
        """The fault of this question, or None."""
        path = urlsplit(url).path
        self.asked[path] += 1
        draw = random.Random(f"{self.seed}:{path}:{self.asked[path]}")
        chance = draw.random()
        for kinds, share in ((sorted(BORNE), self.borne), (sorted(FELT), self.felt), ([Fault.SILENT], self.silent)):
            if chance < share:
                fault = draw.choice(kinds)
                return Fault.BROKEN if fault is Fault.CUT and not is_json else fault
            chance -= share
        if path == NEWS and "cursor=" not in url and draw.random() < self.listing:
            return draw.choice(LISTS)
        return None


def calm() -> Plan:
    """Nothing goes wrong."""
    return Plan(0, 0.0, 0.0, 0.0, 0.0)
