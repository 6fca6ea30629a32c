"""What EDGAR lists: a company's submissions, and the feed of the current filings of all companies."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stonks_assets.ingestion.feeds import Entry, read_feed
from stonks_assets.ingestion.http import Answer, Fetcher, Validators
from stonks_core.errors import TransientError

NEW_YORK = ZoneInfo("America/New_York")
OFFSETS = (timedelta(0), timedelta(hours=4), timedelta(hours=5))
SLACK = timedelta(days=5)  # a filing accepted on a Friday evening bears the date of the next business day
PAGE = 100
MOST_PAGES = 20
_TITLE = re.compile(r"^(?P<form>\S.*?) - .* \((?P<cik>\d{10})\) \([A-Za-z /]+\)$", re.DOTALL)
_ACCESSION = re.compile(r"accession-number=(\d{10}-\d{2}-\d{6})$")
_ITEM = re.compile(r"\bItem (\d+\.\d{2})\b")


@dataclass(frozen=True)
class Listed:
    """A filing as it is listed. `stamp` is the list's own acceptance time, right or hours off."""

    accession: str
    form: str
    cik: int
    stamp: datetime
    items: tuple[str, ...]
    listed_by: str

    @property
    def possible_days(self) -> frozenset[date]:
        """The days (UTC) that it can have been accepted on, as its stamp is UTC or New York's clock."""
        return frozenset((self.stamp + offset).date() for offset in OFFSETS)


class Submissions:
    """The filings of one company after the other, each company asked once in a run."""

    def __init__(self, fetcher: Fetcher, data_url: str) -> None:
        self._fetcher, self._data = fetcher, data_url
        self._read: dict[str, Any] = {}

    def address(self, cik: int) -> str:
        """Where a company's filings are listed."""
        return f"{self._data}/submissions/CIK{cik:010d}.json"

    def of(self, cik: int, day: date, validators: Validators) -> tuple[list[Listed], Validators]:
        """A company's newest filings, with the older ones that may be the day's, and the validators of their list.

        Without any filing where the validators still hold. Raises TransientError where EDGAR lists none as it does.
        """
        url, found = self.address(cik), Validators()
        if url not in self._read:
            answer = self._fetcher.get(url, validators=validators)
            if answer.unchanged:
                return [], validators
            self._read[url], found = answer.json(), answer.validators
        try:
            filings = self._read[url]["filings"]
            listed = list(_rows(filings["recent"], cik))
            for page in filings.get("files") or ():
                first, last = date.fromisoformat(page["filingFrom"]), date.fromisoformat(page["filingTo"])
                if first - SLACK <= day <= last + SLACK:
                    listed += _rows(self._older(f"{self._data}/submissions/{page['name']}"), cik)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TransientError(f"{url} does not list filings as EDGAR does: {error!r}") from error
        return listed, found

    def _older(self, url: str) -> Any:
        if url not in self._read:
            self._read[url] = self._fetcher.get(url).json()
        return self._read[url]


class CurrentFeed:
    """The newest filings of all companies, newest first, a page of a hundred after the other."""

    def __init__(self, fetcher: Fetcher, www_url: str) -> None:
        self._fetcher, self._url = fetcher, f"{www_url}/cgi-bin/browse-edgar"

    def since(self, instant: datetime, forms: Collection[str], now: datetime) -> list[Listed] | None:
        """Filings of these forms that were accepted at or after an instant; None where the feed does not reach back to it.

        The feed's end reaches back to the beginning of New York's day at least. Raises TransientError for a feed that is
        none of EDGAR's.
        """
        found: list[Listed] = []
        for form in sorted({form.removesuffix("/A") for form in forms}):
            listed = self._of_form(form, instant, now)
            if listed is None:
                return None
            found += [filing for filing in listed if filing.form in forms and filing.stamp >= instant]
        return found

    def _of_form(self, form: str, instant: datetime, now: datetime) -> list[Listed] | None:
        today = datetime.combine(now.astimezone(NEW_YORK).date(), time(), NEW_YORK)
        found: list[Listed] = []
        for number in range(MOST_PAGES):
            page = self._page(form, number * PAGE)
            found += page
            if page and min(filing.stamp for filing in page) < instant:
                return found
            if len(page) < PAGE:
                return found if instant >= today else None
        return None

    def _page(self, form: str, start: int) -> list[Listed]:
        answer = self._fetcher.get(
            self._url,
            {"action": "getcurrent", "type": form, "owner": "include", "count": PAGE, "start": start, "output": "atom"},
        )
        feed = read_feed(answer.content, answer.place, answer.charset)
        if feed is None or feed.broken:
            wrong = "it is no feed" if feed is None else feed.broken
            raise TransientError(f"{answer.url} does not list the current filings as EDGAR does: {wrong}")
        return [_current(entry, answer) for entry in feed.entries]


def _current(entry: Entry, answer: Answer) -> Listed:
    """A filing of the current feed, by one of its filers. Raises TransientError where it cannot be read as one."""
    title = _TITLE.match(entry.title)
    accession = _ACCESSION.search(entry.entry_id)
    if title is None or accession is None or entry.at is None:
        raise TransientError(f"{answer.url} lists {entry.title[:100]!r}, which is no filing as EDGAR lists them")
    items = tuple(dict.fromkeys(_ITEM.findall(entry.summary)))
    return Listed(accession.group(1), title["form"], int(title["cik"]), entry.at, items, "current")


def _stamp(text: str) -> datetime:
    stamp = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _rows(arrays: Mapping[str, Any], cik: int) -> Iterator[Listed]:
    """Filings out of the parallel arrays that EDGAR lists them in."""
    rows = zip(
        arrays["accessionNumber"], arrays["form"], arrays["acceptanceDateTime"],
        arrays.get("items") or [""] * len(arrays["form"]),
        strict=True,
    )  # fmt: skip
    for accession, form, stamp, items in rows:
        yield Listed(accession, form, cik, _stamp(stamp), tuple(i for i in items.split(",") if i), "submissions")


@dataclass(frozen=True)
class Looked:
    """How far the filings of the last two days were looked at: by day, when they were last listed whole, and until when."""

    whole: Mapping[str, str]
    until: Mapping[str, str]

    @classmethod
    def read(cls, text: str) -> "Looked":
        """What `written` wrote; nothing looked at where it is something else."""
        try:
            kept = json.loads(text)
            return cls(dict(kept["whole"]), dict(kept["until"]))
        except (ValueError, TypeError, KeyError):
            return cls({}, {})

    def and_at(self, day: date, now: datetime, *, whole: bool, came: bool = True) -> "Looked":
        """With a look at a day; days before yesterday are forgotten.

        Where not every filing `came`, the feed tells the day again from where it was told before.
        """
        first, stamp = (now.date() - timedelta(days=1)).isoformat(), {day.isoformat(): now.isoformat()}
        kept = [{k: v for k, v in held.items() if k >= first} for held in (self.whole, self.until)]
        return Looked(kept[0] | (stamp if whole else {}), kept[1] | (stamp if came else {}))

    def written(self) -> str:
        """As text, for a memory."""
        return json.dumps({"whole": dict(self.whole), "until": dict(self.until)}, sort_keys=True)

    def since(self, day: date, now: datetime, settling: timedelta) -> datetime | None:
        """From when on the current feed tells the rest of a day; None where the submissions must be listed.

        They are for past days, and once a day so that what the feed did not tell arrives: for the day that has ended
        when it is first asked for, for the present one when it has settled or when no list is younger than a day.
        """
        begun = datetime.combine(now.date(), time(), UTC)
        if day == now.date():
            newest = max((datetime.fromisoformat(at) for at in self.whole.values()), default=None)
            due = newest is None or now - newest >= timedelta(days=1)
            due = due or (now >= begun + settling and newest is not None and newest < begun + settling)
        else:
            young = day == now.date() - timedelta(days=1) and now < begun + settling
            listed = self.whole.get(day.isoformat())
            due = not young or listed is None or datetime.fromisoformat(listed) < begun
        if due:
            return None
        until = self.until.get(day.isoformat())
        return datetime.fromisoformat(until) if until else datetime.combine(day, time(), UTC)
