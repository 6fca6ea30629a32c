"""`stonks replay` over a recording of its own: filings end as trends, recommendations and fills, and once is enough."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from stonks_cli.__main__ import app
from stonks_cli.books import LIVE, open_books, simulated, stage_of
from stonks_cli.replay import Span, replay, require_recording
from stonks_core.errors import BadInputError
from stonks_core.settings import Settings, load_settings
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_HISTORY
from stonks_core.stores.lake.silver_tables import DOCUMENTS, IMPACT_RECORDS, MARKET_SNAPSHOTS
from stonks_core.stores.opening import Stores
from stonks_core.why import why_order
from tests.acceptance.recording import FIRST, LAST, OSKETT, RELEASES, VERDANE, record
from tests.acceptance.stage import Snapshot, snapshot

NEW_YORK = ZoneInfo("America/New_York")
KNOWN = timedelta(days=40)
SECRET = "a-real-key-that-no-simulation-may-use"


@dataclass(frozen=True)
class Replayed:
    """A replay that has run, what it left, and what a second run left."""

    settings: Settings
    span: Span
    book: str
    stores: Stores
    first: Snapshot
    again: Snapshot
    variables: dict[str, str]


def _variables(home: Path, postgres: Postgres, **more: str) -> dict[str, str]:
    password = postgres.password.get_secret_value()
    where = {"POSTGRES_HOST": postgres.host, "POSTGRES_PORT": str(postgres.port), "POSTGRES_USER": postgres.user}
    keys = {"MARKET_DATA_API_KEY": SECRET, "BROKER_API_KEY": SECRET, "BROKER_API_SECRET": SECRET}
    return {"STONKS_HOME": str(home), "POSTGRES_PASSWORD": password, **where, **keys, **more}


@pytest.fixture(scope="module")
def replayed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayed]:
    folder = tmp_path_factory.mktemp("replay")
    tape = record(folder / "tape")
    # Real keys are configured, as on a machine that trades: nothing of a simulation may reach for them.
    variables = _variables(folder / "home", postgres, DEPLOY_STAGE="rehearsal")
    settings = load_settings(variables)
    span = Span(require_recording(tape), FIRST, LAST, KNOWN)
    book = replay(settings, span)
    with open_books(settings, book) as books:
        first = snapshot(books[book].lake, books[book].database)
    moved = shutil.move(tape, folder / "elsewhere")
    assert replay(settings, Span(require_recording(Path(moved)), FIRST, LAST, KNOWN)) == book
    with open_books(settings, book) as books:
        stores = books[book]
        again = snapshot(stores.lake, stores.database)
        moved_span = Span(Path(moved), FIRST, LAST, KNOWN)
        yield Replayed(settings, moved_span, book, stores, first, again, variables)


def test_filings_become_documents_under_the_headers_time(replayed: Replayed) -> None:
    documents = {row["published_at"] for row in replayed.stores.lake.read(DOCUMENTS).to_pylist()}
    assert documents == {release.accepted.replace(tzinfo=NEW_YORK).astimezone(UTC) for release in RELEASES}


def test_strong_news_becomes_recommendations(replayed: Replayed) -> None:
    spoken = {(r["ticker"], r["action"]) for r in replayed.stores.lake.read(RECOMMENDATIONS).to_pylist()}
    assert {(VERDANE.ticker, "buy"), (OSKETT.ticker, "sell")} <= spoken
    assert (VERDANE.ticker, "sell") not in spoken


def test_good_news_is_bought_at_the_next_sessions_open(replayed: Replayed) -> None:
    fills = replayed.stores.database.fetch("SELECT * FROM fills ORDER BY executed_at")
    assert fills
    assert {(fill["ticker"], fill["side"]) for fill in fills} == {(VERDANE.ticker, "buy")}
    bars = {
        row["start_at"]: row["open"]
        for row in replayed.stores.lake.read(MARKET_SNAPSHOTS).to_pylist()
        if row["ticker"] == VERDANE.ticker
    }
    for fill in fills:
        local = fill["executed_at"].astimezone(NEW_YORK)
        assert (local.hour, local.minute) == (9, 30)
        assert float(fill["price"]) == pytest.approx(bars[fill["executed_at"]] * 1.0005, abs=0.0001)
    assert fills[0]["executed_at"].date() == date(2021, 9, 2), "filed on the 1st after the close"


def test_what_is_held_has_a_stop_at_the_broker_while_nobody_looks(replayed: Replayed) -> None:
    """From before the open to the close, but for days whose open fills a buy: beside that a stop would be a wash trade."""
    stops = replayed.stores.database.fetch(
        "SELECT * FROM orders WHERE purpose = 'protective_stop' ORDER BY intended_at"
    )
    fills = replayed.stores.database.fetch("SELECT * FROM fills ORDER BY executed_at")
    covered = [stop["intended_at"].astimezone(NEW_YORK) for stop in stops]
    assert {(at.hour, at.minute) for at in covered} == {(9, 0)}
    bought = {fill["executed_at"].astimezone(NEW_YORK).date() for fill in fills}
    days = [date(2021, 9, n) for n in (1, 2, 3, 7, 8)]
    assert [at.date() for at in covered] == [day for day in days if day > min(bought) and day not in bought]
    assert {stop["state"] for stop in stops} == {"expired"}, "no price fell to it, and a DAY order dies at the close"
    for stop in stops:
        held = sum(fill["quantity"] for fill in fills if fill["executed_at"] < stop["intended_at"])
        assert stop["quantity"] == held


def test_a_replay_stops_before_and_after_each_session_and_at_no_other_time(replayed: Replayed) -> None:
    moments = {row["as_of"].astimezone(NEW_YORK) for row in replayed.stores.lake.read(TREND_HISTORY).to_pylist()}
    assert {(moment.hour, moment.minute) for moment in moments} == {(9, 0), (16, 30)}
    assert {moment.date() for moment in moments} == {date(2021, 9, n) for n in (1, 2, 3, 7, 8)}, "the 6th is a holiday"


def test_nothing_is_computed_from_what_was_not_known(replayed: Replayed) -> None:
    records = {row["document_id"]: row for row in replayed.stores.lake.read(IMPACT_RECORDS).to_pylist()}
    for row in replayed.stores.lake.read(TREND_HISTORY).to_pylist():
        known = [r for r in records.values() if r["ticker"] == row["ticker"] and r["available_at"] <= row["as_of"]]
        assert row["signals_counted"] <= len(known)
    decided = replayed.stores.database.fetch("SELECT min(as_of) AS first FROM trading_decisions WHERE outcome = 'act'")
    assert decided[0]["first"] == datetime(2021, 9, 1, 20, 30, tzinfo=UTC), "half an hour after the close of the 1st"


def test_why_leads_to_the_sentence_in_the_filing(replayed: Replayed) -> None:
    told = " ".join(sentence for release in RELEASES for sentence in (release.headline, *release.sentences))
    orders = replayed.stores.database.fetch("SELECT order_id FROM orders")
    assert orders
    for order in orders:
        chain = why_order(replayed.stores.database, replayed.stores.lake, order["order_id"])
        assert chain["gaps"] == []
        assert chain["evidence"]
        for evidence in chain["evidence"]:
            assert evidence["verified"] is True
            assert evidence["quote"] in told


def test_running_it_again_changes_nothing_wherever_the_folder_lies(replayed: Replayed) -> None:
    assert replayed.again == replayed.first


def test_sessions_are_closed_one_by_one(replayed: Replayed) -> None:
    rows = replayed.stores.database.fetch(
        "SELECT session, equity, cash, reserve FROM portfolio_snapshots ORDER BY session"
    )
    assert [row["session"] for row in rows] == [date(2021, 9, n) for n in (1, 2, 3, 7, 8)]
    assert rows[0]["equity"] == 100_000


def test_the_live_book_is_not_there_at_all(replayed: Replayed) -> None:
    with open_books(replayed.settings) as books:
        assert set(books) == {replayed.book}
    home, stage = replayed.settings.general.home, replayed.stores.settings.general.deploy_stage
    assert stage == f"rehearsal-{replayed.book}"
    assert stage_of(replayed.settings, LIVE) is replayed.settings
    lakes = {path.parent.name for path in home.rglob("trend_history")}
    assert all(stage in name for name in lakes), lakes
    assert lakes


def test_no_real_key_is_used_in_a_simulation(replayed: Replayed) -> None:
    played = simulated(replayed.settings, recorded="", url="http://127.0.0.1:1")
    assert SECRET not in repr(_plain(played))
    assert set(played.sandboxed.items()) == {("market_data", True), ("edgar", True), ("broker", True), ("llm", True)}
    accounts = replayed.stores.database.fetch("SELECT mode, sandbox FROM broker_accounts")
    assert [(row["mode"], row["sandbox"]) for row in accounts] == [("paper", True)]


def _plain(settings: Settings) -> list[dict[str, Any]]:
    slices = (settings.market_data, settings.broker)
    return [{k: getattr(v, "get_secret_value", lambda v=v: v)() for k, v in dict(s).items()} for s in slices]


def test_the_command_reports_what_came_in_and_what_was_ordered(
    replayed: Replayed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def stonks(*words: str) -> Any:
        result = CliRunner().invoke(app, [*words, "--json"], env=replayed.variables)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    report = stonks("replay", str(replayed.span.folder), "--from", f"{FIRST}", "--to", f"{LAST}")
    assert report["book"] == replayed.book
    assert sum(row["documents"] for row in report["documents"]) == len(RELEASES)
    assert {row["ticker"] for row in report["recommendations"]} == {VERDANE.ticker, OSKETT.ticker}
    listed = {order["order_id"] for order in stonks("orders", "--book", replayed.book)}
    assert listed == {order["order_id"] for order in report["orders"]} == set(replayed.again.orders)
    for name in listed:
        assert stonks("why", name)["evidence"]
    assert snapshot(replayed.stores.lake, replayed.stores.database) == replayed.again


@pytest.mark.parametrize("part", ["edgar", "filings.jsonl", "prices_csv"])
def test_a_folder_that_lacks_a_part_is_refused_with_a_sentence(tmp_path: Path, part: str) -> None:
    tape = record(tmp_path / "tape")
    shutil.move(tape / part, tmp_path / "gone")
    with pytest.raises(BadInputError, match=f"is no recording: it has no {part}"):
        require_recording(tape)


def test_real_filings_end_as_orders_with_sentences_of_theirs(
    postgres: Postgres, shared_data: Path, tmp_path: Path
) -> None:
    settings = load_settings(_variables(tmp_path / "home", postgres, DEPLOY_STAGE="real"))
    span = Span(require_recording(shared_data / "replay"), date(2024, 5, 2), date(2024, 5, 3), timedelta(days=32))
    book = replay(settings, span)
    with open_books(settings, book) as books:
        stores = books[book]
        assert stores.lake.read(TREND_HISTORY).num_rows > 0
        orders = stores.database.fetch("SELECT order_id, state FROM orders")
        assert "filled" in {order["state"] for order in orders}
        for order in orders:
            chain = why_order(stores.database, stores.lake, order["order_id"])
            assert chain["gaps"] == []
            assert all(evidence["verified"] for evidence in chain["evidence"])
