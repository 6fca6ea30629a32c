"""`stonks score-filings`: the configured model's judgement of recorded filings against what their prices did afterwards.

Each filing takes the road of `stonks extract`: the submission is parsed and the model asked about its filer, at the instant
of its acceptance, with no price before it. Beside it stand word lists, and the belief that everything rises.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from stonks_assets.extraction.agents import BASE, AgentConfig
from stonks_assets.extraction.prompts import DOCUMENT_EXTRACTOR, AskedCompany
from stonks_assets.parsing.mentions import CompanyNames
from stonks_cli.asked import Question, Unasked, documents_in
from stonks_cli.extract import answers
from stonks_cli.reader import Reader
from stonks_cli.score.lexicon import baselines
from stonks_cli.score.reactions import LEAST_OPINION, Opinion, reactions, table
from stonks_cli.score.recording import Filing, last_instant, read_filings, read_prices
from stonks_core.calendar import MarketCalendar
from stonks_core.errors import BadInputError
from stonks_core.settings import Settings

CALENDAR = "XNYS"
FARTHEST = 10
"""How many of the filings that were judged the most surely and the most wrongly are shown."""


def score_filings(
    settings: Settings, folder: Path, tickers: Collection[str], first: date | None, last: date | None
) -> dict[str, Any]:
    """The report on a recording's filings: of these tickers (all, where none is named), accepted on these UTC days.

    Raises StonksError where the recording holds none of them or the model cannot be asked.
    """
    filings = [filing for filing in read_filings(folder) if _wanted(filing, tickers, first, last)]
    if not filings:
        raise BadInputError(f"{folder} holds no filing of the tickers and days that were asked for")
    prices = read_prices(folder, MarketCalendar(CALENDAR))
    known = [CompanyNames(ticker, name) for ticker, name in {f.ticker: f.company for f in filings}.items()]
    questions = {filing.accession: _question(filing, known) for filing in filings}
    asked = Reader(AgentConfig(DOCUMENT_EXTRACTOR, BASE, settings.endpoints.model), DOCUMENT_EXTRACTOR)
    results = list(answers(settings, questions.values(), asked, last_instant(prices)))
    judged = [_judged(filing, result) for filing, result in zip(filings, results, strict=True)]
    model = next((str(result["model"]) for result in results if "model" in result), settings.endpoints.model)
    texts = {key: f"{q.title}\n{q.text}" for key, q in questions.items() if isinstance(q, Question)}
    opinions: dict[str, list[Opinion | None]] = {model: [row["opinion"] for row in judged]}
    for name, judge in baselines().items():
        opinions[name] = [judge(texts[f.accession]) if f.accession in texts else None for f in filings]
    reacted = [reactions(filing.ticker, filing.accepted_at, prices) for filing in filings]
    return {
        "model": model,
        "filings": len(filings),
        "unpriced": sum(not found for found in reacted),
        "errors": [f"{f.accession}: {r['error']}" for f, r in zip(filings, results, strict=True) if "error" in r],
        "least_opinion": LEAST_OPINION,
        "table": table(opinions, reacted),
        "farthest": _farthest(filings, judged, reacted),
    }


def _wanted(filing: Filing, tickers: Collection[str], first: date | None, last: date | None) -> bool:
    day = filing.accepted_at.date()
    return (not tickers or filing.ticker in tickers) and (first or day) <= day <= (last or day)


def _question(filing: Filing, known: Iterable[CompanyNames]) -> Question | Unasked:
    """The filing as parsing sees it, asked about whom it names, and always about its filer."""
    found = next(documents_in(filing.accession, filing.submission, list(known), filing.accepted_at))
    if isinstance(found, Unasked):
        return found
    asked = {company.ticker: company for company in found.companies}
    asked.setdefault(filing.ticker, AskedCompany(filing.ticker, (filing.company,)))
    return replace(found, companies=tuple(asked.values()))


def _judged(filing: Filing, result: Mapping[str, Any]) -> dict[str, Any]:
    """The record on the filer; no opinion at all where the model gave no answer that holds."""
    record = next((r for r in result.get("companies", ()) if r["ticker"] == filing.ticker), None)
    if record is None:
        return {"opinion": None, "catalyst": None, "quote": ""}
    opinion = Opinion(float(record["sentiment"]), float(record["confidence"]))
    return {"opinion": opinion, "catalyst": record["catalyst"], "quote": record["quote"]}


def _farthest(
    filings: Iterable[Filing], judged: Iterable[Mapping[str, Any]], reacted: Iterable[Mapping[str, float]]
) -> list[dict[str, Any]]:
    """The filings whose next session went the most against what was said of them."""
    rows = [
        {
            "accession": filing.accession,
            "ticker": filing.ticker,
            "accepted_at": filing.accepted_at,
            "catalyst": said["catalyst"],
            "sentiment": said["opinion"].score,
            "abnormal": moved["1"],
            "quote": said["quote"],
        }
        for filing, said, moved in zip(filings, judged, reacted, strict=True)
        if said["opinion"] is not None and "1" in moved
    ]
    wrong = [row for row in rows if row["sentiment"] * row["abnormal"] < 0 and abs(row["sentiment"]) >= LEAST_OPINION]
    return sorted(wrong, key=lambda row: row["sentiment"] * row["abnormal"])[:FARTHEST]
