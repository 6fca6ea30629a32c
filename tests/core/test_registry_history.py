"""The registry as of an instant: what changes later changes nothing earlier, and a company survives its names."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from stonks_core.errors import BadInputError, ConflictError, NotFoundError, StonksError
from stonks_core.registry import attachments, companies
from stonks_core.registry.editing import Edit
from stonks_core.registry.entries import CompanyChange, Exposure, NewCompany, Rivalry
from stonks_core.registry.universe import Universe, load_universe
from stonks_core.settings.slices import Postgres
from stonks_core.stores import migrations
from stonks_core.stores.migrations import ensure_database
from stonks_core.stores.postgres import Database, dsn
from stonks_core.vocabulary import Relationship
from tests.core.registering import START, at, edited, tracked


def names(database: Database, instant: datetime) -> dict[str, str]:
    return {ticker: company.company_id for ticker, company in load_universe(database, instant).companies.items()}


def test_a_company_keeps_its_id_through_a_rename_and_its_names_their_time(database: Database) -> None:
    company_id = tracked(database, "FB", legal_name="Facebook Inc.")
    edited(database, at(5), lambda e: companies.rename_company(e, "FB", "META", "Meta Platforms", 1))
    assert names(database, START - timedelta(seconds=1)) == {}
    assert names(database, at(4.9)) == {"FB": company_id}
    assert names(database, at(5)) == {"META": company_id}
    assert load_universe(database, at(4)).companies["FB"].legal_name == "Facebook Inc."
    (newest,) = database.fetch("SELECT ticker, legal_name, version FROM companies WHERE valid_to = 'infinity'")
    assert newest == {"ticker": "META", "legal_name": "Meta Platforms", "version": 2}
    with database.connection() as connection:
        assert companies.company_id_of(connection, "fb") == company_id  # who had it last
        assert companies.company_id_of(connection, "FB", at(1)) == company_id
        with pytest.raises(NotFoundError, match="no company 'FB' as of"):
            companies.company_id_of(connection, "FB", at(6))
        states = companies.company_states(connection, company_id)
    assert [(s["ticker"], s["valid_from"], s["valid_to"]) for s in states] == [
        ("FB", START, at(5)),
        ("META", at(5), None),
    ]


def test_a_ticker_may_be_anothers_after_a_delisting(database: Database) -> None:
    first = tracked(database, "AAA")
    tracked(database, "BBB")
    edited(database, at(1), lambda e: attachments.set_competitor(e, "BBB", "AAA", Rivalry(strength=0.5), 0))
    edited(database, at(1), lambda e: attachments.add_alias(e, "AAA", "Triple A"))
    edited(database, at(3), lambda e: companies.delist_company(e, "AAA", 1))
    second = tracked(database, "AAA", at(4), legal_name="Another Inc.")
    assert first != second
    assert names(database, at(2))["AAA"] == first
    assert "AAA" not in names(database, at(3))
    assert names(database, at(4))["AAA"] == second
    assert len(load_universe(database, at(2)).competitors) == 1
    assert load_universe(database, at(5)).competitors == ()
    assert load_universe(database, at(2)).companies["AAA"].aliases == ("Triple A",)
    assert load_universe(database, at(5)).companies["AAA"].aliases == ()
    with pytest.raises(ConflictError, match="belongs to Another Inc"):
        tracked(database, "AAA", at(2))


def test_a_taken_ticker_is_refused_by_name_and_by_the_database(database: Database) -> None:
    tracked(database, "AAA")
    other = tracked(database, "BBB")
    with pytest.raises(ConflictError, match="the ticker AAA belongs to AAA Inc"):
        tracked(database, "AAA", at(1))
    with pytest.raises(ConflictError, match="the ticker AAA belongs to AAA Inc"):
        edited(database, at(1), lambda e: companies.rename_company(e, "BBB", "AAA", None, 1))
    with pytest.raises(psycopg.errors.ExclusionViolation):
        database.execute(
            "INSERT INTO company_history (company_id, ticker, legal_name, sector, industry, exchange, active, valid_from, "
            "valid_to) VALUES (%s, 'AAA', 'x', '', '', '', true, '-infinity', %s)",
            (other, at(1)),
        )
    assert len(database.fetch("SELECT FROM company_history")) == 2


def test_a_sector_an_exposure_and_an_alias_were_what_they_were(database: Database) -> None:
    tracked(database, "AAA", sector="Energy")
    edited(
        database, at(1), lambda e: attachments.set_exposure(e, "AAA", Exposure(revenue_by_region={"europe": 0.4}), 0)
    )
    edited(database, at(1), lambda e: attachments.add_alias(e, "AAA", "Alpha"))
    before = load_universe(database, at(2))
    edited(database, at(3), lambda e: attachments.set_exposure(e, "AAA", Exposure(revenue_by_region={"china": 1.0}), 1))
    edited(database, at(3), lambda e: attachments.remove_alias(e, "AAA", "Alpha", 1))
    edited(database, at(3), lambda e: companies.change_company(e, "AAA", CompanyChange(sector="Utilities"), 1))
    assert load_universe(database, at(2)) == before
    after = load_universe(database, at(3))
    assert after.companies["AAA"].sector == "Utilities"
    assert after.companies["AAA"].aliases == ()
    assert after.exposures["AAA"].revenue_by_region == {"china": 1.0}
    edited(database, at(4), lambda e: attachments.remove_exposure(e, "AAA", 2))
    edited(database, at(5), lambda e: attachments.set_exposure(e, "AAA", Exposure(), 0))
    assert load_universe(database, at(4)).exposures == {}
    with database.connection() as connection:
        assert [s["version"] for s in attachments.exposure_states(connection, "AAA")] == [1, 2, 3]


def test_an_edit_takes_effect_when_it_is_told_to_but_neither_ahead_nor_before_what_holds(database: Database) -> None:
    tracked(database, "AAA")
    edited(database, at(9), lambda e: companies.rename_company(e, "AAA", "BBB", None, 1), since=at(2))
    assert list(names(database, at(2))) == ["BBB"]
    assert list(names(database, at(1.9))) == ["AAA"]
    with pytest.raises(ConflictError, match="name a later instant"):
        edited(database, at(9), lambda e: companies.rename_company(e, "BBB", "CCC", None, 2), since=at(1))
    with pytest.raises(BadInputError, match="lies in the future"):
        edited(database, at(9), lambda e: companies.rename_company(e, "BBB", "CCC", None, 2), since=at(10))
    with pytest.raises(ConflictError, match="remove it where it was a mistake"):
        edited(database, at(9), lambda e: companies.delist_company(e, "BBB", 2), since=at(2))
    assert list(names(database, at(10))) == ["BBB"]


def test_two_edits_at_one_instant_leave_the_second(database: Database) -> None:
    company_id = tracked(database, "AAA")
    edited(database, START, lambda e: companies.change_company(e, "AAA", CompanyChange(sector="Energy"), 1))
    edited(database, START, lambda e: attachments.set_exposure(e, "AAA", Exposure(basis="one"), 0))
    edited(database, START, lambda e: attachments.set_exposure(e, "AAA", Exposure(basis="two"), 1))
    with database.connection() as connection:
        assert [s["sector"] for s in companies.company_states(connection, company_id)] == ["Energy"]
        assert [(s["basis"], s["version"]) for s in attachments.exposure_states(connection, "AAA")] == [("two", 2)]


def test_a_plain_update_corrects_the_newest_state(database: Database) -> None:
    tracked(database, "AAA")
    edited(database, at(2), lambda e: companies.rename_company(e, "AAA", "BBB", None, 1))
    database.execute("UPDATE companies SET sector = 'Energy'")
    assert load_universe(database, at(1)).companies["AAA"].sector == ""
    assert load_universe(database, at(3)).companies["BBB"].sector == "Energy"


def test_what_was_there_before_the_history_was_so_always(postgres: Postgres) -> None:
    name = "registry_before_history"
    ensure_database(postgres, name)
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]))
    engine = create_engine(dsn(postgres, name, "postgresql+psycopg"))

    def upgrade(revision: str) -> None:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)

    upgrade("0003")
    with Database(postgres, name) as old:
        for ticker in ("AAA", "BBB"):
            old.execute("INSERT INTO companies (ticker, legal_name, sector) VALUES (%s, 'x', 'Energy')", (ticker,))
        old.execute("INSERT INTO company_aliases (company_id, alias) SELECT company_id, 'Al' FROM companies")
        old.execute("INSERT INTO exposure_profiles (company_id) SELECT company_id FROM companies")
        old.execute(
            "INSERT INTO competitor_relationships SELECT a.company_id, b.company_id, 'supplier', 0.5 "
            "FROM companies a, companies b WHERE a.ticker < b.ticker"
        )
        upgrade("head")
        long_ago = load_universe(old, START - timedelta(days=9000))
        assert {ticker: c.aliases for ticker, c in long_ago.companies.items()} == {"AAA": ("Al",), "BBB": ("Al",)}
        assert set(long_ago.exposures) == {"AAA", "BBB"}
        assert [c.relationship for c in long_ago.competitors] == [Relationship.SUPPLIER]
        edited(old, at(1), lambda e: companies.rename_company(e, "AAA", "ZZZ", None, 1))
        assert load_universe(old, START).competitors[0].ticker == "AAA"
        assert load_universe(old, at(1)).competitors[0].ticker == "ZZZ"
    engine.dispose()
    with psycopg.connect(dsn(postgres, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE registry_before_history WITH (FORCE)")


TICKERS = st.sampled_from(["AAA", "BBB", "CCC"])
STEPS = st.one_of(
    st.tuples(st.just("add"), TICKERS, st.just("")),
    st.tuples(st.just("rename"), TICKERS, TICKERS),
    st.tuples(st.just("delist"), TICKERS, st.just("")),
    st.tuples(st.just("sector"), TICKERS, st.sampled_from(["Energy", "Utilities"])),
    st.tuples(st.just("inactive"), TICKERS, st.just("")),
    st.tuples(st.just("alias"), TICKERS, st.sampled_from(["One", "Two"])),
    st.tuples(st.just("unalias"), TICKERS, st.sampled_from(["One", "Two"])),
    st.tuples(st.just("exposure"), TICKERS, st.sampled_from(["europe", "china"])),
    st.tuples(st.just("compete"), TICKERS, TICKERS),
    st.tuples(st.just("part"), TICKERS, TICKERS),
)


def _act(edit: Edit, kind: str, ticker: str, other: str) -> Any:
    match kind:
        case "add":
            return companies.add_company(edit, NewCompany(ticker=ticker, legal_name=ticker))
        case "rename":
            return companies.rename_company(edit, ticker, other, None, None)
        case "delist":
            return companies.delist_company(edit, ticker, None)
        case "sector":
            return companies.change_company(edit, ticker, CompanyChange(sector=other), None)
        case "inactive":
            return companies.change_company(edit, ticker, CompanyChange(active=False), None)
        case "alias":
            return attachments.add_alias(edit, ticker, other)
        case "unalias":
            return attachments.remove_alias(edit, ticker, other, None)
        case "exposure":
            return attachments.set_exposure(edit, ticker, Exposure(supply_chain_regions=[other]), None)
        case "compete":
            return attachments.set_competitor(edit, ticker, other, Rivalry(strength=0.5), None)
        case _:
            return attachments.remove_competitor(edit, ticker, other, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(STEPS, st.integers(0, 3)), min_size=2, max_size=12))
def test_no_edit_changes_what_was_known_before_it(
    database: Database, steps: list[tuple[tuple[str, str, str], int]]
) -> None:
    database.execute("TRUNCATE companies CASCADE")
    instant, seen = START, dict[datetime, Universe]()
    for step, pause in steps:
        instant += timedelta(hours=pause)
        before = load_universe(database, instant)
        earlier = {when: known for when, known in seen.items() if when < instant}
        try:
            edited(database, instant, lambda edit, step=step: _act(edit, *step))  # type: ignore[misc]
        except StonksError:
            assert load_universe(database, instant) == before
        assert {when: load_universe(database, when) for when in earlier} == earlier
        seen[instant] = load_universe(database, instant)
    newest = {row["ticker"]: row["company_id"] for row in database.fetch(
        "SELECT ticker, company_id::text FROM companies WHERE valid_to = 'infinity' AND active"
    )}  # fmt: skip
    assert newest == names(database, instant)
