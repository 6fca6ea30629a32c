"""Numbers in a model's own words: one that the document does not have is an invention. Pure.

`12,000`, `12000` and `12 thousand` are the same number; a rounded one is not the document's.
"""

import re

_SCALES = {
    **dict.fromkeys(("thousand", "k"), 3),
    **dict.fromkeys(("million", "mn", "m"), 6),
    **dict.fromkeys(("billion", "bn", "b"), 9),
    **dict.fromkeys(("trillion", "tn", "t"), 12),
}
_NUMBER = re.compile(
    rf"(?<![\w.])(?:\$|\N{{EURO SIGN}}|\N{{POUND SIGN}})?(\d+(?:,\d{{3}})*(?:\.\d+)?)(?:[\s-]?({'|'.join(_SCALES)})\b)?",
    re.IGNORECASE,
)
_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_SPELLED = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)


def invented_numbers(words: str, text: str) -> tuple[str, ...]:
    """The numbers written in digits in `words` that occur nowhere in `text`, as they are written, in order."""
    written = list(_NUMBER.finditer(words))
    if not written:
        return ()
    plain, scaled = _numbers(text)
    return tuple(
        dict.fromkeys(
            match.group().strip() for match in written if _plain(match) not in plain and _scaled(match) not in scaled
        )
    )


def _numbers(text: str) -> tuple[set[str], set[str]]:
    """The digits of all numbers of a text, without their scale and with it; small counts may be spelled."""
    found = list(_NUMBER.finditer(text))
    spelled = {str(_WORDS.index(word.lower())) for word in _SPELLED.findall(text)}
    return {_plain(match) for match in found if not match[2]} | spelled, {_scaled(match) for match in found} | spelled


def _plain(match: re.Match[str]) -> str:
    """The digits without separators and idle zeros; with a scale, nothing, as `4` is not in `4 billion`."""
    return "" if match[2] else _canonical(match[1], 0)


def _scaled(match: re.Match[str]) -> str:
    return _canonical(match[1], _SCALES[match[2].lower()] if match[2] else 0)


def _canonical(digits: str, power: int) -> str:
    whole, _, part = digits.replace(",", "").partition(".")
    whole += part[:power].ljust(power, "0")
    part = part[power:].rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{part}" if part else whole
