"""Days through a vendor that errs: every document arrives once, none is invented, no limit is broken, all is told."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from stonks_core.settings.slices import Postgres
from stonks_core.vocabulary import SourceType
from tests.acceptance.recording import FIRST, LAST, RELEASES, record
from tests.faults.conftest import DAY, FILERS, Calm, source, undisturbed
from tests.faults.passing import LIMITS, Passing, exceeded
from tests.faults.plan import LISTS, SAID, Fault, Plan
from tests.faults.playing import Item, Script, news_held, play, said, stored
from tests.faults.proxy import Arrival

SEEDS = range(1, 5)
RECORDED = (SourceType.FILINGS_API, SourceType.MARKET_API)
ROBOTS = "/robots.txt"
"""One that is empty or not to be had forbids nothing, so that there is nothing to tell."""
MARKET = ("splits:", "dividends:", "snapshots:")
NEW_YORK = ZoneInfo("America/New_York")


def untold(arrivals: Sequence[Arrival], told: str) -> list[str]:
    """The faults of which nothing says what went wrong at which address."""
    lines = told.splitlines()
    wanted = {(a.path, SAID[a.fault]) for a in arrivals if a.fault in SAID and a.path != ROBOTS}
    return [
        f"{path}: {words}"
        for path, words in sorted(wanted)
        if not any(path in line and words in line for line in lines)
    ]


def missing(found: Mapping[Item, bytes], held: Mapping[Item, bytes], failed: Collection[str]) -> list[Item]:
    """What the source holds and the pipeline does not, less the pages of articles of which a failure says so, and less
    the prices of an instant that has passed."""
    return [
        item
        for item in held.keys() - found.keys()
        if item[1].removesuffix("#page") not in failed and not item[1].startswith("snapshots:")
    ]


def endure(quiet: Calm, plan: Plan, folder: Path, caplog: pytest.LogCaptureFixture, **more: str) -> set[str]:
    """Play the script with a plan, hold the end against the undisturbed one; the names of the items."""
    over = quiet.source
    before = len(over.proxy.arrivals)
    with over.fresh() as database, caplog.at_level(logging.INFO, logger="stonks_assets"):
        player = play(over.proxy, over.passing, folder, database, plan, quiet.script, **more)
        arrivals = over.proxy.arrivals[before:]
        found = stored(player.pipeline, quiet.script.types)
        told = said(database, caplog.messages)
        failed = {row["item"] for row in database.fetch("SELECT item FROM failures WHERE status = 'open'")}
        states = database.fetch("SELECT failures_in_a_row, last_error FROM source_states")
        runs = database.fetch("SELECT sum(items_new) AS new FROM ingestion_runs")
    names = {name for _, name in found if "#" not in name}
    assert {item: found[item] for item in found if found[item] != quiet.held.get(item)} == {}, "invented or altered"
    assert missing(found, quiet.held, failed) == []
    assert [exceeded(arrivals, prefix) for prefix in LIMITS] == [[], []]
    assert untold(arrivals, told) == []
    assert {(row["failures_in_a_row"], row["last_error"]) for row in states} == {(0, "")}
    assert runs[0]["new"] == len(names)
    return names


def test_a_day_with_faults_ends_as_a_day_without(quiet: Calm, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    delivered: set[Fault | None] = set()
    for seed in SEEDS:
        before = len(quiet.source.proxy.arrivals)
        names = endure(quiet, Plan(seed), tmp_path / str(seed), caplog)
        delivered.update(arrival.fault for arrival in quiet.source.proxy.arrivals[before:])
        caplog.clear()
    listed = {article["id"] for article in news_held(quiet.source.proxy, DAY)}
    assert listed <= names
    assert len(listed) > 20
    assert delivered >= set(Fault) - set(LISTS) | {Fault.CIRCLE}, "every kind was met"


def test_a_day_of_nothing_but_faults_that_pass_is_as_any(
    quiet: Calm, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    endure(quiet, Plan(7, borne=0.4, felt=0.01), tmp_path, caplog)
    assert max(quiet.source.passing.waits) > 10, "the vendor's Retry-After and the limits were waited for"


def test_days_of_a_recording(
    passing: Passing, postgres: Postgres, template: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tape = record(tmp_path / "tape")
    days = tuple(FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))[:3]
    with source(tmp_path / "source", days[0], passing, postgres, template, tape) as over:
        script, more = Script(days, (14, 21), RECORDED), {"SANDBOX_RECORDED": str(tape)}
        quiet = undisturbed(tmp_path / "quiet", over, script, **more)
        names = endure(quiet, Plan(11, borne=0.3, felt=0.05), tmp_path / "rough", caplog, **more)
    filed = {r.accession for r in RELEASES if r.accepted.replace(tzinfo=NEW_YORK).astimezone(UTC).date() in days}
    assert {name for name in names if not name.startswith(MARKET)} == filed | {f"grouped:{day}" for day in days}


def test_days_of_real_filings(
    shared_data: Path,
    passing: Passing,
    postgres: Postgres,
    template: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    days, tape = tuple(date(2024, 5, n) for n in (1, 2, 3)), shared_data / "replay"
    with source(tmp_path / "source", days[0], passing, postgres, template, tape) as over:
        script, more = Script(days, (14, 21), RECORDED), {"SANDBOX_RECORDED": str(tape)}
        quiet = undisturbed(tmp_path / "quiet", over, script, **more)
        names = endure(quiet, Plan(13, borne=0.3, felt=0.05), tmp_path / "rough", caplog, **more)
        with over.fresh() as database:
            filers = {row["ticker"] for row in database.fetch("SELECT ticker FROM companies WHERE cik IS NOT NULL")}
    assert len(filers) == FILERS
    entries = [json.loads(line) for line in (tape / "filings.jsonl").read_text().splitlines()]
    filed = {
        entry["accession"]
        for entry in entries
        if entry["ticker"] in filers
        and datetime.fromisoformat(entry["accepted_et"]).replace(tzinfo=NEW_YORK).astimezone(UTC).date() in days
    }
    assert filed
    assert {name for name in names if not name.startswith(MARKET)} == filed | {f"grouped:{day}" for day in days}
