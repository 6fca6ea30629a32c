"""Manners: robots.txt by RFC 9309, one request at a time to a host, a pause after each; over processes, without sleeping."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.politeness import (
    KEPT,
    KEPT_DOWN,
    LEASE,
    MOST_DELAY,
    ROBOTS_BYTES,
    SPACING,
    HostTurns,
    Manners,
    Robots,
)
from stonks_core.clock import ManualClock
from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings.slices import Postgres
from stonks_core.stores.postgres import Database
from tests.assets.ingestion.asking import NOON, WrittenWeb

SITE = "https://blog.example"
ROBOTS = f"{SITE}/robots.txt"


@dataclass
class PassedTurns:
    """Time that passes when somebody waits: all turns end that much sooner."""

    database: Database
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.database.execute("UPDATE host_turns SET until = until - make_interval(secs => %s)", (seconds,))

    def turns(self, database: Database | None = None, **more: object) -> HostTurns:
        return HostTurns(database or self.database, sleep=self.sleep, **more)  # type: ignore[arg-type]


@pytest.fixture
def passed(database: Database) -> PassedTurns:
    return PassedTurns(database)


# Turns.


def test_requests_to_a_host_are_a_pause_apart_and_hosts_are_apart(passed: PassedTurns) -> None:
    turns = passed.turns()
    for url in (f"{SITE}/1", "https://other.example/", f"{SITE}/2"):
        with turns.turn(url):
            pass
    assert len(passed.waits) == 1
    assert passed.waits[0] == pytest.approx(SPACING, abs=0.5)
    with turns.turn(f"{SITE}/3", 10.0):
        pass
    with turns.turn(f"{SITE}/4"):
        pass
    assert passed.waits[-1] == pytest.approx(10, abs=0.5)


def test_two_processes_never_ask_a_host_at_once(passed: PassedTurns, postgres: Postgres) -> None:
    with Database(postgres, passed.database.name) as other:
        theirs = passed.turns(other, patience=5.0)
        with passed.turns().turn(f"{SITE}/1"):
            with (
                pytest.raises(
                    TransientError, match=r"blog\.example was asked by others for 5 s without a turn"
                ) as caught,
                theirs.turn(f"{SITE}/2"),
            ):
                pytest.fail("two at once")
            with theirs.turn("https://other.example/"):
                pass
        assert caught.value.after is not None
        with theirs.turn(f"{SITE}/2"):
            pass


def test_a_turn_is_given_back_by_a_failure_and_taken_from_the_dead(passed: PassedTurns) -> None:
    with pytest.raises(ZeroDivisionError), passed.turns().turn(f"{SITE}/1"):
        _ = 1 / 0
    with passed.turns(patience=3.0).turn(f"{SITE}/1"):
        pass
    passed.turns()._take("blog.example", uuid.uuid4())  # a process that was killed
    passed.sleep(SPACING)
    passed.turns()._take("blog.example", uuid.uuid4())
    with pytest.raises(TransientError, match="without a turn"), passed.turns(patience=1.0).turn(f"{SITE}/1"):
        pass
    passed.sleep(LEASE)
    with passed.turns(patience=0.0).turn(f"{SITE}/1"):
        pass


def test_exempt_origins_need_no_turn(passed: PassedTurns) -> None:
    turns = passed.turns(exempt=["http://127.0.0.1:4000", ""], patience=0.0)
    for _ in range(3):
        with turns.turn("http://127.0.0.1:4000/x"):
            pass
    assert passed.database.fetch("SELECT * FROM host_turns") == []


# robots.txt.


def robots(database: Database, file: httpx.Response | Exception) -> tuple[Robots, WrittenWeb, ManualClock]:
    web, clock = WrittenWeb({ROBOTS: file}), ManualClock(NOON)
    return Robots(web.fetcher(attempts=1), database, clock), web, clock


@pytest.mark.parametrize(
    ("text", "allowed", "left"),
    [
        ("User-agent: *\nDisallow: /", [], ["/", "/x"]),
        ("User-agent: *\nDisallow:", ["/x"], []),
        ("User-agent: *\nDisallow: /\n\nUser-agent: StonksOracle\nDisallow: /2", ["/1"], ["/2", "/2/x"]),
        ("User-agent: stonksoracle\nUser-agent: other\nDisallow: /2", ["/1"], ["/2"]),
        ("User-agent: other\nDisallow: /", ["/x"], []),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", ["/a/b/c"], ["/a/c"]),  # the longest match, in any order
        ("User-agent: *\nAllow: /a/b\nDisallow: /a", ["/a/b/c"], ["/a/c"]),
        ("User-agent: *\nDisallow: /*.pdf$", ["/x.pdf?y", "/x"], ["/x.pdf"]),
        ("User-agent: *\nAllow: /a\nDisallow: /a", ["/a"], []),  # of equals the one that allows
        ("\ufeffUser-agent: *\nDisallow: /1", ["/2"], ["/1"]),
        ("", ["/x"], []),
        ("<html>not a robots file</html>", ["/x"], []),
    ],
)
def test_rules_are_read_as_rfc_9309_has_them(
    database: Database, text: str, allowed: list[str], left: list[str]
) -> None:
    rules, web, _ = robots(database, httpx.Response(200, text=text))
    for path in allowed:
        assert rules.pause(f"{SITE}{path}") == SPACING
    for path in left:
        with pytest.raises(PermanentError, match=f"robots.txt of {SITE} asks not to fetch it"):
            rules.pause(f"{SITE}{path}")
    assert web.urls == [ROBOTS]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_no_file_forbids_nothing(database: Database, status: int) -> None:
    rules, _, _ = robots(database, httpx.Response(status))
    assert rules.pause(f"{SITE}/x") == SPACING


@pytest.mark.parametrize(
    "file", [httpx.Response(500), httpx.Response(503), httpx.Response(429), httpx.ConnectError("x")]
)
def test_a_file_that_cannot_be_read_now_is_no_leave(database: Database, file: httpx.Response | Exception) -> None:
    rules, web, clock = robots(database, file)
    for _ in range(2):
        with pytest.raises(TransientError, match=f"nothing of {SITE} is fetched while its robots.txt") as caught:
            rules.pause(f"{SITE}/x")
        assert caught.value.after == KEPT_DOWN.total_seconds()
    assert len(web.asked) == 1
    clock.advance_to(NOON + KEPT_DOWN)
    web.pages[ROBOTS] = httpx.Response(200, text="User-agent: *\nDisallow: /2")
    assert rules.pause(f"{SITE}/x") == SPACING


def test_a_file_is_shared_by_processes_and_expires(database: Database) -> None:
    first, _, _ = robots(database, httpx.Response(200, text="User-agent: *\nDisallow: /1"))
    first.pause(f"{SITE}/x")
    second, web, clock = robots(database, httpx.Response(200, text="User-agent: *\nDisallow: /2"))
    with pytest.raises(PermanentError):
        second.pause(f"{SITE}/1")
    assert web.asked == []
    clock.advance_to(NOON + KEPT)
    second.pause(f"{SITE}/1")
    with pytest.raises(PermanentError):
        second.pause(f"{SITE}/2")


@pytest.mark.parametrize(
    ("delay", "pause"),
    [("5", 5.0), ("0.1", SPACING), ("3600", MOST_DELAY), ("-3", SPACING), ("soon", SPACING), ("nan", SPACING)],
)
def test_a_crawl_delay_is_respected_up_to_a_bound(database: Database, delay: str, pause: float) -> None:
    rules, _, _ = robots(database, httpx.Response(200, text=f"User-agent: *\nCrawl-delay: {delay}\nDisallow: /no"))
    assert rules.pause(f"{SITE}/x") == pause


def test_of_a_long_file_five_hundred_kibibytes_count(database: Database) -> None:
    early = "User-agent: *\nDisallow: /early\n"
    rules, _, _ = robots(
        database, httpx.Response(200, text=early + "#" * ROBOTS_BYTES + "\nDisallow: /late-and-long" * 9)
    )
    assert rules.pause(f"{SITE}/late-and-long-and-longer") == SPACING
    with pytest.raises(PermanentError):
        rules.pause(f"{SITE}/early")


# Both, around a fetcher.


@pytest.fixture
def polite(passed: PassedTurns) -> Iterator[tuple[Fetcher, WrittenWeb]]:
    web, turns = WrittenWeb(), passed.turns()
    rules = Robots(web.fetcher(attempts=1, around=turns.turn), passed.database, ManualClock(NOON))
    with web.fetcher(attempts=1, around=Manners(rules, turns)) as fetcher:
        yield fetcher, web


def test_each_hop_of_a_redirect_minds_its_own_host_s_manners(
    polite: tuple[Fetcher, WrittenWeb], passed: PassedTurns
) -> None:
    fetcher, web = polite
    web.pages |= {
        f"{SITE}/1": httpx.Response(302, headers={"location": "https://other.example/no"}),
        f"{SITE}/2": httpx.Response(200, text="two"),
        "https://other.example/robots.txt": httpx.Response(200, text="User-agent: *\nDisallow: /no"),
    }
    with pytest.raises(PermanentError, match=r"https://other\.example/no was left: robots\.txt"):
        fetcher.get(f"{SITE}/1")
    assert web.urls == [ROBOTS, f"{SITE}/1", "https://other.example/robots.txt"]
    assert fetcher.get(f"{SITE}/2").text() == "two"
    assert len(passed.waits) == 2  # after robots.txt, and before the second page


def test_an_address_that_is_none_is_refused(database: Database) -> None:
    rules, _, _ = robots(database, httpx.Response(200))
    for url in ("javascript:alert(1)", "https://", "mailto:a@b.example"):
        with pytest.raises(PermanentError, match="is no address"):
            rules.pause(url)
