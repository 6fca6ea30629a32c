"""Reading the prompt contract: fenced blocks of the last user message. What stands inside a document is data.

The nonce of the first opening fence is the only one that counts; a document cannot know it, so whatever
fence it imitates stays text.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_OPENING = re.compile(r"^(COMPANIES|DOCUMENT|THESIS) (\S+)[ \t]*$", re.MULTILINE)
_FIELD = re.compile(r"(title|published|text):[ \t]?(.*)")


@dataclass(frozen=True)
class Company:
    """A company that the prompt asks about: its ticker and the names it goes by."""

    ticker: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """The document under judgement: a title and its publication instant (both may be empty), and the text verbatim."""

    title: str = ""
    published: str = ""
    text: str = ""


@dataclass(frozen=True)
class PromptBlocks:
    """Everything that the fences of a message hold; an absent block is empty."""

    companies: tuple[Company, ...] = ()
    document: Document = field(default_factory=Document)
    thesis: str = ""


def read_blocks(message: str) -> PromptBlocks:
    """The fenced blocks of a message; blocks that are missing or were cut away come out empty."""
    first = _OPENING.search(message)
    if first is None:
        return PromptBlocks()
    nonce = first.group(2)
    companies = _block(message, "COMPANIES", nonce)
    document = _block(message, "DOCUMENT", nonce)
    thesis = _block(message, "THESIS", nonce)
    return PromptBlocks(_companies(companies), _document(document), thesis.strip("\n"))


def _block(message: str, name: str, nonce: str) -> str:
    """The lines between a block's fences; without a closing fence everything after the opening one."""
    opening = re.search(rf"^{name} {re.escape(nonce)}[ \t]*$\n?", message, re.MULTILINE)
    if opening is None:
        return ""
    closing = re.compile(rf"^END {name} {re.escape(nonce)}[ \t]*$", re.MULTILINE)
    end = closing.search(message, opening.end())
    return message[opening.end() : end.start() if end else len(message)]


def _companies(block: str) -> tuple[Company, ...]:
    """The list of companies; entries that are not of the agreed shape are left out."""
    try:
        rows: Any = json.loads(block)
    except ValueError:
        return ()
    found: dict[str, Company] = {}
    for row in rows if isinstance(rows, list) else []:
        ticker = row.get("ticker") if isinstance(row, dict) else None
        if not isinstance(ticker, str) or not ticker or ticker in found:
            continue
        names = row.get("names")
        usable = [name for name in names if isinstance(name, str) and name] if isinstance(names, list) else []
        found[ticker] = Company(ticker, tuple(usable))
    return tuple(found.values())


def _document(block: str) -> Document:
    """Header lines up to `text:`, then the text to the end. Without a `text:` line the block is the text."""
    header: dict[str, str] = {}
    position = 0
    while position < len(block):
        end = block.find("\n", position)
        end = len(block) if end < 0 else end
        line = _FIELD.fullmatch(block[position:end])
        if line is None or line.group(1) in header:
            break
        if line.group(1) == "text":
            rest = line.group(2)
            text = (rest + block[end:]) if rest else block[end + 1 :]
            return Document(header.get("title", ""), header.get("published", ""), text.removesuffix("\n"))
        header[line.group(1)] = line.group(2).strip()
        position = end + 1
    return Document(header.get("title", ""), header.get("published", ""), block[position:].removesuffix("\n"))
