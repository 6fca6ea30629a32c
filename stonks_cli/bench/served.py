"""A vendor for benchmarks, in a process of its own: a day of news with pages of real size, and many small feeds.

It speaks as much of Polygon's list of news and of the web as the adapters ask for, says how often it was asked and over
how many connections, and costs the measured process nothing but the bytes.
"""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from stonks_core.errors import StonksError

TICKER = "AAA"
ENTRIES = 2
STORY_BYTES = 6_000
NEWS = "/polygon/v2/reference/news"
_WORDS = tuple(
    "shares revenue quarter guidance demand margin outlook analyst estimate record supply contract regulator debt cash "  # noqa: SIM905
    "dividend merger product launch factory strike tariff inflation growth decline profit loss market company chief".split()
)


@dataclass(frozen=True)
class Goods:
    """What is served: articles of one day, the size of their pages, and the feeds."""

    day: str
    documents: int
    page_bytes: int
    feeds: int = 0


@dataclass(frozen=True)
class Vendor:
    """A running server."""

    url: str
    goods: Goods

    def counts(self) -> dict[str, int]:
        """Requests so far, connections made, and the most that were open at once."""
        counts: dict[str, int] = httpx.get(f"{self.url}/bench/counts", timeout=30, trust_env=False).json()
        return counts


@contextmanager
def serving(goods: Goods) -> Iterator[Vendor]:
    """The server on a free loopback port, gone at the end of the block."""
    command = [sys.executable, "-m", "stonks_cli.bench.served", json.dumps(asdict(goods))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if process.stdout is None:
        raise StonksError("the benchmark's server has no output to say its address on")
    try:
        url = process.stdout.readline().strip()
        if not url.startswith("http://127.0.0.1:"):
            raise StonksError("the benchmark's server did not start: its error stands above")
        yield Vendor(url, goods)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class _World:
    """The answers."""

    def __init__(self, goods: Goods) -> None:
        chance = random.Random(7)
        self.goods = goods
        self.begin = datetime.combine(date.fromisoformat(goods.day), time(), UTC)
        self.step = 86_000 / max(1, goods.documents)
        self.text = " ".join(chance.choice(_WORDS) for _ in range(100_000))
        chrome = "".join(f'<div class="c{chance.randrange(10**6)}"><a href="/{n}">menu</a></div>' for n in range(3000))
        self.chrome = chrome[: max(0, goods.page_bytes - STORY_BYTES)]

    def answer(self, target: str, url: str) -> tuple[str, bytes]:
        """Media type and body; an empty type means that there is no such page."""
        parts = urlsplit(target)
        match parts.path.split("/")[1:]:
            case ["polygon", *_] if parts.path == NEWS:
                return "application/json", self._news(parse_qs(parts.query), url)
            case ["web", "a", number]:
                return "text/html; charset=utf-8", self._page(int(number))
            case ["web", "feeds", number]:
                return "application/rss+xml; charset=utf-8", self._feed(int(number), url)
            case ["robots.txt"]:
                return "text/plain", b"User-agent: *\nAllow: /\n"
        return "", b""

    def _page(self, number: int) -> bytes:
        start = number * 7919 % (len(self.text) - STORY_BYTES)
        story = self.text[start : start + STORY_BYTES]
        return (
            f"<html><head><title>Story {number}</title></head><body><nav>{self.chrome}</nav>"
            f"<article><h1>Story {number}</h1><p>{story}</p></article></body></html>"
        ).encode()

    def _published(self, number: int) -> datetime:
        return self.begin + timedelta(seconds=int(number * self.step))

    def _news(self, query: dict[str, list[str]], url: str) -> bytes:
        def said(name: str) -> str:
            return query.get(name, [""])[0]

        since = self._place(said("published_utc.gte") or said("published_utc.gt"), 0)
        until = self._place(said("published_utc.lt") or said("published_utc.lte"), self.goods.documents)
        first, limit = max(since, int(said("cursor") or 0)), int(said("limit") or said("most") or 10)
        last = min(first + limit, until)
        body: dict[str, object] = {"status": "OK", "results": [self._listed(n, url) for n in range(first, last)]}
        if last < until:
            following = {"cursor": last, "most": limit, "published_utc.lt": said("published_utc.lt")}
            body["next_url"] = f"{url}{NEWS}?{urlencode(following)}"
        return json.dumps(body, separators=(",", ":")).encode()

    def _place(self, bound: str, default: int) -> int:
        """The first article that is not older than a bound."""
        if not bound:
            return default
        seconds = (datetime.fromisoformat(bound) - self.begin).total_seconds()
        place = max(0, int(seconds / self.step) - 2)
        while place < self.goods.documents and int(place * self.step) < seconds:
            place += 1
        return min(place, self.goods.documents)

    def _listed(self, number: int, url: str) -> dict[str, object]:
        return {
            "id": f"{number:064x}",
            "publisher": {"name": "Bench Wire", "homepage_url": f"{url}/web"},
            "title": f"Story {number}: {self.text[number % 5000 : number % 5000 + 60]}",
            "author": "A. Uthor",
            "published_utc": self._published(number).isoformat().replace("+00:00", "Z"),
            "article_url": f"{url}/web/a/{number}",
            "tickers": [TICKER],
            "description": self.text[number % 9000 : number % 9000 + 240],
            "keywords": ["earnings", "markets"],
        }

    def _feed(self, number: int, url: str) -> bytes:
        stamp = format_datetime(self.begin + timedelta(hours=1), usegmt=True)
        items = "".join(
            f"<item><title>Feed {number}, {n}</title><link>{url}/web/a/{number * ENTRIES + n}</link>"
            f"<pubDate>{stamp}</pubDate><description>{self.text[:200]}</description></item>"
            for n in range(ENTRIES)
        )
        return (
            f'<?xml version="1.0"?><rss version="2.0"><channel><title>{number}</title>{items}</channel></rss>'.encode()
        )


class _Counts:
    requests = connections = most_open = open = 0


class _Http(asyncio.Protocol):
    """Keep-alive GET and nothing else."""

    def __init__(self, world: _World, counts: _Counts) -> None:
        self._world, self._counts, self._held = world, counts, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._counts.connections += 1
        self._counts.open += 1
        self._counts.most_open = max(self._counts.most_open, self._counts.open)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._counts.open -= 1

    def data_received(self, data: bytes) -> None:
        self._held += data
        while b"\r\n\r\n" in self._held:
            head, _, self._held = self._held.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1"))

    def _answer(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        host = next((line[5:].strip() for line in lines if line.lower().startswith("host:")), "127.0.0.1")
        target = first.split(" ")[1]
        if target == "/bench/counts":
            shown = {name: getattr(self._counts, name) for name in ("requests", "connections", "most_open")}
            kind, body = "application/json", json.dumps(shown).encode()
        else:
            self._counts.requests += 1
            kind, body = self._world.answer(target, f"http://{host}")
        status = "200 OK" if kind else "404 Not Found"
        header = f"HTTP/1.1 {status}\r\nContent-Type: {kind or 'text/plain'}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._transport.write(header.encode() + body)  # type: ignore[attr-defined]


async def _serve(goods: Goods) -> None:
    world, counts = _World(goods), _Counts()
    server = await asyncio.get_running_loop().create_server(lambda: _Http(world, counts), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Goods(**json.loads(sys.argv[1]))))
