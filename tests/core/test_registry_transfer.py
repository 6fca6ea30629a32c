"""Bulk: what goes out comes in unchanged, formulas are harmless, and a bad line refuses all of it by line and column."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stonks_core.errors import BadFieldsError, BadInputError
from stonks_core.registry import attachments, companies, sources, watchlists
from stonks_core.registry.edgar_tickers import import_tickers, read_tickers
from stonks_core.registry.entries import Exposure, NewCompany, Rivalry, SourceEntry
from stonks_core.registry.importing import Imported, apply, rows_of
from stonks_core.registry.transfer import TABLES, TableName, read_csv, read_json, shielded, to_csv, to_json, unshielded
from stonks_core.stores.postgres import Database
from stonks_core.vocabulary import COMMODITIES, REGIONS, SECTORS
from tests.core.registering import START, at, edited, tracked

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() != ""
)
FORMULAS = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "'=x", "''-y", "'Tis", '=HYPERLINK("x")', "a,b", 'a"b', "'"]
)
WORDS = st.one_of(TEXT, FORMULAS)
COMPANY = st.fixed_dictionaries({
    "legal_name": WORDS, "industry": st.one_of(st.just(""), WORDS), "sector": st.sampled_from(["", *SECTORS]),
    "cik": st.one_of(st.none(), st.integers(1, 9_999_999_999)), "exchange": st.one_of(st.just(""), WORDS),
    "active": st.booleans(), "alias": WORDS, "watchlist": WORDS, "source": WORDS,
    "regions": st.dictionaries(st.sampled_from(REGIONS), st.floats(0, 0.16)),
    "commodities": st.dictionaries(st.sampled_from(COMMODITIES), st.floats(-1, 1)),
    "strength": st.floats(0, 1), "url": st.sampled_from(["https://a.example/x?y=1", "http://b.example/"]),
})  # fmt: skip


def exported(database: Database) -> dict[TableName, list[Any]]:
    with database.connection() as connection:
        return {name: rows_of(connection, name, "infinity") for name in TABLES}


def imported(database: Database, tables: Any, hours: float = 2, *, dry_run: bool = False) -> list[Imported]:
    return edited(database, at(hours), lambda edit: apply(edit, tables), dry_run=dry_run)


def fill(database: Database, ticker: str, given: dict[str, Any]) -> None:
    def act(edit: Any) -> None:
        fields = {k: given[k] for k in ("legal_name", "industry", "sector", "cik", "exchange")}
        companies.add_company(edit, NewCompany(ticker=ticker, active=given["active"], **fields))
        attachments.add_alias(edit, ticker, given["alias"])
        exposure = Exposure(revenue_by_region=given["regions"], commodity_sensitivity=given["commodities"])
        attachments.set_exposure(edit, ticker, exposure, None)
        if ticker != "AAA":
            attachments.set_competitor(edit, ticker, "AAA", Rivalry(strength=given["strength"]), None)
        watchlists.add_watchlist(edit, f"{ticker} {given['watchlist']}", given["industry"], [ticker])
        new = {"source_type": "web_scrape", "name": given["source"], "ticker": ticker, "config": {"url": given["url"]}}
        sources.add_source(edit, SourceEntry.model_validate(new))

    edited(database, START, act)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(COMPANY, min_size=1, max_size=3))
def test_what_goes_out_comes_in_without_a_change(database: Database, given: list[dict[str, Any]]) -> None:
    database.execute("TRUNCATE companies, watchlists, sources CASCADE")
    for ticker, company in zip(("AAA", "BBB", "CCC"), given, strict=False):
        fill(database, ticker, company)
    before = exported(database)
    assert imported(database, read_json(to_json(before).encode())) == []
    for name, rows in before.items():
        text = to_csv(name, rows)
        assert not [cell for row in csv.reader(io.StringIO(text)) for cell in row if cell[:1] and cell[0] in "=+-@\t\r"]
        assert imported(database, read_csv(name, text.encode())) == []
    assert exported(database) == before
    database.execute("TRUNCATE companies, watchlists, sources CASCADE")
    for name, rows in before.items():
        imported(database, read_csv(name, to_csv(name, rows).encode()))
    assert exported(database) == before


@example("'=1")
@example("''=1")
@example("'Tis")
@given(st.text())
def test_a_shield_comes_off_again(cell: str) -> None:
    assert unshielded(shielded(cell)) == cell
    assert shielded(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_an_import_adds_and_changes_what_it_says_and_is_idempotent(database: Database) -> None:
    tracked(database, "AAA", sector="Energy", cik=7)
    body = b"ticker,legal_name,sector,cik\r\nAAA,AAA Inc.,Utilities,\r\nBBB,Beta,,8\r\n"
    tables = read_csv("companies", body)
    planned = imported(database, tables, dry_run=True)
    assert [row["ticker"] for row in exported(database)["companies"]] == ["AAA"]
    done = imported(database, tables)
    assert done == planned
    assert [(one.where, one.key, one.action, one.changes) for one in done] == [
        ("line 2", "AAA", "change", {"sector": {"was": "Energy", "is": "Utilities"}}),
        ("line 3", "BBB", "add", {}),
    ]
    assert imported(database, tables, 3) == []
    held = {row["ticker"]: row for row in exported(database)["companies"]}
    assert (held["AAA"]["cik"], held["AAA"]["sector"], held["BBB"]["cik"]) == (7, "Utilities", 8)


def test_one_bad_line_refuses_all_and_every_bad_line_and_column_is_named(database: Database) -> None:
    body = b"ticker,legal_name,cik,active\nGOOD,Good,1,true\nbad,Bad,x,maybe\nWORSE,,2,true\nGOOD,Again,1,true\nA,b\n"
    with pytest.raises(BadFieldsError) as refused:
        read_csv("companies", body)
    assert [where for where, _ in refused.value.fields] == [
        "line 3, cik", "line 3, active", "line 6", "line 4, legal_name", "line 5, ticker",
    ]  # fmt: skip
    tables = read_csv("aliases", b"ticker,alias\nNOPE,x\nALSO,y\n")
    with pytest.raises(
        BadFieldsError, match=r"line 2, ticker: the registry has no company 'NOPE'.*line 3, ticker"
    ) as told:
        imported(database, tables)
    assert len(told.value.fields) == 2
    mixed = read_json(
        b'{"companies": [{"ticker": "NEW", "legal_name": "x"}], "aliases": [{"ticker": "NOPE", "alias": "x"}]}'
    )
    with pytest.raises(BadFieldsError, match="aliases 1, ticker"):
        imported(database, mixed)
    assert exported(database)["companies"] == []
    assert database.fetch("SELECT FROM audit_events") == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"ticker,color\nA,red\n", "line 1, color"),
        (b"legal_name\nA\n", "line 1, ticker: this column is missing"),
        (b"", "line 1, ticker: this column is missing"),
        (b"ticker,ticker,legal_name\nA,A,x\n", "line 1, ticker"),
        (b"ticker,legal_name\n\xff,x\n", "not in UTF-8"),
        (b'ticker,legal_name\nA,"x\n', "line 2 is no CSV"),
    ],
)
def test_what_is_no_csv_of_the_table_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        read_csv("companies", body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"companies": {}}', "companies: must be a list of objects"),
        (b'{"orders": []}', "orders: is no table"),
        (b'{"companies": [{"ticker": "A", "legal_name": 5}]}', "companies 1, legal_name"),
    ],
)
def test_what_is_no_json_of_the_registry_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        read_json(body)


def test_a_line_number_counts_the_files_lines_and_a_byte_order_mark_is_none() -> None:
    body = '\ufeffticker,legal_name\r\nAAA,"two\r\nlines"\r\nbbb,x\r\n'.encode()
    with pytest.raises(BadFieldsError) as refused:
        read_csv("companies", body)
    assert [where for where, _ in refused.value.fields] == ["line 2, legal_name", "line 4, ticker"]


def test_an_export_is_as_of_an_instant(database: Database) -> None:
    tracked(database, "OLD")
    edited(database, at(2), lambda e: companies.rename_company(e, "OLD", "NEW", None, 1))
    with database.connection() as connection:
        assert [row["ticker"] for row in rows_of(connection, "companies", at(1))] == ["OLD"]
        assert [row["ticker"] for row in rows_of(connection, "companies", at(2))] == ["NEW"]


def listed(*rows: tuple[int, str, str]) -> bytes:
    return json.dumps(
        {str(n): {"cik_str": c, "ticker": t, "title": name} for n, (c, t, name) in enumerate(rows)}
    ).encode()


def test_the_secs_list_fills_what_lacks_tells_what_differs_and_adds_what_is_asked_for(database: Database) -> None:
    tracked(database, "AAPL", legal_name="AAPL")
    tracked(database, "BRK.B", legal_name="Berkshire", cik=5)
    body = listed((320193, "AAPL", "Apple Inc."), (1067983, "BRK-B", "BERKSHIRE HATHAWAY INC"), (3, "BF-A", "Brown"))
    for expected in (("AAPL",), ()):
        done = edited(database, at(1), lambda e: import_tickers(e, read_tickers(body), ["BF.A"]))
        assert done.filled == expected
    assert done.added == ()
    assert [one["ticker"] for one in done.differing] == ["BRK.B"]
    held = {row["ticker"]: (row["legal_name"], row["cik"]) for row in exported(database)["companies"]}
    assert held == {"AAPL": ("Apple Inc.", 320193), "BRK.B": ("Berkshire", 5), "BF.A": ("Brown", 3)}
    with pytest.raises(BadFieldsError, match="EDGAR's list does not know NOPE"):
        edited(database, at(1), lambda e: import_tickers(e, read_tickers(body), ["NOPE", "BF.A"]))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"[]", "must be an object"),
        (b"{}", "must be an object"),
        (b"<html>", "is no JSON"),
        (listed((0, "A", "x")), "row 0, cik_str"),
    ],
)
def test_what_is_not_the_secs_list_is_refused(body: bytes, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        read_tickers(body)


def test_the_recorded_list_is_taken_whole(database: Database, shared_data: Path) -> None:
    filers = read_tickers((shared_data / "reference" / "company_tickers.json").read_bytes())
    done = edited(database, START, lambda e: import_tickers(e, filers, everyone=True))
    assert len(done.added) == len(filers) > 9000
    assert {"AAPL", "BRK.B"} <= set(done.added)
    again = edited(database, at(1), lambda e: import_tickers(e, filers, everyone=True))
    assert (again.added, again.filled, again.differing) == ((), (), ())
