"""Strikes at random points of the order path, and what the books say afterwards."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial

from stonks_cli.bench.crash.audit import audit
from stonks_cli.bench.crash.scene import PATIENCE, Scene, scene, until
from stonks_cli.bench.crash.wire import Cut
from stonks_cli.bench.measuring import machine
from stonks_core.errors import StonksError

AGAIN = 0.2  # the share of strikes that come while the one before is still being recovered from
SETTLING_SECONDS = 180.0
_WAITS = ((0.5, 0.0, 0.15), (0.2, 0.15, 0.6), (0.3, 0.6, 6.0))
"""Share of the strikes, and between how many seconds after the recommendation they come: before and in the decision,
around the sending, and among fills and stops."""
_UNDECIDED, _NO_ORDER = "before its decision", "decided, no order"
_STEPS = {
    "intended": "order intended",
    "submitting": "order under way",
    "unknown": "order in doubt",
    "accepted": "order at the broker",
    "partially_filled": "order filled in part",
    "filled": "order filled, stop to come",
}


class Victim(StrEnum):
    """Whom a strike hits."""

    DAEMON = "daemon"
    POSTGRES = "PostgreSQL"
    BROKER = "broker's connection"


def run(points: int, seed: int) -> dict[str, object]:
    """Strike so many times, settle, audit. StonksError, naming each difference, where anything is wrong."""
    chance, begun = random.Random(seed), time.monotonic()
    struck: Counter[tuple[Victim, str]] = Counter()
    with scene() as stage:
        stage.keep_daemons()
        _await(partial(_owned, stage), stage, "a daemon to take the lease")
        tickers = sorted(stage.prices)
        for number in range(points):
            victim = list(Victim)[number % len(Victim)]
            name = _give(stage, tickers, number)
            threading.Event().wait(_wait(chance))
            where = _strike(stage, victim, name, chance)
            struck[victim, where] += 1
            if chance.random() > AGAIN:
                _await(
                    partial(_decided, stage, name), stage, f"the decision on {name} after {victim} was struck ({where})"
                )
        stage.line.mend()
        stage.keep_daemons()
        _await(
            partial(_settled, stage), stage, "every order to be final and every position protected", SETTLING_SECONDS
        )
        counts, wrong = audit(stage)
        wrong = [*wrong, *stage.complaints()]
        if wrong:
            raise StonksError(f"after {points} strikes (seed {seed}): " + "; ".join(wrong))
    rows = [{"victim": v.value, "where": where, "strikes": n} for (v, where), n in sorted(struck.items())]
    return {
        "machine": machine() | {"seed": seed, "seconds": round(time.monotonic() - begun)},
        "strikes": rows,
        "books": [{"what": what, "count": count} for what, count in counts.items()],
    }


def _await(condition: Callable[[], bool], stage: Scene, what: str, seconds: float = PATIENCE) -> None:
    try:
        until(condition, what, seconds)
    except StonksError as error:
        raise StonksError(f"{error}; the logs of its daemons end: {stage.last_words()}") from error


def _give(stage: Scene, tickers: Sequence[str], number: int) -> str:
    """The next recommendation: a buy of each company in turn, then a sell of each, and so on."""
    turn, place = divmod(number, len(tickers))
    name = stage.recommend(tickers[place], "sell" if turn % 2 else "buy")
    stage.notify()
    return name


def _wait(chance: random.Random) -> float:
    shares, least, most = zip(*_WAITS, strict=True)
    (kind,) = chance.choices(range(len(_WAITS)), shares)
    return chance.uniform(least[kind], most[kind])


def _strike(stage: Scene, victim: Victim, name: str, chance: random.Random) -> str:
    """Strike, bring back what was killed, and say where the newest recommendation was."""
    if victim is Victim.BROKER:
        cut = chance.choice(list(Cut))
        where = _place(stage, name) if cut is Cut.ALL else cut.value
        stage.line.cut(cut)
    elif victim is Victim.POSTGRES:
        stage.kill_postgres()
        where = _place(stage, name)
    else:
        stage.kill_owner()
        where = _place(stage, name)
    stage.keep_daemons()
    return where


def _place(stage: Scene, name: str) -> str:
    """How far a recommendation is."""
    row = stage.database.fetch_one(
        """
        SELECT d.outcome, o.state FROM trading_decisions d LEFT JOIN orders o USING (decision_id)
        WHERE d.recommendation_id = %s ORDER BY d.as_of DESC LIMIT 1
        """,
        (name,),
    )
    if row is None:
        return _UNDECIDED
    return _STEPS.get(row["state"], _NO_ORDER) if row["state"] else _NO_ORDER


def _decided(stage: Scene, name: str) -> bool:
    stage.keep_daemons()
    return _place(stage, name) != _UNDECIDED


def _owned(stage: Scene) -> bool:
    stage.keep_daemons()
    return stage.database.fetch_one("SELECT 1 FROM engine_heartbeats WHERE note = 'listening'") is not None


def _settled(stage: Scene) -> bool:
    """Nothing under way and nothing to be decided; stops at rest are."""
    stage.keep_daemons()
    row: Mapping[str, int] | None = stage.database.fetch_one(
        """
        SELECT (SELECT count(DISTINCT recommendation_id) FROM trading_decisions WHERE final OR outcome = 'act') AS decided,
            (SELECT count(*) FROM orders WHERE state IN ('intended', 'submitting', 'unknown')
                OR (state IN ('accepted', 'partially_filled') AND purpose <> 'protective_stop')) AS moving,
            (SELECT count(*) FROM positions p WHERE quantity > 0 AND NOT EXISTS (SELECT 1 FROM orders o
                WHERE o.ticker = p.ticker AND o.purpose = 'protective_stop' AND o.state = 'accepted')) AS bare
        """
    )
    return row is not None and (row["decided"], row["moving"], row["bare"]) == (stage.given, 0, 0)
