"""SEC EDGAR: filings of tracked companies with their SGML header, main document and press-release exhibits.

What is new is learnt from the feed of the current filings, which costs a few requests for any number of companies, and
from the companies' submissions, which know every day. The time that counts is the header's ACCEPTANCE-DATETIME, which
is New York's clock always, whereas the submissions' own stamps are New York's for some filers and UTC for others.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bs4 import BeautifulSoup

from stonks_assets.ingestion.edgar_listing import NEW_YORK, OFFSETS, CurrentFeed, Listed, Looked, Submissions
from stonks_assets.ingestion.http import Answer, Fetcher, Validators
from stonks_assets.ingestion.protocol import Ask, RawItem, RawPart
from stonks_core.errors import PermanentError, TransientError

FORMS = ("8-K", "8-K/A", "10-Q", "10-K")
OVERLAP = timedelta(minutes=30)  # the feed is not always in order
SETTLING = timedelta(hours=6)
DOWN = 3  # lists in a row that did not come, from which on EDGAR is left alone
EXHIBIT = re.compile(r"^EX-99(\.|$)", re.IGNORECASE)
READABLE = (".htm", ".html", ".txt")
_ACCEPTED = re.compile(rb"<ACCEPTANCE-DATETIME>\s*(\d{14})")


class SECEdgarAdapter:
    """Filings of tracked companies, each fetched once, whoever of several filers lists it."""

    def __init__(self, fetcher: Fetcher, www_url: str, data_url: str) -> None:
        self._fetcher, self._www = fetcher, www_url.rstrip("/")
        self._current = CurrentFeed(fetcher, self._www)
        self._submissions = Submissions(fetcher, data_url.rstrip("/"))
        self._brought: set[str] = set()  # an adapter lives for one run: of two filers' lists the first one's brings it

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Filings accepted on the asked day (UTC) and not after `as_of`, each company's oldest first.

        A company whose filings cannot be listed is reported and harms no other; when none can be, the source has failed.
        """
        forms, looked = _forms(ask.source.config.get("forms")), Looked.read(ask.memory.get("looked", ""))
        companies: dict[int, str] = {}
        for ticker in ask.tickers:
            if (cik := ask.universe.companies[ticker].cik) is not None:
                companies.setdefault(cik, ticker)  # a company's classes of shares file together
        if not companies:
            return
        current = self._told(ask, looked, forms)
        every = _Every()
        if current is None:
            yield from self._listed(companies, forms, ask, every)
        else:
            mine = [filing for filing in current if filing.cik in companies]
            yield from self._filings(mine, companies, ask, every)
        whole, came = current is None, every.came
        ask.remember("looked", looked.and_at(ask.day, ask.as_of, whole=whole, came=came).written())

    def _told(self, ask: Ask, looked: Looked, forms: tuple[str, ...]) -> list[Listed] | None:
        """What the current feed tells; None where the submissions must be listed."""
        since = looked.since(ask.day, ask.as_of, SETTLING)
        if since is None:
            return None
        try:
            return self._current.since(since - OVERLAP, forms, ask.as_of)
        except PermanentError as error:
            ask.report("current filings", f"the companies' submissions were listed instead: {error}")
            return None

    def _listed(
        self, companies: Mapping[int, str], forms: tuple[str, ...], ask: Ask, every: "_Every"
    ) -> Iterator[RawItem]:
        """The filings that the companies' submissions list, company by company.

        A list that cannot be had is reported and asked for again; so many in a row mean that EDGAR itself is down.
        """
        failed: list[PermanentError | TransientError] = []
        in_a_row = 0
        for cik, ticker in companies.items():
            url, own = self._submissions.address(cik), _Every()
            try:
                listed, found = self._submissions.of(cik, ask.day, _held(ask, url))
            except (PermanentError, TransientError) as error:
                in_a_row = in_a_row + 1 if isinstance(error, TransientError) else 0
                if in_a_row == DOWN:
                    raise
                ask.report(f"CIK{cik:010d}", f"the filings of {ticker} could not be listed: {error}")
                failed.append(error)
                every.came = False
                continue
            in_a_row = 0
            yield from self._filings([filing for filing in listed if filing.form in forms], companies, ask, own)
            if own.came and found:
                kept = {"etag": found.etag, "last_modified": found.last_modified, "day": ask.day.isoformat()}
                ask.remember(f"validators {url}", json.dumps(kept))
            every.came = every.came and own.came
        if len(failed) == len(companies):
            raise failed[-1]

    def _filings(
        self, listed: list[Listed], companies: Mapping[int, str], ask: Ask, every: "_Every"
    ) -> Iterator[RawItem]:
        """Those of the listed filings that are the day's and not known. `every` is told when one was left for later."""
        days = [
            filing for filing in listed if ask.day in filing.possible_days and filing.accession not in self._brought
        ]
        order = {cik: number for number, cik in enumerate(companies)}
        filings: dict[str, Listed] = {}
        for filing in sorted(days, key=lambda f: (f.stamp, f.accession, order[f.cik])):
            filings.setdefault(filing.accession, filing)  # several filers, one filing
        known = ask.known(list(filings))
        for filing in filings.values():
            if filing.accession in known:
                continue
            ticker = companies[filing.cik]
            try:
                header = self._fetcher.get(f"{self._folder(filing)}/{filing.accession}.hdr.sgml")
                accepted = accepted_at(header.content, header.url)
                if accepted.date() != ask.day or accepted > ask.as_of:
                    every.came = every.came and accepted <= ask.as_of
                    continue
                if accepted - filing.stamp not in OFFSETS:
                    ask.report(
                        filing.accession,
                        f"{ticker}'s filing is listed at {filing.stamp.isoformat()}, and its header says "
                        f"{accepted.isoformat()}: neither the same instant nor New York's clock; the header was taken",
                    )
                item = self._filing(filing, ticker, header, accepted, ask)
            except (TransientError, PermanentError) as error:
                ask.report(filing.accession, f"filing {filing.accession} of {ticker} could not be read: {error}")
                every.came = False
                continue
            self._brought.add(filing.accession)
            yield item

    def _folder(self, listed: Listed) -> str:
        return f"{self._www}/Archives/edgar/data/{listed.cik}/{listed.accession.replace('-', '')}"

    def _filing(self, listed: Listed, ticker: str, header: Answer, accepted: datetime, ask: Ask) -> RawItem:
        """The header as the item, the index page and the documents that carry news as its parts."""
        folder = self._folder(listed)
        index = self._fetcher.get(f"{folder}/{listed.accession}-index.html")
        documents = []
        for entry in documents_of(index):
            main = entry["type"] == listed.form
            if not (main or EXHIBIT.match(entry["type"])) or not entry["filename"].lower().endswith(READABLE):
                continue
            try:
                document = self._fetcher.get(f"{folder}/{entry['filename']}")
            except PermanentError as error:
                if main:
                    raise
                ask.report(
                    f"{listed.accession}#{entry['filename']}",
                    f"filing {listed.accession} of {ticker} arrived without its {entry['type']}: {error}",
                )
                continue
            documents.append(RawPart(entry["filename"], "filing_document", document, entry))
        if not documents:
            raise PermanentError(f"{index.url} lists neither a {listed.form} nor an EX-99 document")
        detail = {
            "accession": listed.accession,
            "cik": listed.cik,
            "ticker": ticker,
            "form": listed.form,
            "items": list(listed.items),
            "listed_by": listed.listed_by,
            "listed_acceptance": listed.stamp.isoformat(),
            "primary_url": documents[0].answer.url,
        }
        return RawItem(
            listed.accession,
            "filing",
            header,
            published_at=accepted,
            ticker=ticker,
            url=f"{folder}/{listed.accession}-index.html",
            detail=detail,
            parts=(RawPart("index", "filing_index", index), *documents),
        )


class _Every:
    """Whether every filing of a list came."""

    came = True


def _held(ask: Ask, url: str) -> Validators:
    """The validators of a list that this very day was looked for in."""
    try:
        kept = json.loads(ask.memory.get(f"validators {url}", "{}"))
        if kept.get("day") == ask.day.isoformat():
            return Validators(str(kept.get("etag", "")), str(kept.get("last_modified", "")))
    except (ValueError, AttributeError):
        return Validators()
    return Validators()


def accepted_at(header: bytes, where: str) -> datetime:
    """The header's acceptance time in UTC. Raises PermanentError naming the header that has none."""
    found = _ACCEPTED.search(header)
    if found is None:
        raise PermanentError(f"{where} has no ACCEPTANCE-DATETIME, so nobody can say when the filing became public")
    try:
        local = datetime.strptime(found.group(1).decode(), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError as error:
        raise PermanentError(f"{where} has an ACCEPTANCE-DATETIME that is no time: {error}") from error
    return local.astimezone(UTC)


def documents_of(index: Answer) -> list[Mapping[str, Any]]:
    """The documents that a filing's index page lists: type, file name, description."""
    listed: list[Mapping[str, Any]] = []
    for table in BeautifulSoup(index.text(), "lxml").select("table.tableFile"):
        for row in table.find_all("tr"):
            cells = [cell.get_text(" ", strip=True) for cell in row.find_all("td")]
            link = row.find("a")
            if len(cells) >= 4 and link is not None and cells[3]:
                filename = str(link.get("href", "")).rsplit("/", 1)[-1]
                listed.append({"type": cells[3], "filename": filename, "description": cells[1]})
    return listed


def _forms(configured: object) -> tuple[str, ...]:
    return tuple(str(form) for form in configured) if isinstance(configured, list) and configured else FORMS
