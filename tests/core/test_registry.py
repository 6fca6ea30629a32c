"""The registry's snapshot over a real database: what is active, as of an instant, with all that hangs on it."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from stonks_core.registry.universe import Competitor, Universe, load_universe
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import Relationship, SourceType

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def company(database: Database, ticker: str, **more: object) -> str:
    columns = {"ticker": ticker, "legal_name": f"{ticker} Inc.", **more}
    names, holes = ", ".join(columns), ", ".join(["%s"] * len(columns))
    row = database.fetch_one(
        f"INSERT INTO companies ({names}) VALUES ({holes}) RETURNING company_id::text AS id", list(columns.values())
    )  # type: ignore[arg-type]
    assert row is not None
    return str(row["id"])


def relate(
    database: Database, one: str, other: str, relationship: str = "direct_competitor", strength: float = 0.5
) -> None:
    database.execute(
        "INSERT INTO competitor_relationships VALUES (%s, %s, %s, %s)", (one, other, relationship, strength)
    )


def source(database: Database, name: str, **more: object) -> None:
    values = {"source_type": "news_api", "company_id": None, "config": {}, "active": True, "credibility": 0.5, **more}
    database.execute(
        "INSERT INTO sources (name, source_type, company_id, config, active, credibility) VALUES (%s, %s, %s, %s, %s, %s)",
        (
            name,
            values["source_type"],
            values["company_id"],
            Jsonb(values["config"]),
            values["active"],
            values["credibility"],
        ),
    )


def test_an_empty_registry_is_an_empty_universe(database: Database) -> None:
    assert load_universe(database, NOON) == Universe({}, {}, (), ())


def test_the_whole_picture(database: Database) -> None:
    a, b = company(database, "AAA", sector="Energy", cik=7), company(database, "BBB")
    database.execute("INSERT INTO company_aliases (company_id, alias) VALUES (%s, 'Zeta'), (%s, 'Alpha')", (a, a))
    database.execute(
        "INSERT INTO exposure_profiles (company_id, revenue_by_region, commodity_sensitivity, supply_chain_regions) "
        "VALUES (%s, %s, %s, %s)",
        (a, Jsonb({"europe": 0.4}), Jsonb({"oil": -0.5}), Jsonb(["china"])),
    )
    relate(database, a, b, "supplier", 0.3)
    source(database, "everybody", source_type="filings_api", credibility=0.95, config={"forms": ["8-K"]})
    source(database, "own", company_id=a)
    universe = load_universe(database, NOON)
    found = universe.companies["AAA"]
    assert (found.legal_name, found.sector, found.cik, found.aliases) == ("AAA Inc.", "Energy", 7, ("Alpha", "Zeta"))
    assert list(universe.companies) == ["AAA", "BBB"]
    assert universe.exposures["AAA"].commodity_sensitivity == {"oil": -0.5}
    assert universe.exposures["AAA"].supply_chain_regions == ("china",)
    assert universe.competitors == (Competitor("AAA", "BBB", Relationship.SUPPLIER, 0.3),)
    (filings,) = universe.sources_of(SourceType.FILINGS_API)
    assert (filings.ticker, filings.credibility, filings.config) == ("", 0.95, {"forms": ["8-K"]})
    assert [s.ticker for s in universe.sources_of(SourceType.NEWS_API)] == ["AAA"]
    assert universe.sources_of(SourceType.BROKER) == ()


def test_what_hangs_on_an_inactive_company_is_left_out(database: Database) -> None:
    a, gone = company(database, "AAA"), company(database, "GONE", active=False)
    relate(database, a, gone)
    relate(database, gone, a)
    database.execute("INSERT INTO exposure_profiles (company_id) VALUES (%s)", (gone,))
    source(database, "of the gone", company_id=gone)
    source(database, "switched off", active=False)
    universe = load_universe(database, NOON)
    assert (list(universe.companies), universe.exposures, universe.competitors, universe.sources) == (
        ["AAA"],
        {},
        (),
        (),
    )


@pytest.mark.parametrize(("hours", "ticker"), [(-1, "OLD"), (0, "NEW"), (1, "NEW")])
def test_a_renamed_company_is_the_one_of_the_instant(database: Database, hours: int, ticker: str) -> None:
    company(database, "OLD", valid_to=NOON)
    company(database, "NEW", valid_from=NOON)
    assert list(load_universe(database, NOON + timedelta(hours=hours)).companies) == [ticker]
