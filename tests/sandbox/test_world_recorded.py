"""The recorded world: over a folder made here, and over the real one where it is at hand."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from stonks_core.vocabulary import SECTORS
from stonks_sandbox.world.clock import WallClock
from stonks_sandbox.world.recorded.calendar import Mapping, Sessions
from stonks_sandbox.world.recorded.industries import sector_of
from stonks_sandbox.world.recorded.reading import read_recording
from stonks_sandbox.world.recorded.world import RecordedWorld

NEW_YORK = ZoneInfo("America/New_York")
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "replay"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="../shared/data/replay is not at hand")
HEADER = """<SEC-DOCUMENT>{accession}.txt : {day}
<ACCEPTANCE-DATETIME>{day}{time}
ACCESSION NUMBER:\t\t{accession}
CONFORMED SUBMISSION TYPE:\t8-K
CONFORMED PERIOD OF REPORT:\t{day}
ITEM INFORMATION:\t\tResults of Operations and Financial Condition
ITEM INFORMATION:\t\tFinancial Statements and Exhibits
FILED AS OF DATE:\t\t{day}
\t\tCOMPANY CONFORMED NAME:\t\t\t{name}
\t\tCENTRAL INDEX KEY:\t\t\t{cik:010d}
\t\tSTANDARD INDUSTRIAL CLASSIFICATION:\tMAKERS OF THINGS [{sic}]
"""
SESSIONS = Sessions.between(date(2023, 6, 26), date(2023, 7, 14))


def _filing(folder: Path, ticker: str, cik: int, sic: str, day: str, time: str, number: int) -> dict[str, object]:
    accession = f"{cik:010d}-23-{number:06d}"
    place = folder / "edgar" / ticker / accession
    place.mkdir(parents=True)
    header = HEADER.format(accession=accession, day=day, time=time, name=f"{ticker} Works", cik=cik, sic=sic)
    (place / f"{accession}.hdr.sgml").write_text(header)
    (place / "main.htm").write_bytes(b"<html><body>Item 2.02 \xe2\x80\x94 results</body></html>")
    return {
        "ticker": ticker,
        "accession": accession,
        "documents": [
            {"type": "8-K", "filename": "main.htm", "description": "8-K"},
            {"type": "EX-99.1", "filename": "lost.htm", "description": "EX-99.1"},
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "tape"
    (place / "prices_csv").mkdir(parents=True)
    rows = [
        _filing(place, "ZZA", 111, "3571", "20230705", "163000", 1),
        _filing(place, "ZZB", 222, "3572", "20230708", "100000", 2),
    ]
    lines = [json.dumps(rows[0]), "not json", json.dumps(rows[1]), json.dumps({**rows[0], "accession": "bad"})]
    (place / "filings.jsonl").write_text("\n".join(lines) + "\n")
    for ticker in ("ZZA", "ZZB", "ZZC"):
        text = ["date,volume,vw,open,close,high,low,t,n"]
        for number, day in enumerate(SESSIONS.days):
            if ticker == "ZZC" and number in {3, 4}:
                continue
            text.append(f"{day} 04:00:00,1000.0,10.5,{10 + number},{10.5 + number},{11 + number},{9.5 + number},0,7")
        (place / "prices_csv" / f"{ticker}.csv").write_text("\n".join(text) + "\n")
    with (place / "prices_csv" / "ZZA.csv").open("a") as file:
        file.write("2023-07-17 04:00:00,10,1,abc,1,1,1,0,1\n2023-07-15 04:00:00,10,1,1,1,1,1,0,1\n")
    return place


def opened(folder: Path, now: datetime, *, mapped: bool = False, state: Path | None = None) -> RecordedWorld:
    return RecordedWorld.open(folder, WallClock(lambda: now), mapped=mapped, state=state)


def at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=NEW_YORK).astimezone(UTC)


def test_problems_are_named_with_file_and_line(folder: Path) -> None:
    world = opened(folder, at("2023-07-14", "18:00"))
    sentences = read_recording(folder).skipped
    assert any("filings.jsonl, line 2" in sentence for sentence in sentences)
    assert any("filings.jsonl, line 4" in sentence and "'bad'" in sentence for sentence in sentences)
    assert any("ZZA.csv, line 16" in sentence and "'abc'" in sentence for sentence in sentences)
    assert any("lost.htm" in sentence and "line 1" in sentence for sentence in sentences)
    assert len(world.bars("ZZA", at("2023-06-01", "00:00"), at("2023-08-01", "00:00"), 86_400)) == len(SESSIONS.days)


@pytest.mark.parametrize("part", ["edgar", "filings.jsonl", "prices_csv"])
def test_folder_that_lacks_a_part_is_refused(folder: Path, part: str) -> None:
    (folder / part).rename(folder / "elsewhere")
    with pytest.raises(ValueError, match=f"it lacks {part}"):
        read_recording(folder)


def test_companies_come_from_headers_and_prices(folder: Path) -> None:
    world = opened(folder, at("2023-07-14", "18:00"))
    first = world.company("ZZA")
    assert first is not None
    assert (first.name, first.cik, first.sic_code, first.peers) == ("ZZA Works", 111, "3571", ("ZZB",))
    assert first.sector == "Information Technology"
    alone = world.company("ZZC")
    assert alone is not None
    assert (alone.cik, alone.name, alone.peers) == (None, "ZZC", ())


def test_daily_bar_shows_only_its_open_before_the_close(folder: Path) -> None:
    start, end = at("2023-07-05", "00:00"), at("2023-07-06", "00:00")
    assert opened(folder, at("2023-07-05", "09:29")).bars("ZZA", start, end, 86_400) == []
    running = opened(folder, at("2023-07-05", "15:59")).bars("ZZA", start, end, 86_400)[0]
    assert running.start == at("2023-07-05", "09:30")
    assert running.open == running.high == running.low == running.close
    assert running.volume == 0
    done = opened(folder, at("2023-07-05", "16:00")).bars("ZZA", start, end, 86_400)[0]
    assert (done.volume, done.close - done.open, done.trades) == (1000.0, 0.5, 7)


def test_half_day_ends_early(folder: Path) -> None:
    start, end = at("2023-07-03", "00:00"), at("2023-07-04", "00:00")
    world = opened(folder, at("2023-07-03", "13:00"))
    assert world.bars("ZZA", start, end, 86_400)[0].volume == 1000.0
    assert not world.is_open(at("2023-07-03", "13:00"))
    assert world.is_open(at("2023-07-03", "12:59"))
    assert not world.is_open(at("2023-07-04", "12:00"))


def test_last_price_and_next_bar_follow_the_sessions(folder: Path) -> None:
    before, after = opened(folder, at("2023-06-25", "12:00")), opened(folder, at("2023-07-08", "12:00"))
    assert before.last_price("ZZA") is None
    friday = after.bars("ZZA", at("2023-07-07", "00:00"), at("2023-07-08", "00:00"), 86_400)[0]
    assert after.last_price("ZZA") == friday.close
    assert after.next_bar("ZZA", at("2023-07-06", "20:00")) == friday
    assert after.next_bar("ZZA", friday.start) is None
    gap = after.next_bar("ZZC", at("2023-06-28", "20:00"))
    assert gap is not None
    assert gap.start == at("2023-07-03", "09:30")


def test_filings_appear_when_accepted_and_verbatim(folder: Path) -> None:
    early = opened(folder, at("2023-07-05", "16:29"))
    assert early.filing("0000000111-23-000001") is None
    world = opened(folder, at("2023-07-05", "16:30"))
    filing = world.filing("0000000111-23-000001")
    assert filing is not None
    assert filing.items == ("2.02", "9.01")
    assert filing.accepted_at == at("2023-07-05", "16:30")
    on_disk = folder / "edgar" / "ZZA" / filing.accession
    assert filing.header == (on_disk / f"{filing.accession}.hdr.sgml").read_bytes()
    assert [document.filename for document in filing.documents] == ["main.htm"]
    assert filing.documents[0].content == (on_disk / "main.htm").read_bytes()
    assert world.articles(at("2023-01-01", "00:00"), at("2024-01-01", "00:00")) == []


def test_mapped_recording_keeps_session_and_time_of_day(folder: Path) -> None:
    now = at("2026-11-27", "19:00")
    world = opened(folder, now, mapped=True)
    anchor = int(len(SESSIONS.days) * 2 / 3)
    bars = world.bars("ZZA", at("2026-10-01", "00:00"), now, 86_400)
    assert bars[-1].start.astimezone(NEW_YORK).date() == date(2026, 11, 27)
    assert bars[-1].open == 10 + anchor
    assert world.bars("ZZC", at("2026-10-01", "00:00"), now, 86_400)[-1].open == 10 + anchor
    filing = world.filings(at("2026-10-01", "00:00"), now)[0]
    local = filing.accepted_at.astimezone(NEW_YORK)
    assert (local.hour, local.minute) == (16, 30)
    played = world.bars("ZZA", at(str(local.date()), "00:00"), now, 86_400)[0]
    assert played.open == 10 + SESSIONS.days.index(date(2023, 7, 5))
    assert f"<ACCEPTANCE-DATETIME>{local:%Y%m%d%H%M%S}".encode() in filing.header


def test_mapped_recording_stays_at_its_end_and_goes_on_after_a_restart(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = opened(folder, at("2026-11-20", "18:00"), mapped=True, state=state)
    later = opened(folder, at("2027-03-01", "18:00"), mapped=True, state=state)
    start = at("2026-10-01", "00:00")
    seen = first.bars("ZZA", start, at("2027-03-01", "00:00"), 86_400)
    everything = later.bars("ZZA", start, at("2027-03-01", "00:00"), 86_400)
    assert everything[: len(seen)] == seen
    assert len(everything) == len(SESSIONS.days)
    assert later.last_price("ZZA") == everything[-1].close


def _between(sessions: Sessions, moment: datetime) -> int:
    return sum(close <= moment for close in sessions.closes)


@pytest.mark.parametrize("anchor", [date(2026, 11, 22), date(2026, 7, 6), date(2027, 1, 2)])
def test_mapping_never_moves_a_weekend_filing_across_a_session(anchor: date) -> None:
    mapping = Mapping.onto(SESSIONS, anchor)
    for hours in range(0, 24 * (SESSIONS.days[-1] - SESSIONS.days[0]).days, 7):
        moment = SESSIONS.opens[0] + timedelta(hours=hours)
        local = moment.astimezone(NEW_YORK).date()
        if SESSIONS.index(local) is not None:
            continue
        moved = mapping.move(moment)
        closed = _between(SESSIONS, moment)
        assert mapping.played.closes[mapping.place(closed - 1)] <= moved < mapping.played.opens[mapping.place(closed)]


def test_every_industry_code_has_a_sector_or_none() -> None:
    for code in range(100, 9000):
        assert sector_of(f"{code:04d}") in SECTORS
    assert [sector_of(code) for code in ("", "0", "99", "9995", "x")] == [""] * 5


@needs_real
def test_real_recording_is_whole() -> None:
    recording = read_recording(REAL)
    assert recording.skipped == []
    assert (len(recording.filings), len(recording.bars)) == (126, 50)
    index = {row["accession"]: row for row in map(json.loads, (REAL / "filings.jsonl").read_text().splitlines())}
    for filing in recording.filings:
        row = index[filing.accession]
        assert f"{filing.accepted_at.astimezone(NEW_YORK):%Y-%m-%dT%H:%M:%S}" == row["accepted_et"]
        assert (filing.cik, filing.company) == (int(row["cik"]), row["company"])
        assert all(item[0].isdigit() for item in filing.items)


@needs_real
def test_real_recording_under_its_own_dates() -> None:
    world = opened(REAL, at("2024-05-02", "16:31"))
    assert world.company("META") is not None
    bars = world.bars("AAPL", at("2024-05-01", "00:00"), at("2024-05-10", "00:00"), 86_400)
    assert [bar.start for bar in bars] == [at("2024-05-01", "09:30"), at("2024-05-02", "09:30")]
    filed = [filing.ticker for filing in world.filings(at("2024-05-01", "00:00"), at("2024-05-10", "00:00"))]
    assert "AAPL" in filed


@needs_real
def test_real_recording_mapped_onto_today() -> None:
    now = at("2026-11-22", "05:00")
    world = opened(REAL, now, mapped=True)
    bars = world.bars("NVDA", now - timedelta(days=600), now, 86_400)
    assert bars[-1].start.astimezone(NEW_YORK).date() == date(2026, 11, 20)
    assert len(bars) == int(len(world.mapping.recorded.days) * 2 / 3) + 1
    assert all(
        filing.accepted_at <= now for filing in world.filings(now - timedelta(days=600), now + timedelta(days=9))
    )
