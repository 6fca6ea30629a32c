"""What word lists make of a text: the baselines that a reading of documents must beat. Pure.

`vader` is VADER (Hutto and Gilbert, 2014), a general lexicon with rules for negation and emphasis. `words` counts words that
are good or bad news in filings, our own short list in the manner of Loughran and McDonald (2011), whose lists may not be
passed on: (good - bad) / (good + bad).
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

from stonks_cli.score.reactions import Opinion

LONGEST = 200_000
_SENTENCE = re.compile(r"[^.!?\n]+")
_WORD = re.compile(r"[a-z]+")
_LEAST_LETTERS = 20
"""A piece with fewer characters is a cell or a heading, and no sentence."""
_DAMPER = 5
"""Words with a sign at which the count's confidence is two thirds of the way to 1."""


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


GOOD = _listed(
    """
    accelerate accelerated achieve achieved benefit benefited best better boost boosted efficient enhance enhanced exceed
    exceeded excellent exceptional expand expanded expansion favorable gain gained gains good great greater grew grow growing
    growth highest improve improved improvement improvements increase increased increases innovation leader leading milestone
    momentum opportunities opportunity outperform outstanding positive profitability profitable progress raise raised raising
    record rebound resilient rewarded robust solid strength strengthen strengthened strong stronger strongest succeed success
    successful successfully surpass surpassed up upgrade upside win winning won
    """
)
BAD = _listed(
    """
    abandon adverse adversely against breach bankruptcy challenge challenges challenging charge charges claim claims closed
    closure concern concerns cut cuts damage damages decline declined declines decrease decreased decreases default defect
    deficiency delay delayed delays deteriorate deteriorated difficult difficulties disappointed disappointing disruption
    disruptions downgrade downturn down fail failed failure fall fell fine fines fraud halted headwind headwinds impairment
    impairments inability investigation lawsuit layoff layoffs litigation lose losing loss losses lower miss missed negative
    negatively penalties penalty problem problems reduced reduction recall resign resigned restructuring severance shortfall
    slow slowdown slower soft softness strike suspend suspended terminate terminated uncertain uncertainty unfavorable
    violation volatile weak weaker weakness worse worst writedown
    """
)


def words(text: str) -> Opinion:
    """The balance of good and bad words; no opinion where neither occurs. The more of them, the surer."""
    found = _WORD.findall(text[:LONGEST].lower())
    good, bad = sum(word in GOOD for word in found), sum(word in BAD for word in found)
    told = good + bad
    return Opinion((good - bad) / told, told / (told + _DAMPER)) if told else Opinion(0.0, 0.0)


def vader(text: str) -> Opinion:
    """The mean compound score of the sentences, which over a whole text would be 1 or -1 by its length alone.

    Its confidence is the share of the sentences that have a score.
    """
    pieces = [piece.strip() for piece in _SENTENCE.findall(text[:LONGEST])]
    scores = [_compound()(piece) for piece in pieces if len(piece) >= _LEAST_LETTERS]
    if not scores:
        return Opinion(0.0, 0.0)
    return Opinion(sum(scores) / len(scores), sum(score != 0 for score in scores) / len(scores))


def always_up(text: str) -> Opinion:
    """That the price will do better than the others, whatever was filed."""
    del text
    return Opinion(1.0, 1.0)


def baselines() -> dict[str, Callable[[str], Opinion]]:
    """Every baseline by name; without VADER where it is not installed."""
    found: dict[str, Callable[[str], Opinion]] = {"words": words, "always up": always_up}
    if find_spec("vaderSentiment") is not None:
        found["vader"] = vader
    return found


@cache
def _compound() -> Callable[[str], float]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415  a development extra

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])
