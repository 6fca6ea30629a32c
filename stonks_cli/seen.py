"""What the system sees of the documents in a file, and the companies that a file names. No store is needed."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stonks_assets.parsing.files import raw_rows
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import ParsedDocument, parse_raw
from stonks_assets.parsing.payloads import UnreadablePayloadError
from stonks_core.errors import StonksError
from stonks_core.registry.universe import Universe

STDIN = "-"


def matcher_of(file: Path | None, universe: Universe | None) -> CompanyMatcher:
    """The matcher of a file's companies, of a universe's, or of none."""
    if universe is not None:
        return CompanyMatcher(CompanyNames(c.ticker, c.legal_name, c.aliases) for c in universe.companies.values())
    return CompanyMatcher(companies_of(file) if file else ())


def seen_of(name: str, matcher: CompanyMatcher, read_at: datetime) -> Iterator[dict[str, Any]]:
    """What is seen of a file, once for each document in it; an `error` sentence where nothing can be."""
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        rows = raw_rows(name, content, read_at)
    except OSError as error:
        yield {"file": name, "error": f"{name} cannot be read: {error.strerror or error}"}
        return
    except UnreadablePayloadError as error:
        yield {"file": name, "error": str(error)}
        return
    for row in rows:
        try:
            yield {"file": name, **_shown(parse_raw(row, matcher), read_at)}
        except UnreadablePayloadError as error:
            yield {"file": name, "error": str(error)}
        except Exception as error:  # noqa: BLE001  one hostile file must not stop the others
            yield {"file": name, "error": f"{name} broke the parser ({type(error).__name__}: {error}): report it"}


def _shown(document: ParsedDocument, read_at: datetime) -> dict[str, Any]:
    """The document without what only a store needs. A time that the source does not state is null."""
    row = document.row
    stated = row["published_at"] != read_at
    zone = ("stated" if document.zone_stated else "assumed UTC") if stated else None
    kept = ("document_type", "title", "author", "publisher", "canonical_url")
    return {
        **{name: row[name] for name in kept},
        "published": row["published_at"].isoformat() if stated else None,
        "published_zone": zone,
        "language": row["language"],
        "text": row["text"],
        "characters": row["characters"],
        "quality": row["quality_score"],
        "confidence": row["confidence"],
        "sha256": row["sha256"],
        "parser_version": row["parser_version"],
        "mentions": [
            {"ticker": m.ticker, "surface": m.surface, "kind": m.kind, "start": m.start, "end": m.end}
            for m in document.mentions
        ],
    }


def companies_of(path: Path) -> list[CompanyNames]:
    """The companies that a file names; StonksError with a sentence where it names none or cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        entries = _entries(text)
    except (OSError, ValueError, csv.Error) as error:
        raise StonksError(f"the companies in {path} cannot be read: {error}") from error
    found = [company for entry in entries if (company := _company(entry)) is not None]
    if not found:
        raise StonksError(f"{path} names no company: each needs a ticker, and a name or aliases")
    return found


def _entries(text: str) -> Sequence[Any]:
    """Objects of a JSON list, of an object by ticker, of JSON lines, or the rows of a CSV with a heading."""
    stripped = text.lstrip()
    if stripped.startswith(("[", "{")):
        try:
            data = json.loads(text)
        except ValueError:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if isinstance(data, dict) and "ticker" not in data:
            held = data.get("companies")
            return held if isinstance(held, list) else [_by_ticker(key, value) for key, value in data.items()]
        return data if isinstance(data, list) else [data]
    return list(csv.DictReader(io.StringIO(text)))


def _by_ticker(ticker: str, value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"ticker": ticker, **value}
    return {"ticker": ticker, "name": value}


def _company(entry: object) -> CompanyNames | None:
    if not isinstance(entry, dict):
        return None
    lowered = {str(key).strip().lower(): value for key, value in entry.items()}
    ticker = str(lowered.get("ticker") or lowered.get("symbol") or "").strip()
    names = ("legal_name", "name", "security", "title", "company")
    name = next((str(lowered[key]).strip() for key in names if lowered.get(key)), "")
    aliases = lowered.get("aliases") or []
    if isinstance(aliases, str):
        aliases = [alias.strip() for alias in aliases.replace("|", ";").split(";")]
    return CompanyNames(ticker, name, tuple(str(alias) for alias in aliases if alias)) if ticker else None
