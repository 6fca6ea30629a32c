"""The submissions JSON of a filer, with its trap: `acceptanceDateTime` always ends in Z and is not always UTC.

For filers whose CIK is divisible by three it is New York clock time with a Z behind it, as for some real filers;
the SGML header is the truth for all.
"""

from collections.abc import Sequence
from typing import Any

from stonks_sandbox.world.forms import full_submission
from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Company, Filing

RECENT = 1000
"""How many filings stand in the first file; older ones go to the files that it lists."""


def stamps_new_york(cik: int) -> bool:
    """Whether this filer's `acceptanceDateTime` is New York clock time."""
    return cik % 3 == 0


def acceptance_stamp(filing: Filing) -> str:
    """`2026-11-20T21:05:12.000Z`, in the clock this filer's records use."""
    at = filing.accepted_at.astimezone(NEW_YORK) if stamps_new_york(filing.cik) else filing.accepted_at
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def columns(filings: Sequence[Filing]) -> dict[str, list[Any]]:
    """Parallel arrays, newest first."""
    rows = list(reversed(filings))
    return {
        "accessionNumber": [row.accession for row in rows],
        "filingDate": [row.filed.isoformat() for row in rows],
        "reportDate": [row.period.isoformat() if row.period else "" for row in rows],
        "acceptanceDateTime": [acceptance_stamp(row) for row in rows],
        "act": ["34" for _ in rows],
        "form": [row.form for row in rows],
        "fileNumber": ["" for _ in rows],
        "filmNumber": ["" for _ in rows],
        "items": [",".join(row.items) for row in rows],
        "core_type": [row.form for row in rows],
        "size": [len(full_submission(row)) for row in rows],
        "isXBRL": [0 for _ in rows],
        "isInlineXBRL": [0 for _ in rows],
        "primaryDocument": [row.documents[0].filename if row.documents else "" for row in rows],
        "primaryDocDescription": [row.documents[0].description if row.documents else "" for row in rows],
    }


def file_name(cik: int, part: int | None = None) -> str:
    """`CIK0000320193.json`, or one of the files with older filings."""
    return f"CIK{cik:010d}.json" if part is None else f"CIK{cik:010d}-submissions-{part:03d}.json"


def older_parts(filings: Sequence[Filing]) -> list[Sequence[Filing]]:
    """The filings (oldest first) that do not fit into the first file, in pieces of a thousand, newest piece first."""
    rest = filings[: max(0, len(filings) - RECENT)]
    return [rest[max(0, end - RECENT) : end] for end in range(len(rest), 0, -RECENT)]


def submissions(company: Company, filings: Sequence[Filing]) -> dict[str, Any]:
    """The whole answer for one filer; `filings` oldest first."""
    cik = company.cik or 0
    return {
        "cik": f"{cik:010d}",
        "entityType": "operating",
        "sic": company.sic_code,
        "sicDescription": company.sic_description,
        "ownerOrg": "",
        "insiderTransactionForOwnerExists": 0,
        "insiderTransactionForIssuerExists": 0,
        "name": company.name,
        "tickers": [company.ticker],
        "exchanges": [{"XNYS": "NYSE", "XNAS": "Nasdaq"}.get(company.exchange, company.exchange)],
        "ein": "",
        "lei": None,
        "description": "",
        "website": "",
        "investorWebsite": "",
        "category": "",
        "fiscalYearEnd": "1231",
        "stateOfIncorporation": "",
        "stateOfIncorporationDescription": "",
        "addresses": {},
        "phone": "",
        "flags": "",
        "formerNames": [],
        "filings": {
            "recent": columns(filings[-RECENT:]),
            "files": [
                {
                    "name": file_name(cik, number),
                    "filingCount": len(part),
                    "filingFrom": part[0].filed.isoformat(),
                    "filingTo": part[-1].filed.isoformat(),
                }
                for number, part in enumerate(older_parts(filings), start=1)
            ],
        },
    }
