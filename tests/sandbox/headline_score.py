"""Labelled headlines written for these tests, and how well a judgement of each company in them agrees with the label.

A line of a file is a headline whose companies stand in brackets, each followed by its label: + good, - bad, 0 neither.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "headlines"
LABELS = {"+": 1, "-": -1, "0": 0}
LEAST = 0.1  # of sentiment, below which a record says nothing
_NAMED = re.compile(r"\[([^\]]+)\]([+0-])")


@dataclass(frozen=True)
class Headline:
    """A headline with the label of every company that it names."""

    text: str
    labels: dict[str, int]

    @property
    def conflicting(self) -> bool:
        """Whether it is good news for one company and bad news for another."""
        return {1, -1} <= set(self.labels.values())


@dataclass(frozen=True)
class Judged:
    """One company of a headline: what the label says and what was said."""

    headline: Headline
    name: str
    truth: int
    said: int


def read_headlines(name: str) -> list[Headline]:
    """The headlines of a file in the folder `headlines`."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        labels = {match.group(1): LABELS[match.group(2)] for match in _NAMED.finditer(line)}
        found.append(Headline(_NAMED.sub(r"\1", line), labels))
    return found


def judge_all(
    headlines: Iterable[Headline], sentiments: Callable[[str, Sequence[str]], dict[str, float]]
) -> list[Judged]:
    """Each company of each headline judged; `sentiments` gives a number by name, one left out is neutral."""
    judged = []
    for headline in headlines:
        given = sentiments(headline.text, tuple(headline.labels))
        for name, truth in headline.labels.items():
            value = given.get(name, 0.0)
            said = 0 if abs(value) < LEAST else (1 if value > 0 else -1)
            judged.append(Judged(headline, name, truth, said))
    return judged


def macro_f1(judged: Sequence[Judged]) -> float:
    """The mean F1 of the three classes."""
    scores = []
    for label in (-1, 0, 1):
        hit = sum(1 for one in judged if one.truth == one.said == label)
        named = sum(1 for one in judged if one.said == label) + sum(1 for one in judged if one.truth == label)
        scores.append(2 * hit / named if named else 0.0)
    return sum(scores) / len(scores)


def accuracy(judged: Sequence[Judged]) -> float:
    """The share judged right."""
    return sum(one.truth == one.said for one in judged) / len(judged)
