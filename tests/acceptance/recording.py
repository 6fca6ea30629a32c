"""A recording of its own: two invented companies, their 8-Ks with headers and press releases, and daily prices."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from stonks_core.calendar import MarketCalendar


@dataclass(frozen=True)
class Filer:
    """A company that files."""

    ticker: str
    name: str
    cik: int
    sic: str
    first_price: float


@dataclass(frozen=True)
class Release:
    """An 8-K with a press release; `accepted` is New York's clock."""

    filer: Filer
    accepted: datetime
    headline: str
    sentences: Sequence[str]

    @property
    def accession(self) -> str:
        """The accession number, unique by minute."""
        return f"{self.filer.cik:010d}-{self.accepted:%y}-{self.accepted:%m%d}{self.accepted.hour:02d}"


VERDANE = Filer("VRDN", "Verdane Instruments, Inc.", 7_770_001, "3826", 84.0)
OSKETT = Filer("OSKT", "Oskett Foods Corporation", 7_770_002, "2030", 41.0)
BEFORE, FIRST, LAST = date(2021, 7, 12), date(2021, 9, 1), date(2021, 9, 8)

RELEASES = (
    Release(
        OSKETT,
        datetime(2021, 8, 26, 7, 30),  # noqa: DTZ001  New York's clock, as EDGAR's header has it
        "Oskett Foods Corporation Announces Date of Second Quarter Results",
        ["Oskett Foods Corporation will report second quarter results on September 2, 2021.", "A call will be held."],
    ),
    Release(
        VERDANE,
        datetime(2021, 9, 1, 16, 5),  # noqa: DTZ001
        "Verdane Instruments Reports Record Second Quarter Results and Raises Full-Year Guidance",
        [
            "Verdane Instruments, Inc. today reported record second quarter results that exceeded expectations.",
            "Revenue rose 41% to a record $612 million, well above analyst estimates of $540 million.",
            "Earnings per share of $2.36 beat the consensus estimate of $1.71 and grew 58% from a year earlier.",
            "The company raised its full-year guidance and now expects revenue of $2.5 billion, up from $2.2 billion.",
            "Orders grew strongly in every region and the backlog reached an all-time high.",
        ],
    ),
    Release(
        OSKETT,
        datetime(2021, 9, 2, 7, 45),  # noqa: DTZ001
        "Oskett Foods Corporation Misses Second Quarter Estimates and Cuts Outlook",
        [
            "Oskett Foods Corporation reported second quarter earnings that missed expectations.",
            "Revenue fell 18% to $301 million, below analyst estimates of $356 million.",
            "The company cut its full-year guidance and now expects a loss, citing weak demand and higher costs.",
        ],
    ),
)
_HEADER = """<SEC-HEADER>{accession}.hdr.sgml : {day}
<ACCEPTANCE-DATETIME>{day}{time}
ACCESSION NUMBER:\t\t{accession}
CONFORMED SUBMISSION TYPE:\t8-K
PUBLIC DOCUMENT COUNT:\t\t2
CONFORMED PERIOD OF REPORT:\t{day}
ITEM INFORMATION:\t\tResults of Operations and Financial Condition
ITEM INFORMATION:\t\tFinancial Statements and Exhibits
FILED AS OF DATE:\t\t{day}

FILER:

\tCOMPANY DATA:
\t\tCOMPANY CONFORMED NAME:\t\t\t{name}
\t\tCENTRAL INDEX KEY:\t\t\t{cik:010d}
\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\tMAKERS OF THINGS [{sic}]
</SEC-HEADER>
"""
_COVER = """<html><head><title>8-K</title></head><body><p>UNITED STATES SECURITIES AND EXCHANGE COMMISSION</p>
<p>FORM 8-K</p><p>{name}</p><p>Item 2.02 Results of Operations and Financial Condition.</p>
<p>On {day:%B %d, %Y}, {name} issued a press release. A copy is furnished as Exhibit 99.1 to this report.</p>
<p>Item 9.01 Financial Statements and Exhibits.</p></body></html>
"""


def record(folder: Path) -> Path:
    """Write the recording into a folder; the folder."""
    (folder / "prices_csv").mkdir(parents=True)
    lines = [json.dumps(_file(folder, release)) for release in RELEASES]
    (folder / "filings.jsonl").write_text("\n".join(lines) + "\n")
    sessions = MarketCalendar("XNYS").sessions_between(BEFORE, LAST)
    for filer in (VERDANE, OSKETT):
        rows = ["date,volume,vw,open,close,high,low,t,n"]
        for number, session in enumerate(sessions):
            opened, closed = _price(filer, number), _price(filer, number + 0.8)
            high, low = max(opened, closed) * 1.004, min(opened, closed) * 0.996
            middle = (opened + closed) / 2
            rows.append(
                f"{session.day} 04:00:00,900000.0,{middle:.4f},{opened:.2f},{closed:.2f},{high:.2f},{low:.2f},"
                f"{int(session.open.timestamp() * 1000)},4000"
            )
        (folder / "prices_csv" / f"{filer.ticker}.csv").write_text("\n".join(rows) + "\n")
    return folder


def _price(filer: Filer, session: float) -> float:
    return filer.first_price * (1 + 0.004 * session + 0.02 * math.sin(session + filer.cik))


def _file(folder: Path, release: Release) -> dict[str, object]:
    filer, day = release.filer, release.accepted.date()
    place = folder / "edgar" / filer.ticker / release.accession
    place.mkdir(parents=True)
    (place / f"{release.accession}.hdr.sgml").write_text(
        _HEADER.format(
            accession=release.accession, day=f"{day:%Y%m%d}", time=f"{release.accepted:%H%M%S}", name=filer.name,
            cik=filer.cik, sic=filer.sic,
        )
    )  # fmt: skip
    (place / "cover.htm").write_text(_COVER.format(name=filer.name, day=day))
    told = "".join(f"<p>{sentence}</p>" for sentence in release.sentences)
    about = f"<p>About {filer.name}: a company of this recording, founded for a test and listed nowhere.</p>"
    (place / "release.htm").write_text(
        f"<html><head><title>EX-99.1</title></head><body><h1>{release.headline}</h1>{told}{about}</body></html>"
    )
    return {
        "ticker": filer.ticker,
        "accession": release.accession,
        "documents": [
            {"type": "8-K", "filename": "cover.htm", "description": "8-K"},
            {"type": "EX-99.1", "filename": "release.htm", "description": "EX-99.1"},
        ],
    }
