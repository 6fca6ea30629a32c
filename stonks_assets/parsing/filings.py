"""EDGAR submissions: the SGML header, and the documents inside a full submission file. Pure.

The header's ACCEPTANCE-DATETIME is always New York clock time and is the truth about when a filing became public.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
ZONE_ERRORS = (timedelta(0), timedelta(hours=4), timedelta(hours=5))
_LINE = re.compile(r"^\s*(?:<([A-Z0-9-]+)>|([A-Z][A-Z0-9 ./&-]*?):)[ \t]*(.*?)[ \t]*$")
_TAG = re.compile(r"^<[A-Z]+>")  # newer items without a name come as `<ITEMS>1.05`
_SIC = re.compile(r"^(.*?)\s*\[(\d{3,4})\]$")
_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL | re.IGNORECASE)
_TEXT = re.compile(r"<TEXT>\s*(.*?)\s*</TEXT>", re.DOTALL | re.IGNORECASE)
_WRAPPER = re.compile(r"^\s*<(XBRL|XML)>\s*|\s*</(XBRL|XML)>\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class FilingHeader:
    """What a submission's header says. Fields that it lacks are empty or None; `accepted_at` is aware UTC."""

    accession: str = ""
    form: str = ""
    accepted_at: datetime | None = None
    filed: date | None = None
    period: date | None = None
    items: tuple[str, ...] = ()
    company: str = ""
    cik: int | None = None
    sic_code: str = ""
    sic_description: str = ""


@dataclass(frozen=True)
class SubmissionDocument:
    """One document inside a full submission file."""

    type: str
    filename: str
    description: str
    html: str


def acceptance_instant(stamp: str) -> datetime | None:
    """A header's `yyyymmddHHMMSS`, New York clock time, as aware UTC; None when it is not of that shape."""
    if not re.fullmatch(r"\d{14}", stamp.strip()):
        return None
    try:
        local = datetime.strptime(stamp.strip(), "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
    except ValueError:
        return None
    return local.astimezone(UTC)


def plausible_acceptance(header: datetime, submissions: datetime) -> bool:
    """Whether the index's `acceptanceDateTime` agrees with the header's, or is New York time marked as UTC.

    The index is up to a second off, or four or five hours early where it holds clock time.
    """
    difference = header - submissions
    return any(abs(difference - error) <= timedelta(seconds=1) for error in ZONE_ERRORS)


def parse_header(text: str) -> FilingHeader:
    """The header's fields; of several filers the first speaks. A text without a header gives empty fields."""
    fields: dict[str, str] = {}
    items: list[str] = []
    for line in text.split("</SEC-HEADER>", 1)[0].splitlines():
        found = _LINE.match(line)
        if found is None or not found.group(3):
            continue
        name = (found.group(1) or found.group(2)).strip()
        if name == "ITEM INFORMATION":
            items.append(_TAG.sub("", found.group(3)))
        else:
            fields.setdefault(name, found.group(3))
    sic = _SIC.match(fields.get("STANDARD INDUSTRIAL CLASSIFICATION", ""))
    cik = fields.get("CENTRAL INDEX KEY", "")
    return FilingHeader(
        accession=fields.get("ACCESSION NUMBER", ""),
        form=fields.get("CONFORMED SUBMISSION TYPE", ""),
        accepted_at=acceptance_instant(fields.get("ACCEPTANCE-DATETIME", "")),
        filed=_date(fields.get("FILED AS OF DATE", "")),
        period=_date(fields.get("CONFORMED PERIOD OF REPORT", "")),
        items=tuple(items),
        company=fields.get("COMPANY CONFORMED NAME", ""),
        cik=int(cik) if cik.isdigit() else None,
        sic_code=sic.group(2) if sic else "",
        sic_description=sic.group(1) if sic else "",
    )


def _date(stamp: str) -> date | None:
    try:
        return datetime.strptime(stamp, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def split_submission(text: str) -> tuple[SubmissionDocument, ...]:
    """The documents of a full submission text file, in order, without their `<XBRL>` wrapper."""
    documents = []
    for block in _DOCUMENT.findall(text):
        tags = dict(re.findall(r"^<(TYPE|FILENAME|DESCRIPTION)>[ \t]*(.*?)[ \t]*$", block, re.MULTILINE))
        body = _TEXT.search(block)
        html = _WRAPPER.sub("", body.group(1)) if body else ""
        documents.append(
            SubmissionDocument(tags.get("TYPE", ""), tags.get("FILENAME", ""), tags.get("DESCRIPTION", ""), html)
        )
    return tuple(documents)
