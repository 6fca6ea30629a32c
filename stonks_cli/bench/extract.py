"""Extraction: what the path costs beyond the model's own time, with 1 to 16 requests in flight, beside the bare client."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import ollama

from stonks_assets.extraction.agents import BASE, AgentConfig
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, AskedCompany, Prompt, extraction_prompt
from stonks_assets.extraction.server import KEEP_ALIVE
from stonks_assets.extraction.step import materialise_intelligence
from stonks_assets.parsing.mentions import CompanyMatcher, CompanyNames
from stonks_assets.parsing.parse import mention_rows, parse_raw
from stonks_assets.pipeline import Pipeline
from stonks_cli.bench.ground import Ground, ground
from stonks_cli.bench.measuring import machine, measured
from stonks_cli.bench.model import NAME, QUOTE, TICKER, serving_model
from stonks_core.clock import ManualClock
from stonks_core.errors import StonksError
from stonks_core.settings import load_settings
from stonks_core.settings.slices import Ollama
from stonks_core.stores.lake.silver_tables import (
    DOCUMENT_COMPANY_MENTIONS,
    DOCUMENT_INTELLIGENCE,
    DOCUMENTS,
    IMPACT_RECORDS,
)
from stonks_core.stores.migrations import ensure_database, migrate
from stonks_core.stores.postgres import Database

DAY = date(2026, 3, 4)
NOW = datetime.combine(DAY, time(18), UTC)
LEGAL_NAME = "Bench Holdings Inc."
NUM_CTX = 16_384
_FILLER = (
    "Demand for its storage products grew in all regions, and management expects that to continue through the year. "
)
Row = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """How much is measured: documents, how long the model takes for each, and how many are in flight."""

    documents: int = 192
    service_ms: float = 100.0
    in_flight: tuple[int, ...] = (1, 2, 4, 8, 16)
    characters: int = 4000


def run(sizes: Sizes) -> dict[str, object]:
    """Every figure, measured now."""
    with ground() as standing, serving_model(sizes.service_ms / 1000) as url:
        rows = [row for parallel in sizes.in_flight for row in _measure(standing, url, sizes, parallel)]
    return {"machine": {**machine(), "service_ms": sizes.service_ms}, "extract": rows}


def _measure(standing: Ground, url: str, sizes: Sizes, parallel: int) -> Iterator[Row]:
    """The bare client, the whole path from the lake to the lake, and the same from recorded answers, with no call."""
    count = min(sizes.documents, max(parallel * 12, 24))
    with _pipeline(standing, url, parallel) as pipeline:
        prompts = _fill(pipeline, count, sizes.characters)
        _, bare = measured(lambda: _ask_bare(url, prompts, parallel))
        report, ours = measured(lambda: materialise_intelligence(pipeline, DAY, NOW, budget=3600))
        if report.failed or pipeline.lake.read(IMPACT_RECORDS).num_rows != count:
            raise StonksError(f"the benchmark's extraction failed for {report.failed} of {count} documents")
        for table in (IMPACT_RECORDS, DOCUMENT_INTELLIGENCE):
            pipeline.lake.delete(table, "true")
        again = replace(pipeline, settings=replace(pipeline.settings, ollama=_recorded_only(pipeline)))
        _, replayed = measured(lambda: materialise_intelligence(again, DAY, NOW, budget=3600))
    for name, cost in (("limit: bare ollama client", bare), ("ours: lake to lake", ours), ("ours: recorded", replayed)):
        asks = name != "ours: recorded"
        yield {
            "in_flight": parallel,
            **cost.row(name, count),
            "overhead_ms": round(1000 * cost.wall * (parallel if asks else 1) / count - asks * sizes.service_ms, 2),
            "ours_wall": round(cost.wall / bare.wall, 3),
            "ours_cpu": round(cost.cpu / bare.cpu, 2),
        }


def _recorded_only(pipeline: Pipeline) -> Ollama:
    return pipeline.settings.ollama.model_copy(update={"replay_only": True})


@contextmanager
def _pipeline(standing: Ground, url: str, parallel: int) -> Iterator[Pipeline]:
    """A pipeline over fresh stores with one company, that asks the benchmark's model."""
    name = f"extract{parallel}"
    ensure_database(standing.postgres, name)
    migrate(standing.postgres, name)
    given = {"STONKS_HOME": str(standing.folder), "OLLAMA_BASE_URL": url, "OLLAMA_MODEL": NAME}
    settings = load_settings({**given, "OLLAMA_PARALLEL": str(parallel), "OLLAMA_NUM_CTX": str(NUM_CTX)})
    with Database(standing.postgres, name, application="bench") as database:
        database.execute(
            "INSERT INTO companies (ticker, legal_name, valid_from) VALUES (%s, %s, '-infinity')", (TICKER, LEGAL_NAME)
        )
        yield Pipeline(settings, standing.lake(), database, ManualClock(NOW))


def _fill(pipeline: Pipeline, count: int, characters: int) -> Sequence[Prompt]:
    """A day of parsed documents, and the prompts that they make."""
    matcher = CompanyMatcher([CompanyNames(TICKER, LEGAL_NAME)])
    parsed = [parse_raw(_raw(n, characters), matcher) for n in range(count)]
    pipeline.lake.merge(DOCUMENT_COMPANY_MENTIONS, [row for one in parsed for row in mention_rows(one)])
    clusters = [{"cluster_id": one.document_id, "origin_document_id": one.document_id} for one in parsed]
    rows = [dict(one.row) | cluster for one, cluster in zip(parsed, clusters, strict=True)]
    pipeline.lake.merge(DOCUMENTS, rows)
    company = AskedCompany(TICKER, (LEGAL_NAME,))
    return [extraction_prompt(row["title"], row["published_at"], row["text"], [company]) for row in rows]


def _raw(number: int, characters: int) -> dict[str, object]:
    body = (
        f"<p>{QUOTE}.</p><p>Order book {number}: " + "</p><p>".join([_FILLER] * (characters // len(_FILLER))) + "</p>"
    )
    page = f"<html><body><article><h1>Bench Holdings beats estimates, {number}</h1>{body}</article></body></html>"
    return {
        "day": DAY.isoformat(),
        "item_id": f"item{number}",
        "sha256": f"{number:064x}",
        "source_id": "bench",
        "source_type": "web_scrape",
        "source_name": "Bench Wire",
        "ticker": None,
        "kind": "page",
        "url": f"https://example.com/{number}",
        "http_status": 200,
        "response_headers": "{}",
        "media_type": "text/html",
        "payload": page.encode(),
        "credibility": 0.5,
        "published_at": NOW,
        "fetched_at": NOW,
        "available_at": NOW,
        "backfilled": False,
    }


def _ask_bare(url: str, prompts: Sequence[Prompt], parallel: int) -> None:
    """The same questions through the ollama library alone, from as many threads."""
    client = ollama.Client(host=url, timeout=60, trust_env=False)
    options = AgentConfig(DOCUMENT_EXTRACTOR, BASE, NAME).call_options(NUM_CTX)

    def ask(prompt: Prompt) -> ollama.ChatResponse:
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        return client.chat(
            model=NAME,
            messages=messages,
            format=prompt.schema,
            options=options,
            think=False,
            keep_alive=KEEP_ALIVE,
            stream=False,
        )

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(ask, prompts))
