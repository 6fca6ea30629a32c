"""Who is next at the model: three documents, then one macro report, for as long as both wait. Pure."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
DOCUMENTS_PER_REPORT = 3


def take_turns(documents: Iterable[Item], reports: Iterable[Item], then: Iterable[Item] = ()) -> Iterator[Item]:
    """Every item once: of each four one report while both last, then what is left of either, then the rest.

    Lazy: an item is drawn when it is its turn, so that what is known by then decides whether there still is one.
    """
    waiting, rare = iter(documents), iter(reports)
    both = True
    while both:
        drawn = 0
        for item in waiting:
            yield item
            drawn += 1
            if drawn == DOCUMENTS_PER_REPORT:
                break
        both = drawn == DOCUMENTS_PER_REPORT
        for item in rare:
            yield item
            break
        else:
            both = False
    yield from waiting
    yield from rare
    yield from then
