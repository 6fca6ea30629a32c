"""A day through a vendor that errs: every document arrives once, none is invented, no limit is broken, all is told."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import DAY, HOURS, Calm, Fresh
from tests.faults.passing import LIMITS, exceeded
from tests.faults.plan import SAID, Fault, Plan
from tests.faults.playing import DOCUMENTS, news_held, play, said, stored
from tests.faults.proxy import Arrival

PAGE = ("page_html", "page_url")
SEEDS = (1, 2, 3)


def untold(arrivals: Sequence[Arrival], told: str) -> list[str]:
    """The faults of which nothing says what went wrong at which address."""
    lines = told.splitlines()
    wanted = {(a.path, SAID[a.fault]) for a in arrivals if a.fault in SAID}
    return [
        f"{path}: {words}" for path, words in sorted(wanted) if not any(path in line and words in line for line in lines)
    ]


def same(found: bytes, held: bytes, *, told: bool) -> bool:
    """Whether a payload is what the source holds; where a failure says so, less the article's page."""
    if found == held:
        return True
    one, other = json.loads(found), json.loads(held)
    return told and one["page_html"] is None and {**one, **dict.fromkeys(PAGE)} == {**other, **dict.fromkeys(PAGE)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_with_faults_ends_as_a_day_without(
    quiet: Calm, fresh: Fresh, tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    before = len(quiet.proxy.arrivals)
    with fresh() as database, caplog.at_level(logging.INFO, logger="stonks_assets"):
        player = play(quiet.proxy, quiet.passing, tmp_path, database, Plan(seed), DAY, HOURS)
        arrivals = quiet.proxy.arrivals[before:]
        found = stored(player.pipeline, DOCUMENTS)
        told = said(database, caplog.messages)
        failed = {row["item"] for row in database.fetch("SELECT item FROM failures")}
        states = database.fetch("SELECT failures_in_a_row, last_error FROM source_states")
    assert found.keys() == quiet.held.keys()
    assert [i for i, held in quiet.held.items() if not same(found[i], held, told=i[1] in failed)] == []
    assert {name for kind, name in found if kind in {"news_api", "macro_news"}} == {
        article["id"] for article in news_held(quiet.proxy, DAY)
    }
    assert [exceeded(arrivals, prefix) for prefix in LIMITS] == [[], []]
    assert untold(arrivals, told) == []
    assert {(row["failures_in_a_row"], row["last_error"]) for row in states} == {(0, "")}
    print(len(arrivals), len(found), player.unparked, len(player.polls), {f: sum(a.fault is f for a in arrivals) for f in Fault})
