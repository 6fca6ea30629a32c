"""What parsing costs and finds, beside the libraries that could stand in for it, in the same run.

Pages and their gold texts come from a folder, or are made here where there is none. Peers that are not installed are
named with what to install; nothing fails for them.
"""

import json
import random
import re
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

from stonks_assets.parsing.duplicates import Member, assign_clusters, fingerprint
from stonks_assets.parsing.html import all_text, main_text, parse_tree
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_cli.bench.measuring import MB, machine, measured
from stonks_cli.root import PROJECT
from stonks_core.errors import StonksError

SEED = 20_240_101
SHARED = PROJECT.parent / "shared" / "data"
TIMED_SECONDS = 1.0  # CPU seconds for which a peer is repeated
OPTIONAL = {"readability": "readability-lxml", "flashtext": "flashtext"}
_TOKEN = re.compile(r"\w+")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SYLLABLES = (
    "or",
    "ion",
    "pet",
    "ra",
    "mar",
    "vel",
    "tan",
    "sol",
    "ky",
    "den",
    "lum",
    "bex",
    "cor",
    "nix",
    "fal",
    "gar",
)
Extract = Callable[[str], str]


@dataclass(frozen=True)
class Ground:
    """What is read: pages with their gold texts, and filed documents."""

    pages: Sequence[tuple[str, str]]
    filings: Sequence[str]

    @classmethod
    def found(cls, articles: Path | None, filings: Path | None) -> "Ground":
        """The pages and filings of two folders; of none named, the shared ones, or made ones where those are absent."""
        pages = _labelled(articles or SHARED / "articles", asked=articles is not None)
        folder = filings or SHARED / "edgar_html"
        if filings is not None and not folder.is_dir():
            raise StonksError(f"{folder} is no folder of filed HTML documents")
        filed = [path.read_text(errors="replace") for path in sorted(folder.glob("*.htm*"))]
        return cls(pages or [_made_page(i) for i in range(20)], filed or [_made_release(i) for i in range(20)])


def run(ground: Ground, names: int, documents: int) -> dict[str, Any]:
    """All sections of the report."""
    warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)  # filings are XHTML, and HTML parsers read them
    return {
        "machine": {**machine(), "pages": len(ground.pages), "filings": len(ground.filings)},
        "pages": _pages(ground.pages),
        "filings": _filings(ground.filings),
        "mentions": _mentions(names),
        "duplicates": _duplicates(documents),
        "missing": [
            {"what": package, "advice": f"pip install {package}"}
            for module, package in OPTIONAL.items()
            if find_spec(module) is None
        ],
    }


def token_f1(gold: str, found: str, size: int = 1) -> float:
    """F1 of the multisets of word tokens, or of shingles of `size` tokens; 1 where both are empty."""
    left, right = _grams(gold, size), _grams(found, size)
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0


def _grams(text: str, size: int) -> Counter[tuple[str, ...]]:
    tokens = _TOKEN.findall(text.lower())
    return Counter(tuple(tokens[i : i + size]) for i in range(max(len(tokens) - size + 1, min(1, len(tokens)))))


def _labelled(folder: Path, *, asked: bool) -> list[tuple[str, str]]:
    """The pages of a folder whose index names a gold text or gold page."""
    index = folder / "index.json"
    if not index.is_file():
        if asked:
            raise StonksError(f"{folder} holds no index.json that names pages and gold texts")
        return []
    pages = []
    for entry in json.loads(index.read_text()):
        gold = folder / entry["gold"]
        if gold.suffix != ".json":
            pages.append(((folder / entry["file"]).read_text(errors="replace"), all_text(gold.read_text())))
    return pages


def _timed(extract: Extract, pages: Sequence[str]) -> dict[str, float]:
    """What one page costs, over as many rounds as fill the time."""
    rounds, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < TIMED_SECONDS or not rounds:
        for page in pages:
            extract(page)
        rounds += 1
    read = rounds * len(pages)
    return {
        "cpu_ms_each": 1000 * spent / read,
        "per_cpu_second": read / spent,
        "mb_per_cpu_second": rounds * sum(len(page.encode("utf-8", "replace")) for page in pages) / MB / spent,
    }


def _beside(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the first one's CPU time divided by each one's."""
    return [{**row, "ours_cpu": rows[0]["cpu_ms_each"] / row["cpu_ms_each"]} for row in rows]


def _pages(pages: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    ways: dict[str, Extract] = {"ours": main_text, "trafilatura": _trafilatura}
    if find_spec("readability") is not None:
        ways["readability-lxml"] = _readability
    ways |= {"BeautifulSoup, all text": _soup, "limit: lxml's tree": _tree}
    rows = []
    for name, extract in ways.items():
        scored = [] if name.startswith("limit") else [(gold, extract(html)) for html, gold in pages]
        rows.append(
            {
                "what": name,
                "f1": _mean([token_f1(gold, text) for gold, text in scored]),
                "f1_shingles": _mean([token_f1(gold, text, 4) for gold, text in scored]),
                **_timed(extract, [html for html, _ in pages]),
            }
        )
    return _beside(rows)


def _filings(filings: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for name, extract in {"ours": _filed, "BeautifulSoup": _soup, "limit: lxml's tree": _tree}.items():
        kept = None if name.startswith("limit") else _mean([_numbers_kept(html, extract(html)) for html in filings])
        rows.append({"what": name, "numbers_kept": kept, **_timed(extract, filings)})
    return _beside(rows)


def _numbers_kept(html: str, text: str) -> float:
    """The share of the numbers that a plain reading with a blank around every cell finds."""
    soup = BeautifulSoup(re.sub(r"(?is)<ix:header.*?</ix:header>", "", html), "lxml")
    for element in soup.find_all(["td", "th", "tr", "p", "div", "br", "li"]):
        element.insert_before(" ")
    for element in soup.find_all(["script", "style", "title"]):
        element.decompose()
    wanted, found = (Counter(_NUMBER.findall(part)) for part in (soup.get_text(), text))
    return (wanted & found).total() / wanted.total() if wanted else 1.0


def _filed(html: str) -> str:
    return all_text(html, slides=True)


def _trafilatura(html: str) -> str:
    import trafilatura  # noqa: PLC0415  as each peer, only where it is measured

    return trafilatura.extract(html, favor_precision=True, include_comments=False) or ""


def _readability(html: str) -> str:
    from readability import Document  # noqa: PLC0415

    return _soup(Document(html).summary())


def _soup(html: str) -> str:
    return BeautifulSoup(html, "lxml").get_text(" ")


def _tree(html: str) -> str:
    parse_tree(html)
    return ""


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _mentions(count: int) -> list[dict[str, Any]]:
    chance = random.Random(SEED)
    names = sorted({_made_name(chance) for _ in range(2 * count)})[:count]
    chance.shuffle(names)
    companies = [CompanyNames(f"ZQ{i}", name) for i, name in enumerate(names)]
    texts = [_made_text(chance, names, words=400) for _ in range(100)]
    size = sum(len(text) for text in texts) / MB
    ways: dict[str, Callable[[], Callable[[str], Sequence[Any]]]] = {
        "ours": lambda: CompanyMatcher(companies).find,
        "one regular expression": lambda: (
            re.compile(
                r"\b(?:" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + r")\b"
            ).findall
        ),
    }
    if find_spec("flashtext") is not None:
        ways["flashtext"] = lambda: _flashtext(names)
    rows = []
    for name, build in ways.items():
        find, built = measured(build)
        begun = time.process_time()
        found = sum(len(find(text)) for text in texts)
        spent = max(time.process_time() - begun, 1e-6)
        rows.append(
            {
                "what": name,
                "names": len(names),
                "build_s": built.cpu,
                "memory_mb": built.memory,
                "found": found,
                "mb_per_cpu_second": size / spent,
                "cpu_ms_each": 1000 * spent / len(texts),
            }
        )
    return _beside(rows)


def _flashtext(names: Sequence[str]) -> Callable[[str], Sequence[Any]]:
    from flashtext import KeywordProcessor  # noqa: PLC0415

    processor = KeywordProcessor(case_sensitive=True)
    for name in names:
        processor.add_keyword(name)
    find: Callable[[str], Sequence[Any]] = processor.extract_keywords
    return find


def _duplicates(count: int) -> list[dict[str, Any]]:
    """A day of stories, each told four times: as it was, with a line cut, with a line added, with a few words changed."""
    chance = random.Random(SEED)
    begun = datetime(2024, 1, 2, tzinfo=UTC)
    texts: list[str] = []
    while len(texts) < count:
        words = _made_text(chance, [], words=250).split()
        changed = [word if chance.random() > 0.03 else _made_name(chance) for word in words]
        texts += [" ".join(version) for version in (words, words[20:], [*words, *words[:10], "update"], changed)]
    texts = texts[: count - count % 4]
    prints, signed = measured(lambda: [fingerprint(text) for text in texts])
    members = [Member(f"d{i}", begun + timedelta(seconds=i), mark) for i, mark in enumerate(prints)]
    assigned, joined = measured(lambda: assign_clusters(members, []))
    right = sum(assigned[f"d{i}"].cluster_id == f"d{i - i % 4}" for i in range(len(texts))) / len(texts)
    clusters = len({each.cluster_id for each in assigned.values()})
    return [
        {
            "what": "signatures",
            "count": len(texts),
            "per_cpu_second": len(texts) / signed.cpu,
            "clusters": "",
            "right": "",
        },
        {
            "what": "clusters",
            "count": len(texts),
            "per_cpu_second": len(texts) / max(joined.cpu, 1e-6),
            "clusters": clusters,
            "right": right,
        },
    ]


def _made_name(chance: random.Random) -> str:
    parts = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))).title() for _ in range(chance.randint(1, 2))]
    return " ".join(parts)


def _made_text(chance: random.Random, names: Sequence[str], words: int) -> str:
    made = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 3))) for _ in range(words)]
    for place in range(9, len(made), 40 if names else len(made)):
        made[place] = chance.choice(names) if names else made[place]
    return " ".join(made)


def _made_page(number: int) -> tuple[str, str]:
    """A page with navigation, teasers and a footer around prose, and the prose."""
    chance = random.Random(SEED + number)
    prose = [_made_text(chance, [], words=60).capitalize() + "." for _ in range(8)]
    links = "".join(f'<li><a href="/{i}">{_made_text(chance, [], words=5)}</a></li>' for i in range(30))
    body = "".join(f"<p>{paragraph}</p>" for paragraph in prose)
    html = (
        f"<html><head><title>Page {number}</title><script>var x = 1;</script></head><body><nav><ul>{links}</ul></nav>"
        f"<article><h1>Page {number}</h1>{body}</article><aside><h3>More stories</h3><ul>{links}</ul></aside>"
        "<footer>All rights reserved</footer></body></html>"
    )
    return html, "\n".join(prose)


def _made_release(number: int) -> str:
    """A release with a table whose currency signs and brackets stand in cells of their own, as filers write them."""
    chance = random.Random(SEED + number)
    row = "<tr><td>{}</td><td>$</td><td>{:,}</td><td>(</td><td>{:,}</td><td>)</td></tr>"
    rows = "".join(
        row.format(_made_name(chance), chance.randint(1, 10**6), chance.randint(1, 10**6)) for _ in range(60)
    )
    return f"<html><body><p>{_made_text(chance, [], words=300)}.</p><table>{rows}</table></body></html>"
