"""The small parts that everybody uses: clock, money, identifiers, sectors."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_core.clock import ManualClock, SystemClock, require_utc
from stonks_core.errors import BadInputError
from stonks_core.identifiers import day_of_document, digest, sha256_bytes, sha256_text
from stonks_core.money import dollars, dollars_down, order_price, shares_down
from stonks_core.registry.sectors import default_exposure, sector_of_sic
from stonks_core.stores.failing import in_words
from stonks_core.vocabulary import COMMODITIES, REGIONS, SECTORS

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
amounts = st.decimals(-1_000_000, 1_000_000, places=11)


def test_the_machine_s_clock_is_aware_utc() -> None:
    first, second = SystemClock().now(), SystemClock().now()
    assert first.utcoffset() == timedelta(0)
    assert first <= second


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("the disk is full."), "the disk is full"),
        (OSError("Json error: no log\n   0: <unknown>\n   1: clone3"), "Json error: no log"),
        (OSError("  \n "), "OSError"),
        (OSError("x" * 400), "x" * 300),
    ],
)
def test_an_error_is_said_in_one_line_without_a_stack(error: OSError, words: str) -> None:
    assert in_words(error) == words


def test_a_manual_clock_moves_when_told_and_never_back() -> None:
    clock = ManualClock(NOON)
    assert clock.now() == NOON
    clock.advance_to(NOON)
    clock.advance_to(NOON + timedelta(hours=1))
    assert clock.now() == NOON + timedelta(hours=1)
    with pytest.raises(BadInputError, match=r"cannot go back to 2026-03-10T12:00:00\+00:00"):
        clock.advance_to(NOON)


@pytest.mark.parametrize(
    "instant",
    [
        NOON.replace(tzinfo=None),
        NOON.astimezone(timezone(timedelta(hours=2))),
        NOON.astimezone(ZoneInfo("America/New_York")),
    ],
)
def test_only_aware_utc_is_an_instant(instant: datetime) -> None:
    with pytest.raises(BadInputError, match="is not an aware UTC instant"):
        require_utc(instant)
    with pytest.raises(BadInputError):
        ManualClock(instant)


def test_other_names_of_utc_are_utc() -> None:
    for zone in (UTC, ZoneInfo("UTC"), timezone(timedelta(0))):
        assert require_utc(NOON.replace(tzinfo=zone)) == NOON


@pytest.mark.parametrize(("value", "cents"), [("1.005", "1.00"), ("1.015", "1.02"), (0.1, "0.10"), ("-1.005", "-1.00")])
def test_dollars_round_half_to_even(value: str | float, cents: str) -> None:
    assert str(dollars(value)) == cents


@given(amounts)
def test_cutting_never_exceeds_and_loses_less_than_a_unit(value: Decimal) -> None:
    assert abs(dollars_down(value)) <= abs(value)
    assert abs(value - dollars_down(value)) < Decimal("0.01")
    assert abs(shares_down(value)) <= abs(value)
    assert abs(value - shares_down(value)) < Decimal("1e-9")
    assert abs(value - dollars(value)) <= Decimal("0.005")


@given(st.decimals("0.0001", 100_000, places=6))
def test_an_order_s_price_has_the_decimals_that_a_broker_takes(value: Decimal) -> None:
    price = order_price(value)
    assert -int(price.as_tuple().exponent) <= (2 if value >= 1 else 4)
    assert abs(price - value) <= (Decimal("0.005") if value >= 1 else Decimal("0.00005"))


@pytest.mark.parametrize("value", [0.1, 0.29, 1.1, 2.675])
def test_floats_are_taken_as_they_print(value: float) -> None:
    assert shares_down(value) == Decimal(str(value))


parts = st.lists(
    st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=4
)


@given(parts, parts)
def test_a_digest_names_its_parts_and_nothing_else(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
    assert len(digest(*one)) == 24
    assert digest(*one, length=8) == digest(*one)[:8]


def test_known_digests_never_change() -> None:
    assert sha256_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_bytes("ü".encode()) == sha256_text("ü")
    assert digest("a", 1) == sha256_text("a\x1f1")[:24]


def test_the_day_can_be_read_off_a_document_s_name() -> None:
    assert day_of_document("20260310-abcdef").isoformat() == "2026-03-10"
    with pytest.raises(ValueError, match="day"):
        day_of_document("20260231-abcdef")


@pytest.mark.parametrize(
    ("code", "sector"),
    [
        ("3571", "Information Technology"),
        ("7372", "Information Technology"),
        ("6021", "Financials"),
        ("6798", "Real Estate"),
        ("2834", "Health Care"),
        ("2911", "Energy"),
        ("1311", "Energy"),
        ("3711", "Consumer Discretionary"),
        ("4911", "Utilities"),
        ("5331", "Consumer Staples"),
        ("", ""),
        ("9999", ""),
        ("abc", ""),
        ("²", ""),
    ],
)
def test_sectors_by_industry_code(code: str, sector: str) -> None:
    assert sector_of_sic(code) == sector


@given(st.integers(0, 9999))
def test_every_industry_code_has_a_sector_of_the_vocabulary_or_none(code: int) -> None:
    assert sector_of_sic(f"{code:04d}") in {"", *SECTORS}


@pytest.mark.parametrize("sector", [*SECTORS, "unheard of"])
def test_default_exposures_use_the_vocabulary_and_stay_in_bounds(sector: str) -> None:
    profile = default_exposure(sector)
    assert set(profile.revenue_by_region) <= set(REGIONS)
    assert sum(profile.revenue_by_region.values()) <= 1 + 1e-9
    assert set(profile.commodity_sensitivity) <= set(COMMODITIES)
    assert all(-1 <= value <= 1 for value in profile.commodity_sensitivity.values())
    assert set(profile.supply_chain_regions) <= set(REGIONS)
