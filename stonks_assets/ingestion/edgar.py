"""SEC EDGAR: filings of tracked companies with their SGML header, main document and press-release exhibits.

What is new is learnt from the companies' submissions; the time that counts is the header's ACCEPTANCE-DATETIME, which is
New York's clock always, whereas the submissions' own stamps are New York's for some filers and UTC for others.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup

from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_assets.ingestion.protocol import Ask, RawItem, RawPart
from stonks_core.errors import PermanentError, TransientError

NEW_YORK = ZoneInfo("America/New_York")
FORMS = ("8-K", "8-K/A", "10-Q", "10-K")
OFFSETS = (timedelta(0), timedelta(hours=4), timedelta(hours=5))
SLACK = timedelta(days=5)  # a filing accepted on a Friday evening bears the date of the next business day
EXHIBIT = re.compile(r"^EX-99(\.|$)", re.IGNORECASE)
_ACCEPTED = re.compile(rb"<ACCEPTANCE-DATETIME>\s*(\d{14})")


@dataclass(frozen=True)
class Listed:
    """A filing as the submissions list it. `stamp` is their own acceptance time, right or hours off."""

    accession: str
    form: str
    cik: int
    primary_document: str
    stamp: datetime
    items: str

    @property
    def possible_days(self) -> frozenset[date]:
        """The days (UTC) that it can have been accepted on, as its stamp is UTC or New York's clock."""
        return frozenset((self.stamp + offset).date() for offset in OFFSETS)


class SECEdgarAdapter:
    """Filings by company, newest listing first checked, each fetched once."""

    def __init__(self, fetcher: Fetcher, www_url: str, data_url: str) -> None:
        self._fetcher, self._www, self._data = fetcher, www_url.rstrip("/"), data_url.rstrip("/")
        self._lists: dict[int, tuple[Listed, ...]] = {}  # an adapter lives for one run: a company is asked once in it

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Filings accepted on the asked day (UTC) and not after `as_of`, each company's oldest first.

        A company that EDGAR does not know is reported and harms no other; when it knows none, the source has failed.
        """
        forms = _forms(ask.source.config.get("forms"))
        asked, refused = 0, PermanentError("")
        for ticker in ask.tickers:
            cik = ask.universe.companies[ticker].cik
            if cik is None:
                continue
            asked += 1
            try:
                listed = [f for f in self._listed(cik, ask.day) if f.form in forms and ask.day in f.possible_days]
            except PermanentError as error:
                ask.report(f"CIK{cik:010d}", f"the filings of {ticker} could not be listed: {error}")
                refused, asked = error, asked - 1
                continue
            yield from self._filings(sorted(listed, key=lambda f: (f.stamp, f.accession)), ticker, ask)
        if str(refused) and not asked:
            raise refused

    def _filings(self, listed: list[Listed], ticker: str, ask: Ask) -> Iterator[RawItem]:
        known = ask.known([filing.accession for filing in listed])
        for filing in listed:
            if filing.accession in known:
                continue
            try:
                header = self._header(filing)
                accepted = accepted_at(header.content, header.url)
                if accepted.date() != ask.day or accepted > ask.as_of:
                    continue
                if accepted - filing.stamp not in OFFSETS:
                    ask.report(
                        filing.accession,
                        f"{ticker}'s filing is listed at {filing.stamp.isoformat()}, and its header says "
                        f"{accepted.isoformat()}: neither the same instant nor New York's clock; the header was taken",
                    )
                item = self._filing(filing, ticker, header, accepted)
            except (TransientError, PermanentError) as error:
                ask.report(filing.accession, f"filing {filing.accession} of {ticker} could not be read: {error}")
                continue
            yield item

    def _listed(self, cik: int, day: date) -> Iterator[Listed]:
        """The company's newest filings, and of its older ones the pages that may hold the day's."""
        answer = self._fetcher.get(f"{self._data}/submissions/CIK{cik:010d}.json")
        try:
            filings = answer.json()["filings"]
            yield from _rows(filings["recent"], cik)
            for page in filings.get("files") or ():
                first, last = date.fromisoformat(page["filingFrom"]), date.fromisoformat(page["filingTo"])
                if first - SLACK <= day <= last + SLACK:
                    older = self._fetcher.get(f"{self._data}/submissions/{page['name']}")
                    yield from _rows(older.json(), cik)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TransientError(f"{answer.url} does not list filings as EDGAR does: {error!r}") from error

    def _header(self, listed: Listed) -> Answer:
        return self._fetcher.get(f"{self._folder(listed)}/{listed.accession}.hdr.sgml")

    def _folder(self, listed: Listed) -> str:
        return f"{self._www}/Archives/edgar/data/{listed.cik}/{listed.accession.replace('-', '')}"

    def _filing(self, listed: Listed, ticker: str, header: Answer, accepted: datetime) -> RawItem:
        """The header as the item, the index page and the documents that carry news as its parts."""
        folder = self._folder(listed)
        index = self._fetcher.get(f"{folder}/{listed.accession}-index.html")
        documents = [
            RawPart(entry["filename"], "filing_document", self._document(folder, entry["filename"]), entry)
            for entry in documents_of(index)
            if entry["type"] == listed.form or EXHIBIT.match(entry["type"])
        ]
        if not documents:
            raise PermanentError(f"{index.url} lists neither a {listed.form} nor an EX-99 document")
        detail = {
            "accession": listed.accession,
            "cik": listed.cik,
            "ticker": ticker,
            "form": listed.form,
            "items": [i for i in listed.items.split(",") if i],
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

    def _document(self, folder: str, filename: str) -> Answer:
        return self._fetcher.get(f"{folder}/{filename}")


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


def _stamp(text: str) -> datetime:
    stamp = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _rows(arrays: Mapping[str, Any], cik: int) -> Iterator[Listed]:
    """Filings out of the parallel arrays that EDGAR lists them in."""
    rows = zip(
        arrays["accessionNumber"], arrays["form"], arrays["primaryDocument"], arrays["acceptanceDateTime"],
        arrays.get("items") or [""] * len(arrays["form"]),
        strict=True,
    )  # fmt: skip
    for accession, form, primary, stamp, items in rows:
        yield Listed(accession, form, cik, primary, _stamp(stamp), items)
