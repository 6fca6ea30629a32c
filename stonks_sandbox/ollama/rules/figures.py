"""Figures: amounts compared in a sentence, and the key rows of a table of results."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stonks_sandbox.ollama.rules.data.filing_items import CHANGE_WORDS, EXPECTED_WORDS, KEY_ROWS, PRIOR_WORDS
from stonks_sandbox.ollama.rules.data.moves import BAD

_AMOUNT = (
    r"(?:a |an )?(?:net )?(?P<{0}loss>loss of |deficit of )?\(?-?[$€£₹](?P<{0}open>\(?-?)\s?(?P<{0}>\d[\d,]*(?:\.\d+)?)\)?"
    r"(?:\s?(?P<{0}unit>trillion|billion|bn|million|mn|m|b|thousand|crore)\b)?"
)
_VERSUS = (
    r"(?:compared (?:to|with)|versus|vs\.?|against|from|up from|down from|above|below|topping|beating|missing|ahead of"
    r"|short of|better than|worse than)"
)
_COMPARED = re.compile(
    _AMOUNT.format("now")
    + r"(?P<middle>[^.;$€£₹]{0,70}?)\b(?P<versus>"
    + _VERSUS
    + r")\s(?P<owner>[^.;$€£₹\d]{0,50})"
    + _AMOUNT.format("then")
    + r"(?P<after>.{0,60})",
    re.IGNORECASE,
)
_UNITS = {
    "trillion": 1e12,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "million": 1e6,
    "mn": 1e6,
    "m": 1e6,
    "thousand": 1e3,
    "crore": 1e7,
}
_EXPECTED = re.compile(EXPECTED_WORDS, re.IGNORECASE)
_PRIOR = re.compile(PRIOR_WORDS, re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(loss|losses|expenses?|costs?|charges?|debt|revenues?|sales|income|earnings|profit|eps|dividends?|per share|margin)\b",
    re.IGNORECASE,
)
_ROWS = tuple((name, re.compile(pattern + r"[*†\d()\s]*", re.IGNORECASE), weight) for name, pattern, weight in KEY_ROWS)
_CELL_NUMBER = re.compile(
    r"^[$€£]?\s*(?P<open>\(|-|–)?\s*[$€£]?(?P<number>\d[\d,]*(?:\.\d+)?)\)?\s*(?P<unit>billion|million|%)?\s*\)?$",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?P<word>up|down|increased?|decreased?)\s+(?P<percent>\d[\d,.]*)\s*(?P<unit>%|percent)", re.IGNORECASE
)
_YEAR = re.compile(r"\b(?:FY\s?)?(?:20(\d\d)|(?<=FY)(\d\d))\b", re.IGNORECASE)
_GROWTH_SCALE = {"revenue": 12.0, "operating income": 25.0, "net income": 25.0, "eps": 25.0}


@dataclass(frozen=True)
class Figure:
    """A comparison found at [start, end) of the text: `value` in [-1, 1]; `surprise` means against expectations."""

    start: int
    end: int
    value: float
    weight: float
    surprise: bool


def compared_amounts(text: str) -> Iterator[Figure]:
    """Amounts set against expectations or an earlier period in a sentence; offsets are the sentence's own."""
    for match in _COMPARED.finditer(text):
        now, then = _amount(match, "now"), _amount(match, "then")
        context = match.group("owner") + " " + match.group("after") + " " + match.group("middle")
        surprise = _EXPECTED.search(context) is not None
        if then == 0 or not (surprise or _PRIOR.search(context) or match.group("versus").lower() != "from"):
            continue
        change = 100.0 * (now - then) / abs(then)
        if abs(change) > 2000 or change == 0.0:
            continue
        sign = -1.0 if _is_bad(text, match) else 1.0
        if surprise:
            value = sign * math.copysign(0.55 + 0.3 * (1.0 - math.exp(-abs(change) / 5.0)), change)
            yield Figure(match.start(), match.end("then"), value, 1.4, True)
        else:
            yield Figure(match.start(), match.end("then"), sign * math.tanh(change / 25.0) * 0.8, 0.9, False)


def _amount(match: re.Match[str], side: str) -> float:
    number = float(match.group(side).replace(",", ""))
    unit = match.group(f"{side}unit") or match.group("thenunit" if side == "now" else "nowunit") or ""
    negative = bool(match.group(f"{side}open")) or bool(match.group(f"{side}loss"))
    return (-1.0 if negative else 1.0) * number * _UNITS.get(unit.lower(), 1.0)


def _is_bad(text: str, match: re.Match[str]) -> bool:
    """Whether the amounts are of a quantity that had better be small (unless the amounts carry the loss themselves)."""
    if match.group("nowloss") or match.group("thenloss"):
        return False
    names = _SUBJECT.findall(text[max(0, match.start() - 80) : match.start()])
    word = names[-1].lower() if names else ""
    return word in {"loss", "losses"} or word.rstrip("s") in {name.rstrip("#") for name in BAD}


@dataclass(frozen=True)
class RowGrowth:
    """What a key row of a results table says: which figure, its growth in percent, and its value in [-1, 1]."""

    name: str
    percent: float
    value: float
    weight: float
    line: int


def table_growth(lines: Sequence[tuple[str, bool]]) -> list[RowGrowth]:
    """The first readable row of each key figure; `lines` are (line, whether it is a table row) in order.

    The columns' order comes from the last line with two or more years above the row: the newer year is now. A change
    written into the row itself ("up 10%") is believed before that.
    """
    found: dict[str, RowGrowth] = {}
    newest_first, columns = True, 2
    for number, (line, is_row) in enumerate(lines):
        years = [int(a or b) for a, b in _YEAR.findall(line)]
        if len(years) >= 2 and len(line) < 220 and not line.rstrip().endswith("."):
            newest_first, columns = _columns(years)
        if not is_row:
            continue
        cells = [cell.strip() for cell in re.split(r"\s\|\s|\t", line) if cell.strip()]
        name, weight = _key(cells[0]) if cells else ("", 0.0)
        if not name or name in found:
            continue
        percent = _row_change(line, cells[1:], newest_first, columns)
        if percent is not None and abs(percent) <= 3000:
            value = math.tanh(percent / _GROWTH_SCALE[name]) * 0.8
            found[name] = RowGrowth(name, percent, value, weight, number)
    return list(found.values())


def _columns(years: Sequence[int]) -> tuple[bool, int]:
    """Whether the newer period stands first, and which column holds the same period a year before."""
    newest_first = years[0] >= years[1]
    prior = next((at for at, year in enumerate(years) if year == years[0] - 1), 1)
    if newest_first and years[0] == years[1]:
        prior = next((at for at, year in enumerate(years) if year < years[0]), 1)
    return newest_first, prior + 1 if newest_first else 2


def _key(label: str) -> tuple[str, float]:
    bare = label.strip(" :*").removeprefix("•").strip()
    if len(bare) > 70:
        return "", 0.0
    for name, pattern, weight in _ROWS:
        if pattern.fullmatch(bare):
            return name, weight
    return "", 0.0


def _row_change(line: str, cells: Sequence[str], newest_first: bool, columns: int) -> float | None:
    stated = list(_CHANGE.finditer(line))
    if stated:
        last = stated[-1] if columns > 2 else stated[0]
        return CHANGE_WORDS[last.group("word").lower()] * float(last.group("percent").replace(",", "").rstrip("."))
    amounts = _amounts(cells)
    if len(amounts) < max(2, columns):
        return None
    now, then = (amounts[0], amounts[columns - 1]) if newest_first else (amounts[1], amounts[0])
    return 100.0 * (now - then) / abs(then) if then else None


def _amounts(cells: Sequence[str]) -> list[float]:
    """The amounts of a row, without percentages; a lone dollar sign belongs to the next cell."""
    found: list[float] = []
    for at, cell in enumerate(cells):
        match = _CELL_NUMBER.match(cell)
        if match is None or match.group("unit") == "%" or (at + 1 < len(cells) and cells[at + 1] in {"%", ")%"}):
            continue
        sign = -1.0 if match.group("open") else 1.0
        unit = (match.group("unit") or "").lower()
        found.append(sign * float(match.group("number").replace(",", "")) * _UNITS.get(unit, 1.0))
    return found
