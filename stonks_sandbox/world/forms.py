"""What EDGAR's paper looks like: the items of Form 8-K and the SGML header before a submission.

Both worlds and the EDGAR front speak of items by number; headers carry their titles.
"""

from datetime import date, datetime

from stonks_sandbox.world.instants import NEW_YORK
from stonks_sandbox.world.protocol import Company, Filing

ITEMS: dict[str, str] = {
    "1.01": "Entry into a Material Definitive Agreement",
    "1.02": "Termination of a Material Definitive Agreement",
    "1.03": "Bankruptcy or Receivership",
    "1.04": "Mine Safety - Reporting of Shutdowns and Patterns of Violations",
    "1.05": "Material Cybersecurity Incidents",
    "2.01": "Completion of Acquisition or Disposition of Assets",
    "2.02": "Results of Operations and Financial Condition",
    "2.03": "Creation of a Direct Financial Obligation or an Obligation under an Off-Balance Sheet "
    "Arrangement of a Registrant",
    "2.04": "Triggering Events That Accelerate or Increase a Direct Financial Obligation or an Obligation under "
    "an Off-Balance Sheet Arrangement",
    "2.05": "Cost Associated with Exit or Disposal Activities",
    "2.06": "Material Impairments",
    "3.01": "Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard; Transfer of Listing",
    "3.02": "Unregistered Sales of Equity Securities",
    "3.03": "Material Modifications to Rights of Security Holders",
    "4.01": "Changes in Registrant's Certifying Accountant",
    "4.02": "Non-Reliance on Previously Issued Financial Statements or a Related Audit Report or Completed "
    "Interim Review",
    "5.01": "Changes in Control of Registrant",
    "5.02": "Departure of Directors or Certain Officers; Election of Directors; Appointment of Certain Officers: "
    "Compensatory Arrangements of Certain Officers",
    "5.03": "Amendments to Articles of Incorporation or Bylaws; Change in Fiscal Year",
    "5.04": "Temporary Suspension of Trading Under Registrant's Employee Benefit Plans",
    "5.05": "Amendments to the Registrant's Code of Ethics, or Waiver of a Provision of the Code of Ethics",
    "5.07": "Submission of Matters to a Vote of Security Holders",
    "5.08": "Shareholder Director Nominations",
    "7.01": "Regulation FD Disclosure",
    "8.01": "Other Events",
    "9.01": "Financial Statements and Exhibits",
}
_BY_TITLE = {" ".join(title.lower().split()): number for number, title in ITEMS.items()}


def item_number(title: str) -> str:
    """The number of an item by the title in a header; a title that is not on the form comes back as it is.

    Headers made before an item got its title (1.05 in 2024) carry `<ITEMS>` and the number instead.
    """
    plain = title.strip().removeprefix("<ITEMS>")
    return _BY_TITLE.get(" ".join(plain.lower().split()), plain)


def item_title(number: str) -> str:
    """The title of an item number; an unknown one comes back as it is."""
    return ITEMS.get(number, number)


def acceptance(at: datetime) -> str:
    """A header's ACCEPTANCE-DATETIME: fourteen digits of New York clock time."""
    return at.astimezone(NEW_YORK).strftime("%Y%m%d%H%M%S")


def sgml_header(
    company: Company, accession: str, form: str, accepted: datetime, filed: date, items: tuple[str, ...], count: int
) -> bytes:
    """The header of a submission by an invented company."""
    lines = [
        f"<SEC-DOCUMENT>{accession}.txt : {filed:%Y%m%d}",
        f"<SEC-HEADER>{accession}.hdr.sgml : {filed:%Y%m%d}",
        f"<ACCEPTANCE-DATETIME>{acceptance(accepted)}",
        f"ACCESSION NUMBER:\t\t{accession}",
        f"CONFORMED SUBMISSION TYPE:\t{form}",
        f"PUBLIC DOCUMENT COUNT:\t\t{count}",
        f"CONFORMED PERIOD OF REPORT:\t{filed:%Y%m%d}",
        *(f"ITEM INFORMATION:\t\t{item_title(item)}" for item in items),
        f"FILED AS OF DATE:\t\t{filed:%Y%m%d}",
        f"DATE AS OF CHANGE:\t\t{filed:%Y%m%d}",
        "",
        "FILER:",
        "",
        "\tCOMPANY DATA:\t",
        f"\t\tCOMPANY CONFORMED NAME:\t\t\t{company.name}",
        f"\t\tCENTRAL INDEX KEY:\t\t\t{company.cik or 0:010d}",
        f"\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\t{company.sic_description} [{company.sic_code}]",
        "\t\tFISCAL YEAR END:\t\t\t1231",
        "",
        "\tFILING VALUES:",
        f"\t\tFORM TYPE:\t\t{form}",
        "\t\tSEC ACT:\t\t1934 Act",
        "</SEC-HEADER>",
    ]
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def full_submission(filing: Filing) -> bytes:
    """The complete submission text: header, then each document in its SGML wrapper, its bytes untouched."""
    parts = [filing.header if filing.header.endswith(b"\n") else filing.header + b"\n"]
    for sequence, document in enumerate(filing.documents, start=1):
        opening = (
            f"<DOCUMENT>\n<TYPE>{document.type}\n<SEQUENCE>{sequence}\n<FILENAME>{document.filename}\n"
            f"<DESCRIPTION>{document.description}\n<TEXT>\n"
        )
        ending = b"" if document.content.endswith(b"\n") else b"\n"
        parts += [opening.encode("ascii", "replace"), document.content, ending, b"</TEXT>\n</DOCUMENT>\n"]
    parts.append(b"</SEC-DOCUMENT>\n")
    return b"".join(parts)
