"""The document task on paragraphs and on generated text: catalysts, numbers, verbatim quotes, ranges, boilerplate."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from stonks_core.vocabulary import Catalyst, Horizon
from stonks_sandbox.ollama.prompt import Company, Document
from stonks_sandbox.ollama.rules.data.noise import BOILERPLATE_MARKERS
from stonks_sandbox.ollama.rules.document import extract_document
from stonks_sandbox.ollama.rules.lexicon import parse_table

ACME = Company("ACME", ("Acme Corporation", "Acme"))
ORION = Company("ORN", ("Orion Devices Inc.", "Orion"))


class _Impact(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    ticker: str
    sentiment: float = Field(ge=-1, le=1)
    impact: float = Field(ge=0, le=1)
    catalyst: Catalyst
    horizon: Horizon
    confidence: float = Field(ge=0, le=1)
    quote: str = Field(min_length=1, max_length=300)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    summary: str
    sentiment: float = Field(ge=-1, le=1)
    catalyst: Catalyst
    confidence: float = Field(ge=0, le=1)
    impacts: list[_Impact]


def _extract(text: str, title: str = "", companies: tuple[Company, ...] = (ACME, ORION)) -> _Answer:
    answer = _Answer.model_validate(extract_document(Document(title=title, text=text), companies))
    assert all(record.quote in text for record in answer.impacts)
    assert len({record.ticker for record in answer.impacts}) == len(answer.impacts)
    return answer


def _of(text: str, ticker: str = "ACME", title: str = "") -> _Impact:
    return next(record for record in _extract(text, title).impacts if record.ticker == ticker)


@pytest.mark.parametrize(
    ("text", "catalyst", "sign"),
    [
        ("Acme reported EPS of $1.53 vs. $1.43 expected.", Catalyst.EARNINGS_BEAT, 1),
        ("Acme reported EPS of $1.23 vs. $1.43 expected.", Catalyst.EARNINGS_MISS, -1),
        ("Acme had revenue of $4.2 billion, compared with $3.1 billion a year ago.", Catalyst.EARNINGS_BEAT, 1),
        ("Acme's net loss widened to $40 million as revenue fell 12%.", Catalyst.EARNINGS_MISS, -1),
        ("Acme raised its full-year outlook and now expects sales of $5 billion.", Catalyst.GUIDANCE_RAISE, 1),
        ("Acme lowered its outlook for the year.", Catalyst.GUIDANCE_CUT, -1),
        ("Acme has agreed to be acquired by Titan for $30 a share in cash.", Catalyst.MERGER_ACQUISITION, 1),
        ("Acme unveiled a new line of battery packs.", Catalyst.PRODUCT_LAUNCH, 1),
        ("Acme received FDA approval for its heart pump.", Catalyst.REGULATORY, 1),
        ("Acme was fined $90 million by the regulator.", Catalyst.REGULATORY, -1),
        ("Shareholders filed a class action lawsuit against Acme.", Catalyst.LITIGATION, -1),
        ("Acme's chief executive officer resigned with immediate effect.", Catalyst.MANAGEMENT_CHANGE, -1),
        ("Acme announced a $2 billion share repurchase program.", Catalyst.CAPITAL_RETURN, 1),
        ("Acme suspended its dividend.", Catalyst.CAPITAL_RETURN, -1),
        ("Acme priced a public offering of 20 million common shares.", Catalyst.CAPITAL_RAISE, -1),
        (
            "The chief executive of Acme bought 50,000 shares on the open market; insider buying is rare.",
            Catalyst.INSIDER_TRADE,
            1,
        ),
        ("Analysts at Harbor Bank downgraded Acme to sell.", Catalyst.ANALYST_RATING, -1),
        ("Acme was awarded a $700 million contract by the navy.", Catalyst.CONTRACT_WIN, 1),
        ("Acme lost a major contract with its largest customer.", Catalyst.CONTRACT_LOSS, -1),
        ("Acme disclosed a data breach after hackers broke into its servers.", Catalyst.OPERATIONAL_INCIDENT, -1),
        ("Acme expects tariffs and the trade war to hit it.", Catalyst.MACRO, -1),
    ],
)
def test_each_catalyst_has_its_news(text: str, catalyst: Catalyst, sign: int) -> None:
    record = _of(text)
    assert record.catalyst == catalyst
    assert record.sentiment * sign > 0.1
    assert record.quote in text


def test_a_bigger_number_weighs_more() -> None:
    small, large = _of("Acme shares rose 1%."), _of("Acme shares rose 20%.")
    assert large.sentiment > small.sentiment
    assert large.impact > small.impact


def test_costs_and_losses_are_bad_when_they_rise() -> None:
    assert _of("Acme said costs rose 15%.").sentiment < 0 < _of("Acme said costs fell 15%.").sentiment
    assert _of("Acme's cost of sales increased 15%.").sentiment < 0
    assert _of("Acme said its losses narrowed.").sentiment > 0 > _of("Acme said its losses widened.").sentiment


def test_negation_contrast_and_concession() -> None:
    assert _of("Acme did not beat expectations.").sentiment < 0
    assert _of("Acme is no longer profitable.").sentiment < 0
    assert _of("Despite weak demand, Acme beat expectations.").sentiment > 0.2
    assert _of("Sales were strong, but Acme cut its forecast.").sentiment < -0.2


def test_rumours_and_hedges_lower_confidence() -> None:
    plain = _of("Acme will be acquired by Titan.")
    rumour = _of("Acme may be acquired by Titan, according to unconfirmed rumours.")
    assert rumour.confidence < plain.confidence
    assert abs(rumour.sentiment) <= abs(plain.sentiment)


def test_agreement_raises_confidence_and_conflict_lowers_it() -> None:
    agreed = _of("Acme beat expectations. It raised its outlook. The shares jumped 9%.")
    torn = _of("Acme beat expectations. It lowered its outlook. The shares fell 9%.")
    assert agreed.confidence > torn.confidence


def test_sentences_about_it_belong_to_the_last_company_named() -> None:
    text = "Acme opened a new office. The company also reported a data breach. Orion was founded in 1990. Its profit doubled."
    assert _of(text).sentiment < 0 < _of(text, "ORN").sentiment


def test_a_company_merely_mentioned_gets_nothing_or_little() -> None:
    text = "Acme plunged 20% after it cut its outlook. Acme's headquarters stand next to those of Orion."
    orion = [record for record in _extract(text).impacts if record.ticker == "ORN"]
    assert all(record.impact < 0.3 for record in orion)


def test_a_passing_mention_does_not_take_over_what_follows() -> None:
    text = (
        "Acme lowered its guidance. Orion, a competitor, declined to comment. The new range implies a decline of 12%."
    )
    assert [record.ticker for record in _extract(text, "Acme cuts outlook").impacts] == ["ACME"]


def test_boilerplate_has_no_say_and_is_never_quoted() -> None:
    news = "Acme reported record revenue of $9 billion, up 20% from a year ago.\n\n"
    legal = (
        "Forward-Looking Statements\n"
        "This release contains forward-looking statements, and failures, lawsuits, recalls and losses may occur.\n"
        "Severe decline, fraud and bankruptcy are among the dangers that Acme could meet.\n"
        "About Acme\nAcme is a troubled maker of faulty and recalled goods.\n"
    )
    assert _of(news + legal).model_dump() == _of(news).model_dump()


def test_an_executives_praise_counts_little_in_a_release() -> None:
    text = (
        'FOR IMMEDIATE RELEASE\nAcme Corporation (the "Company") today announced results. Revenue fell 18% to $2.0 billion.\n'
        "“We delivered outstanding, record, exceptional and excellent progress,” said the chief executive. “We are thrilled.”\n"
    )
    assert _of(text).sentiment < 0


def test_results_are_read_from_tables_when_the_prose_is_silent() -> None:
    head = "Item 2.02 Results of Operations and Financial Condition\nAcme Corporation reports second quarter results\n"
    good = (
        head
        + "(in millions) | 2026 | 2025\nNet sales | $ | 5,300 | $ | 4,100\nDiluted earnings per share | $ | 1.50 | $ | 1.10\n"
    )
    bad = (
        head
        + "(in millions) | 2025 | 2026\nNet sales | $ | 5,300 | $ | 4,100\nDiluted earnings per share | $ | 1.50 | $ | 1.10\n"
    )
    assert _of(good).catalyst == Catalyst.EARNINGS_BEAT
    assert _of(bad).catalyst == Catalyst.EARNINGS_MISS
    assert _of(good).sentiment > 0 > _of(bad).sentiment


def test_a_vote_at_the_annual_meeting_is_a_small_matter() -> None:
    text = (
        "FORM 8-K\nAcme Corporation\nItem 5.07 Submission of Matters to a Vote of Security Holders\n"
        'Acme Corporation (the "Company") held its annual meeting on May 2. Shareholders elected ten directors.\n'
    )
    record = _of(text)
    assert record.catalyst == Catalyst.OTHER
    assert record.impact < 0.25


def test_every_vocabulary_word_of_the_answer_is_known() -> None:
    assert set(get_args(Horizon)) == {"intraday", "days", "weeks", "months"}
    assert list(parse_table(" +0.50 1.2: a b; c\n  -0.20 0.3: d")) == [
        ("a b", 0.5, 1.2),
        ("c", 0.5, 1.2),
        ("d", -0.2, 0.3),
    ]
    assert all(marker == marker.lower() for marker in BOILERPLATE_MARKERS)


_PIECES = """
Acme Orion ACME rose fell beat missed expectations guidance not despite but its profit loss 12% $4.5 billion
compared with $3.2 a year ago . , ; ( ) " “ ” recalls sues raised outlook | the company it said may Inc. U.S. — - ’s {} [] * #
"""
_WORDS = st.sampled_from([*_PIECES.split(), "\t", "\n", "\n\n", " "])


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=80), st.lists(_WORDS, max_size=12))
def test_generated_news_never_yields_an_invented_quote(words: list[str], title: list[str]) -> None:
    _extract(" ".join(words), " ".join(title))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=600), st.text(max_size=60))
def test_any_text_yields_a_valid_answer(text: str, title: str) -> None:
    _extract(f"{text} Acme fell. {text}", title)


@given(st.lists(_WORDS, max_size=60))
@settings(max_examples=50, deadline=None)
def test_the_same_text_gives_the_same_answer(words: list[str]) -> None:
    text = " ".join(words)
    assert _extract(text) == _extract(text)
