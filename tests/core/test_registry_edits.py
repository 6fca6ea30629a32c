"""Edits: on record, once, by one editor at a time, refused with a sentence where they do not fit."""

import threading
from typing import Any

import pytest

from stonks_core.errors import BadFieldsError, ConflictError, NotFoundError, StonksError
from stonks_core.registry import attachments, companies, sources, watchlists
from stonks_core.registry.entries import CompanyChange, Exposure, SourceChange, SourceEntry, entry
from stonks_core.stores.postgres import Database
from tests.core.registering import START, at, edited, tracked

FEED = {"provider": "rss", "url": "https://news.example/feed.xml"}


def audit(database: Database) -> list[dict[str, Any]]:
    return database.fetch("SELECT actor, action, subject, reason, detail FROM audit_events ORDER BY id")


def feed(database: Database, name: str = "A feed", **more: object) -> dict[str, Any]:
    new = entry(SourceEntry, {"source_type": "news_api", "name": name, "config": FEED, **more})
    return edited(database, START, lambda e: sources.add_source(e, new))


def test_a_change_and_its_record_stand_or_fall_together(database: Database) -> None:
    tracked(database, "AAA")
    edited(database, at(1), lambda e: companies.change_company(e, "AAA", CompanyChange(sector="Energy", cik=7), 1))
    added, changed = audit(database)
    assert (added["actor"], added["action"], added["subject"]) == ("tester", "company_added", "AAA")
    assert changed["reason"] == "because of the test"
    assert changed["detail"]["changes"] == {"sector": {"was": "", "is": "Energy"}, "cik": {"was": None, "is": 7}}
    assert changed["detail"]["effective_from"] == at(1).isoformat()
    assert changed["detail"]["trace_id"] == "trace-1"
    with pytest.raises(ConflictError, match="AAA is at version 2 and you changed version 1"):
        edited(database, at(2), lambda e: companies.change_company(e, "AAA", CompanyChange(sector="Utilities"), 1))
    assert len(audit(database)) == 2


def test_saying_what_holds_already_changes_and_records_nothing(database: Database) -> None:
    tracked(database, "AAA", sector="Energy")
    for _ in range(2):
        edited(database, at(1), lambda e: companies.change_company(e, "AAA", CompanyChange(sector="Energy"), 1))
        edited(database, at(1), lambda e: attachments.add_alias(e, "AAA", "Alpha"))
        edited(database, at(1), lambda e: attachments.set_exposure(e, "AAA", Exposure(), None))
    assert [row["action"] for row in audit(database)] == ["company_added", "alias_added", "exposure_changed"]


def test_of_two_editors_of_one_version_one_is_refused(database: Database) -> None:
    tracked(database, "AAA")
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def change(sector: str) -> None:
        together.wait(10)
        try:
            edited(database, at(1), lambda e: companies.change_company(e, "AAA", CompanyChange(sector=sector), 1))
            outcomes.append("changed")
        except ConflictError as error:
            outcomes.append(str(error))

    editors = [threading.Thread(target=change, args=(sector,)) for sector in ("Energy", "Utilities")]
    for editor in editors:
        editor.start()
    for editor in editors:
        editor.join(20)
    changed, refused = sorted(outcomes, key=len)
    assert changed == "changed"
    assert "somebody else was first" in refused
    assert len(database.fetch("SELECT FROM company_history")) == 2


def test_a_company_is_removed_only_where_nothing_refers_to_it(database: Database) -> None:
    tracked(database, "AAA")
    tracked(database, "BBB")
    edited(database, START, lambda e: attachments.add_alias(e, "AAA", "Alpha"))
    edited(database, START, lambda e: watchlists.add_watchlist(e, "mine", "", ["BBB"]))
    feed(database, ticker="BBB")
    with pytest.raises(ConflictError, match=r"referred to by its sources, watchlists, trends.*delist it instead"):
        edited(database, at(1), lambda e: companies.remove_company(e, "BBB", 1, ["trends"]))
    with pytest.raises(ConflictError, match="at version 1 and you changed version 3"):
        edited(database, at(1), lambda e: companies.remove_company(e, "AAA", 3, []))
    edited(database, at(1), lambda e: companies.remove_company(e, "AAA", 1, []))
    assert [row["ticker"] for row in database.fetch("SELECT ticker FROM company_history")] == ["BBB"]
    assert audit(database)[-1]["detail"]["legal_name"] == "AAA Inc."


def test_an_order_keeps_its_company(database: Database) -> None:
    tracked(database, "AAA")
    database.execute(
        "INSERT INTO broker_accounts (account_id, mode, sandbox, status, cash, equity, buying_power, synced_at) "
        "VALUES ('acc', 'paper', true, 'ACTIVE', 1, 1, 1, now())"
    )
    database.execute(
        "INSERT INTO positions (account_id, ticker, quantity, cost, updated_at) VALUES ('acc', 'AAA', 0, 0, now())"
    )
    with pytest.raises(ConflictError, match="its positions"):
        edited(database, at(1), lambda e: companies.remove_company(e, "AAA", 1, []))


def test_delisting_switches_off_the_companys_sources_and_is_final(database: Database) -> None:
    company_id = tracked(database, "AAA")
    feed(database, ticker="AAA")
    edited(database, at(1), lambda e: companies.delist_company(e, "AAA", 1))
    assert database.fetch("SELECT active FROM sources") == [{"active": False}]
    assert audit(database)[-1]["detail"]["sources_switched_off"] == ["A feed"]
    with pytest.raises(ConflictError, match="not tracked any more"):
        edited(database, at(2), lambda e: companies.change_company(e, company_id, CompanyChange(sector="Energy"), 2))


def test_a_source_is_configured_changed_and_removed(database: Database) -> None:
    made = feed(database, credibility=0.7)
    assert (made["config"], made["parked"], made["next_attempt_at"]) == (FEED, False, None)
    with pytest.raises(ConflictError, match="already"):
        feed(database)
    changed = edited(
        database,
        at(1),
        lambda e: sources.change_source(
            e, made["source_id"], SourceChange(config={**FEED, "polling_interval_seconds": 60}), 1
        ),
    )
    assert (changed["version"], changed["config"]["polling_interval_seconds"], changed["credibility"]) == (2, 60, 0.7)
    with pytest.raises(BadFieldsError, match=r"config\.secret: news_api from rss knows no such key"):
        edited(
            database, at(1), lambda e: sources.change_source(e, "A feed", SourceChange(config={**FEED, "secret": 1}), 2)
        )
    with pytest.raises(ConflictError, match="version 2"):
        edited(database, at(1), lambda e: sources.remove_source(e, "A feed", 1))
    edited(database, at(1), lambda e: sources.remove_source(e, "A feed", 2))
    with pytest.raises(NotFoundError, match="no source 'A feed'"):
        edited(database, at(1), lambda e: sources.unpark_source(e, "A feed"))


def test_a_parked_source_is_taken_up_again_once(database: Database) -> None:
    made = feed(database)
    database.execute(
        "INSERT INTO source_states (source_id, failures_in_a_row, parked, last_error, next_attempt_at) "
        "VALUES (%s, 10, true, 'it is down', %s)",
        (made["source_id"], at(50)),
    )
    database.execute(
        "INSERT INTO ingestion_runs (source_id, day, status, error, error_class, started_at, finished_at) "
        "VALUES (%s, %s, 'failed', 'it is down', 'transient', %s, %s)",
        (made["source_id"], START.date(), START, START),
    )
    with database.connection() as connection:
        held = sources.source(connection, "A feed")
        (run,) = sources.runs_of(connection, made["source_id"], 5)
    assert (held["parked"], held["failures_in_a_row"], held["last_error"], held["next_attempt_at"]) == (
        True, 10, "it is down", at(50),
    )  # fmt: skip
    assert (run["status"], run["error"]) == ("failed", "it is down")
    for _ in range(2):
        free = edited(database, at(1), lambda e: sources.unpark_source(e, "A feed"))
        assert (free["parked"], free["failures_in_a_row"], free["next_attempt_at"]) == (False, 0, None)
    assert [row["action"] for row in audit(database)] == ["source_added", "source_unparked"]
    with pytest.raises(ConflictError, match="switch it off instead"):
        edited(database, at(1), lambda e: sources.remove_source(e, "A feed", 1))


def test_one_name_of_several_sources_needs_an_id(database: Database) -> None:
    tracked(database, "AAA")
    feed(database)
    feed(database, ticker="AAA")
    with pytest.raises(ConflictError, match="several sources are named 'A feed'"):
        edited(database, at(1), lambda e: sources.unpark_source(e, "A feed"))


def test_a_watchlist_lives(database: Database) -> None:
    for ticker in ("AAA", "BBB", "CCC"):
        tracked(database, ticker)
    edited(database, at(1), lambda e: watchlists.add_watchlist(e, "mine", "some", ["BBB", "AAA"]))
    assert edited(database, at(1), lambda e: watchlists.put_member(e, "mine", "ccc"))["members"] == [
        "AAA",
        "BBB",
        "CCC",
    ]
    assert edited(database, at(1), lambda e: watchlists.put_member(e, "mine", "CCC"))["version"] == 2
    assert edited(database, at(1), lambda e: watchlists.drop_member(e, "mine", "AAA", 2))["members"] == ["BBB", "CCC"]
    edited(database, at(2), lambda e: companies.rename_company(e, "BBB", "ZZZ", None, None))
    edited(database, at(2), lambda e: companies.delist_company(e, "CCC", None))
    with database.connection() as connection:
        assert watchlists.watchlist(connection, "mine")["members"] == ["ZZZ"]
    with pytest.raises(NotFoundError, match="not on the watchlist"):
        edited(database, at(3), lambda e: watchlists.drop_member(e, "mine", "AAA", None))


@pytest.mark.parametrize("name", ["mine", "other"])
def test_a_watchlists_name_is_taken_once(database: Database, name: str) -> None:
    edited(database, START, lambda e: watchlists.add_watchlist(e, "mine", "", []))
    edited(database, START, lambda e: watchlists.add_watchlist(e, "third", "", []))
    if name == "mine":
        with pytest.raises(ConflictError, match="already"):
            edited(database, START, lambda e: watchlists.change_watchlist(e, "third", {"name": name}, 1))
    else:
        assert (
            edited(database, START, lambda e: watchlists.change_watchlist(e, "third", {"name": name}, 1))["name"]
            == name
        )


def test_a_dry_run_changes_nothing(database: Database) -> None:
    tracked(database, "AAA")
    edited(database, at(1), lambda e: companies.rename_company(e, "AAA", "BBB", None, 1), dry_run=True)
    assert database.fetch("SELECT ticker, version FROM companies") == [{"ticker": "AAA", "version": 1}]
    assert len(audit(database)) == 1


def test_a_refusal_takes_the_whole_edit_back(database: Database) -> None:
    def both(edit: Any) -> None:
        companies.rename_company(edit, "AAA", "BBB", None, 1)
        attachments.remove_alias(edit, "BBB", "none such", None)

    tracked(database, "AAA")
    with pytest.raises(StonksError):
        edited(database, at(1), both)
    assert database.fetch("SELECT ticker FROM companies") == [{"ticker": "AAA"}]
