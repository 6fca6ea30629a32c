"""The macro layer's formulas, recomputed by hand and held to their ranges."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stonks_assets.extraction.agents import Agent, AgentConfig, Variant
from stonks_assets.extraction.exposure import SEVERITY, CommodityMove, CompanyExposure, EventReach, macro_impact
from stonks_core.vocabulary import COMMODITIES, REGIONS

share = st.floats(0, 1)
signed = st.floats(-1, 1)


def test_factors_are_joined_as_stated() -> None:
    event = EventReach("high", -0.6, {"europe": 0.5, "china": 1.0}, {"Energy": 0.25}, {"oil": CommodityMove(0.8, 1)})
    company = CompanyExposure("Energy", {"europe": 0.4, "china": 0.1}, {"oil": 0.9, "gold": 1.0})
    found = macro_impact(event, company)
    assert found.geo == pytest.approx(0.3)
    assert found.sector == 0.25
    assert found.commodity == pytest.approx(0.72)
    assert found.exposure == pytest.approx(1 - (1 - 0.18) * (1 - 0.2) * (1 - 0.504))
    assert found.impact == pytest.approx(0.75 * found.exposure)
    assert found.sentiment == pytest.approx(0.6)


def test_a_consumer_of_a_dearer_commodity_suffers() -> None:
    event = EventReach("low", 0.5, {}, {}, {"oil": CommodityMove(1.0, 1)})
    assert macro_impact(event, CompanyExposure("X", {}, {"oil": -0.5})).sentiment == -0.5


def test_without_a_leading_commodity_the_direction_speaks() -> None:
    event = EventReach("low", 0.5, {"europe": 1.0}, {}, {"oil": CommodityMove(1.0, 1)})
    assert macro_impact(event, CompanyExposure("X", {"europe": 0.5}, {"oil": -0.5})).sentiment == 0.5


def test_an_event_far_away_has_no_impact() -> None:
    event = EventReach("critical", -1.0, {"china": 1.0}, {"Energy": 1.0}, {})
    found = macro_impact(event, CompanyExposure("Utilities", {"europe": 1.0}, {}))
    assert (found.exposure, found.impact, found.sentiment) == (0.0, 0.0, -1.0)


@given(
    st.sampled_from(sorted(SEVERITY)),
    signed,
    st.dictionaries(st.sampled_from(REGIONS), share),
    st.dictionaries(st.sampled_from(COMMODITIES), st.builds(CommodityMove, share, st.sampled_from([-1, 1]))),
    share,
    st.dictionaries(st.sampled_from(REGIONS), share),
    st.dictionaries(st.sampled_from(COMMODITIES), signed),
)
def test_everything_stays_in_range(
    severity: str,
    direction: float,
    regions: dict[str, float],
    commodities: dict[str, CommodityMove],
    sector: float,
    revenue: dict[str, float],
    sensitivity: dict[str, float],
) -> None:
    total = math.fsum(revenue.values())
    shares = {name: value / max(1.0, total) for name, value in revenue.items()}
    event = EventReach(severity, direction, regions, {"Energy": sector}, commodities)
    found = macro_impact(event, CompanyExposure("Energy", shares, sensitivity))
    for value in (found.geo, found.sector, found.commodity, found.exposure, found.impact):
        assert 0 <= value <= 1
    assert abs(found.sentiment) <= abs(direction)


@given(share, share, share, share)
def test_more_exposure_or_severity_never_lessens_the_impact(
    region: float, more: float, sector: float, weight: float
) -> None:
    def impact(severity: str, revenue: float) -> float:
        event = EventReach(severity, -0.5, {"china": weight}, {"Energy": sector}, {})
        return macro_impact(event, CompanyExposure("Energy", {"china": revenue}, {})).impact

    found = [impact(severity, region) for severity in ("low", "moderate", "high", "critical")]
    assert found == sorted(found)
    assert impact("high", max(region, more)) >= impact("high", region) - 1e-12


def agent(*weights: float) -> Agent:
    base = AgentConfig("document-extractor", "base", "m")
    return Agent(
        base,
        tuple(Variant(AgentConfig("document-extractor", f"v{i}", "m"), weight) for i, weight in enumerate(weights)),
    )


def test_variants_get_their_share_and_a_document_always_the_same_one() -> None:
    chosen = [agent(0.3, 0.2).choose(f"20260302-{i:020}").variant for i in range(4000)]
    assert chosen == [agent(0.3, 0.2).choose(f"20260302-{i:020}").variant for i in range(4000)]
    assert chosen.count("v0") / 4000 == pytest.approx(0.3, abs=0.03)
    assert chosen.count("v1") / 4000 == pytest.approx(0.2, abs=0.03)


def test_weights_above_one_are_shared_out_and_none_is_the_base() -> None:
    assert {agent(1.0, 1.0).choose(str(i)).variant for i in range(200)} == {"v0", "v1"}
    assert agent().choose("x").variant == "base"


def test_options_leave_room_for_the_answer() -> None:
    config = AgentConfig("a", "base", "m", options={"temperature": 0.2})
    assert config.call_options(4096) == {"num_ctx": 4096, "temperature": 0.2, "seed": 7, "num_predict": 1024}
