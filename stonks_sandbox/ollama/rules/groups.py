"""Companies named side by side in a sentence, and what stands before and behind them. Who is meant is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from stonks_sandbox.ollama.rules.companies import Mention
from stonks_sandbox.ollama.rules.data.wordset import words

_JOINERS = frozenset({",", "and", "&", "or", "/", "(", ")", ":", "plus", "'s", "both", "nasdaq", "nyse", "the", "$"})
_OBLIQUE = words(
    """
    by at from with against versus vs than over unlike like including alongside via to into about
    """
)
_CAUSAL = frozenset({"on", "after", "amid", "for"})  # what follows is a cause or a purpose, not who acts
_MODIFIED = words(
    """
    supplier suppliers rival rivals partner partners customer competitor competitors peer peers backed
    owned parent investor shareholder lender vendor contractor maker user users style killer
    alternative analyst
    """
)


@dataclass(frozen=True)
class Group:
    """Companies named side by side, `Apple, Microsoft and Google`; [start, end) are tokens."""

    start: int
    end: int
    tickers: tuple[str, ...]
    oblique: bool
    modifier: bool
    causal: bool = False
    owning: bool = False
    acted_on: bool = False


def groups_of(words: Sequence[str], mentions: Sequence[Mention]) -> list[Group]:
    """Mentions joined where nothing but commas and `and` stands between them."""
    runs: list[list[Mention]] = []
    for mention in mentions:
        gap = words[runs[-1][-1].end : mention.start] if runs else ()
        if runs and len(gap) <= 4 and all(word in _JOINERS for word in gap) and ":" not in gap[:1]:
            runs[-1].append(mention)
        else:
            runs.append([mention])
    return [_group(words, run) for run in runs]


def _group(words: Sequence[str], run: Sequence[Mention]) -> Group:
    start, end = run[0].start, run[-1].end
    before = words[start - 1] if start else ""
    if before in {"the", "rival", "peer", "$"} and start > 1:
        before = words[start - 2]
    after = words[end] if end < len(words) else ""
    owning = after == "'s"
    if owning and end + 1 < len(words):
        after = words[end + 1]
    tickers = tuple(dict.fromkeys(mention.ticker for mention in run))
    return Group(start, end, tickers, before in _OBLIQUE, after in _MODIFIED, before in _CAUSAL, owning)
