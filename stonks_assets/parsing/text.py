"""Characters and lines: how any text becomes the normalised text whose offsets everything else refers to.

Pure and deterministic across Python versions (the character ranges stand here, not in a Unicode database).
Letters, quotes and dashes stay as they are, so that a quote of the text is a quote of the source.
"""

import re

# Nothing here is seen by a reader: controls, soft hyphen, zero-width and bidirectional characters, variation
# selectors, tags, and surrogates that came alone. They would hide words from matching, or words from people.
_INVISIBLE = (
    *((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C)),
    *((0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
    *((0x3164, 0x3164), (0xD800, 0xDFFF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB)),
    *((0xFFFE, 0xFFFF), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
_STRIP = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _INVISIBLE) + "]+")
_NEWLINE = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[ \t\x1f\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def strip_invisible(text: str) -> str:
    """The text without characters that no reader sees."""
    return _STRIP.sub("", text)


def normalise(text: str) -> str:
    """Normalised text: no invisible characters, single spaces, no blanks at line ends, at most one empty line.

    Line breaks between blocks stay. Normalising twice changes nothing, and the result encodes to UTF-8.
    """
    text = _NEWLINE.sub("\n", strip_invisible(text))
    text = _BLANKS.sub(" ", text)
    lines = "\n".join(line.strip(" ") for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip("\n")


def one_line(text: str) -> str:
    """Normalised text on one line, for titles and names."""
    return " ".join(normalise(text).split())


def words(text: str) -> list[str]:
    """Runs of letters and digits, lowered, in order."""
    return re.findall(r"[^\W_]+", text.lower())
