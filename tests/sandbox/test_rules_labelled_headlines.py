"""How well the rules judge each company of a labelled headline, set by set.

All headlines were written for these tests, in the style of Indian, British and American business news. `development`
and `held_out` were split before anything was tuned, and `held_out` was only measured while the other sets were learnt
from. Each set was measured when it was new, before anything was learnt from it; macro-F1 then was: second 0.77, third
0.79, fourth 0.77, fifth 0.68, sixth 0.77, held_out 0.88, fresh 0.88. `last` was written after the last change to the
rules and nothing was learnt from it: its 0.87 (0.90 of 93 judged right) is the honest figure.
"""

from collections.abc import Sequence

import pytest

from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.document import extract_document
from tests.sandbox.headline_score import Judged, accuracy, judge_all, macro_f1, read_headlines

LEAST = {
    "development": (0.95, 0.94),
    "held_out": (0.94, 0.92),
    "second": (0.94, 0.91),
    "third": (0.94, 0.88),
    "fourth": (0.95, 0.93),
    "fifth": (0.85, 0.73),
    "sixth": (0.94, 0.93),
    "fresh": (0.94, 0.92),
    "last": (0.88, 0.84),
}


def _sentiments(text: str, names: Sequence[str]) -> dict[str, float]:
    companies = [Company(f"E{number}", (name,)) for number, name in enumerate(names)]
    answer = extract_document(Document(text=text), companies)
    assert all(record["quote"] in text for record in answer["impacts"])
    return {names[int(record["ticker"][1:])]: record["sentiment"] for record in answer["impacts"]}


def _judged(name: str) -> list[Judged]:
    return judge_all(read_headlines(name), _sentiments)


@pytest.mark.parametrize("name", LEAST)
def test_companies_of_a_headline_are_judged_as_labelled(name: str) -> None:
    judged = _judged(name)
    right, score = LEAST[name]
    assert accuracy(judged) >= right
    assert macro_f1(judged) >= score


def test_opposite_fortunes_in_one_headline_are_told_apart() -> None:
    conflicting = [one for name in LEAST for one in _judged(name) if one.headline.conflicting]
    unseen = [one for one in _judged("last") if one.headline.conflicting]
    assert len(conflicting) >= 200
    assert accuracy(conflicting) >= 0.93
    assert accuracy(unseen) >= 0.8


def test_the_opposite_of_the_label_is_rarely_said() -> None:
    judged = [one for name in LEAST for one in _judged(name)]
    assert len(judged) >= 1000
    assert sum(one.truth * one.said < 0 for one in judged) <= 0.02 * len(judged)


def test_every_set_has_all_three_labels() -> None:
    for name in LEAST:
        assert {one.truth for one in _judged(name)} == {-1, 0, 1}
