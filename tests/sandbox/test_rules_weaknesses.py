"""What scoring against planted events and real filings found misread, each kind in words of its own."""

import pytest

from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.document import extract_document

COVER = """UNITED STATES SECURITIES AND EXCHANGE COMMISSION
FORM 8-K
Brimstead Corporation
(Exact name of registrant as specified in its charter)
(Address of principal executive offices) (Zip Code)
"""


def _read(text: str, title: str = "") -> tuple[float, str]:
    answer = extract_document(
        Document(title=title, text=text), (Company("BRM", ("Brimstead", "Brimstead Corporation")),)
    )
    record = next(iter(answer["impacts"]), {"sentiment": 0.0, "catalyst": "none"})
    return record["sentiment"], record["catalyst"]


@pytest.mark.parametrize(
    ("text", "sign", "catalyst"),
    [
        ("Brimstead sells 12 million new shares to repay bank loans", -1, "capital_raise"),
        ("Brimstead raises $40 million on attractive terms", 1, "capital_raise"),
        ("Brimstead prices discounted share placement", -1, "capital_raise"),
        ("Insider selling at Brimstead climbs to five-year high", -1, "insider_trade"),
        ("Executives of Brimstead trim their stakes", -1, "insider_trade"),
        ("Directors of Brimstead double their holdings", 1, "insider_trade"),
        ("Brimstead pushes back launch of its flagship tractor", -1, "product_launch"),
        ("Brimstead cancels planned rollout of its new app", -1, "product_launch"),
        ("Brimstead's new kettle sells out within two days", 1, "product_launch"),
        ("Watchdog refuses Brimstead's Harborline", -1, "regulatory"),
        ("Brimstead restarts its northern smelter", 1, "operational_incident"),
        ("Brimstead recovers swiftly from fire", 1, "operational_incident"),
        ("Renowned restructurer Ada Strand to run Brimstead", 1, "management_change"),
    ],
)
def test_events_are_read_with_their_sign_and_kind(text: str, sign: int, catalyst: str) -> None:
    sentiment, read_as = _read(text)
    assert sentiment * sign >= 0.1
    assert read_as == catalyst


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("The excitement over Brimstead looks overdone", -1),
        ("Doubts mount over Brimstead", -1),
        ("Concerns about Brimstead are overblown", 1),
        ("Damage at Brimstead less severe than feared", 1),
    ],
)
def test_a_feeling_that_is_called_wrong_speaks_for_the_opposite(text: str, sign: int) -> None:
    assert _read(text)[0] * sign >= 0.1


def test_the_cover_and_the_official_names_of_items_say_nothing() -> None:
    body = "Item 5.03 Amendments to Articles of Incorporation or Bylaws.\nThe Board of Directors of Brimstead amended its bylaws."
    assert _read(COVER + body)[0] == 0.0
    title = "Brimstead Corporation 8-K: Departure of Directors or Certain Officers; Election of Directors"
    appointed = "Item 5.02\nOn May 2, 2025, Brimstead Corporation set the salaries of its officers for 2026."
    assert _read(COVER + appointed, title)[0] == 0.0


def test_votes_and_pay_plans_praise_nobody_and_what_stands_below_other_items_counts() -> None:
    votes = (
        "Item 5.07 Submission of Matters to a Vote.\nStockholders of Brimstead Corporation approved the outstanding "
        "performance plan and its strong incentives.\n"
    )
    assert _read(COVER + votes)[0] == 0.0
    other = "Item 8.01 Other Events.\nBrimstead Corporation raised its quarterly dividend by 12 percent.\n"
    sentiment, catalyst = _read(COVER + votes + other)
    assert sentiment > 0.2
    assert catalyst == "capital_return"
