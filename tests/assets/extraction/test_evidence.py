"""The evidence contract: quotes are verbatim, companies exist, and what breaks this is dropped and counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.extraction.evidence import LEAST_QUOTE, Claim, judge, locate

TEXT = "Orion Systems beat estimates.\nRevenue of  Orion rose 12 percent, and Petra Oil cut its guidance."


def record(**changes: Any) -> dict[str, Any]:
    return {
        "ticker": "ORIN",
        "sentiment": 0.8,
        "impact": 0.5,
        "catalyst": "earnings_beat",
        "horizon": "days",
        "confidence": 0.9,
        "quote": "Orion Systems beat estimates.",
    } | changes


def verdict(*records: dict[str, Any]) -> Any:
    return judge([Claim(entry, 0, len(TEXT)) for entry in records], TEXT, {"ORIN", "PETR"})


@given(st.text(min_size=1, max_size=200), st.data())
def test_a_slice_of_the_text_is_found_and_its_offsets_are_verbatim(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = "  ".join(text[start:end].split(" ")).replace("\n", " \t")
    span = locate(quote, text)
    if len("".join(quote.split())) < LEAST_QUOTE:
        assert span is None
        return
    assert span is not None
    assert text[span.start : span.end] == span.quote
    assert span.quote.split() == quote.split()


@given(st.text(max_size=60), st.text(max_size=200))
def test_what_is_found_is_always_verbatim(quote: str, text: str) -> None:
    span = locate(quote, text)
    if span is not None:
        assert text[span.start : span.end] == span.quote
        assert span.quote.split() == quote.split()


def test_white_space_is_forgiven_and_words_are_preferred_whole() -> None:
    span = locate("Revenue of Orion\nrose 12  percent", TEXT)
    assert span is not None
    assert span.quote == "Revenue of  Orion rose 12 percent"
    text = "unprofitable firms; profitable firms"
    whole = locate("profitable", text)
    assert whole is not None
    assert whole.start == text.index("profitable firms", 5)


def test_a_supported_record_is_kept() -> None:
    found = verdict(record())
    assert (found.status, found.dropped) == ("extracted", 0)
    assert TEXT[found.kept[0].span.start : found.kept[0].span.end] == "Orion Systems beat estimates."


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"ticker": "EVIL"}, "hallucinated_ticker"),
        ({"quote": "Orion Systems missed estimates."}, "unsupported_quote"),
        ({"quote": "12"}, "unsupported_quote"),
        ({"sentiment": 1.5}, "invalid_record"),
        ({"impact": -0.1}, "invalid_record"),
        ({"confidence": float("nan")}, "invalid_record"),
        ({"sentiment": float("inf")}, "invalid_record"),
        ({"sentiment": "0.5"}, "invalid_record"),
        ({"catalyst": "moon"}, "invalid_record"),
        ({"horizon": "years"}, "invalid_record"),
        ({"order": "buy"}, "invalid_record"),
        ({"quote": "x" * 5000}, "invalid_record"),
        ({"ticker": None}, "invalid_record"),
    ],
)
def test_a_document_whose_every_record_is_dropped_has_failed(changes: dict[str, Any], count: str) -> None:
    found = verdict(record(**changes))
    assert (found.status, found.kept, getattr(found, count), found.dropped) == ("extraction_failed", (), 1, 1)


def test_no_records_at_all_is_no_impact() -> None:
    assert verdict().status == "no_impact"


def test_bad_records_do_not_take_good_ones_with_them() -> None:
    found = verdict(record(ticker="EVIL"), record(), record(ticker=" $PETR ", quote="Petra Oil cut its guidance"))
    assert [impact.ticker for impact in found.kept] == ["ORIN", "PETR"]
    assert found.hallucinated_ticker == 1


def test_of_several_records_about_a_company_the_strongest_is_kept() -> None:
    found = verdict(record(impact=0.2), record(impact=0.9, sentiment=-0.9), record(impact=0.4))
    assert [impact.impact for impact in found.kept] == [0.9]
    assert found.merged == 2


def test_a_quote_is_looked_for_where_it_was_shown_first() -> None:
    text = "Profit rose sharply. Something else. Profit rose sharply."
    found = judge([Claim(record(quote="Profit rose sharply."), 20, len(text))], text, {"ORIN"})
    assert found.kept[0].span.start == 37
