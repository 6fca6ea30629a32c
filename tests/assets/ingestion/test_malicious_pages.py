"""A malicious page, end to end: a real server on loopback that is allowed by name, and what it tries from there."""

import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator

import pytest

from stonks_assets.ingestion.step import SourcesDownError, ingest
from stonks_assets.pipeline import Pipeline
from stonks_core.stores.lake.bronze_tables import raw_table
from stonks_core.vocabulary import SourceType
from tests.assets.ingestion.asking import TODAY
from tests.assets.ingestion.conftest import SANDBOX_NOW, PipelineAt
from tests.assets.ingestion.hostile import head, serving

SECRETS: list[bytes] = []


def bomb(size: int = 200_000_000) -> bytes:
    packer, block = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16), bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()


def led(to: str) -> list[bytes]:
    return [head(f"Location: {to}", "Content-Length: 0", status="302 Found")]


def page(content: bytes, *lines: str) -> list[bytes]:
    return [head(f"Content-Length: {len(content)}", *lines), content]


def secret(request: bytes) -> list[bytes]:
    SECRETS.append(request)
    return page(b"<p>inside</p>")


class Malice:
    """The server's pages; `inside` is another server on loopback that nobody allowed."""

    def __init__(self, inside: str) -> None:
        self.inside, self.bomb = inside, bomb()
        self.tricks = {
            "/redirect": "is no public address",
            "/redirect-name": "is no public address",
            "/redirect-metadata": "is no public address",
            "/redirect-mapped": "is no public address",
            "/redirect-user": "with a user's name in it",
            "/redirect-file": "leads from http to file",
            "/circle": "leads in a circle",
            "/endless": "is longer than 25,000,000 bytes",
            "/bomb": "is longer than 25,000,000 bytes",
            "/bomb-in-bomb": "is longer than 25,000,000 bytes",
            "/brotli": "in the coding br, which was not asked for",
            "/head": "sends a head that does not end within 100 KiB",
        }

    def __call__(self, request: bytes) -> Iterable[bytes]:
        path = request.split(b" ")[1].decode()
        port = self.inside.rpartition(":")[2]
        answers: dict[str, Iterable[bytes]] = {
            "/robots.txt": page(b"User-agent: *\nAllow: /"),
            "/feed.xml": page(self.feed(), "Content-Type: application/rss+xml", 'ETag: "1"'),
            "/good": page(b"<p>a good page</p>", "Content-Type: text/html"),
            "/redirect": led(f"{self.inside}/secret"),
            "/redirect-name": led(f"http://localhost:{port}/secret"),
            "/redirect-metadata": led("http://169.254.169.254/latest/meta-data/"),
            "/redirect-mapped": led(f"http://[::ffff:127.0.0.1]:{port}/secret"),
            "/redirect-user": led(f"http://x@127.0.0.1:{port}/secret"),
            "/redirect-file": led("file:///etc/passwd"),
            "/circle": led("/circle"),
            "/bomb": page(self.bomb, "Content-Encoding: gzip"),
            "/bomb-in-bomb": page(gzip.compress(self.bomb), "Content-Encoding: gzip, gzip"),
            "/brotli": page(b"x", "Content-Encoding: br"),
        }
        if path == "/endless":
            return itertools.chain([head()], itertools.repeat(bytes(60_000)))
        if path == "/head":
            return itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x" * 1000))
        return answers.get(path) or page(b"gone")

    def feed(self) -> bytes:
        items = "".join(
            f"<item><title>{path[1:]}</title><link>{path}</link></item>" for path in ("/good", *self.tricks)
        )
        return f"<rss><channel>{items}</channel></rss>".encode()


@pytest.fixture
def malice() -> Iterator[tuple[str, Malice]]:
    SECRETS.clear()
    with serving(secret) as inside:
        malicious = Malice(inside)
        with serving(malicious) as origin:
            yield origin, malicious


def with_feed(pipeline: Pipeline, url: str) -> Pipeline:
    pipeline.database.execute(
        "INSERT INTO sources (source_type, name, config) VALUES ('web_scrape', 'malicious', jsonb_build_object('url', %s::text))",
        (url,),
    )
    return pipeline


def test_every_trick_is_refused_by_name_and_the_rest_arrives(
    pipeline_at: PipelineAt, malice: tuple[str, Malice], monkeypatch: pytest.MonkeyPatch
) -> None:
    origin, malicious = malice
    monkeypatch.setattr("stonks_assets.ingestion.politeness.SPACING", 0.0)  # the host is our own
    monkeypatch.setenv("http_proxy", malicious.inside)
    pipeline = with_feed(pipeline_at(FETCH_PRIVATE_ORIGINS=origin), f"{origin}/feed.xml")
    report = ingest(pipeline, SourceType.WEB_SCRAPE, TODAY, SANDBOX_NOW)
    assert report.figures["down"] == 0
    told = {row["item"]: row["error"] for row in pipeline.database.fetch("SELECT item, error FROM failures")}
    assert told.keys() == {f"{origin}{path}" for path in malicious.tricks}
    for path, words in malicious.tricks.items():
        assert words in told[f"{origin}{path}"], path
    rows = pipeline.lake.read(raw_table(SourceType.WEB_SCRAPE)).to_pylist()
    assert {row["item_id"] for row in rows if row["part_of"]} == {f"{origin}/good#page"}
    assert len([row for row in rows if not row["part_of"]]) == 1 + len(malicious.tricks)
    assert SECRETS == []


@pytest.mark.parametrize("path", ["/redirect", "/endless", "/bomb"])
def test_a_source_that_is_itself_malicious_is_refused(
    pipeline_at: PipelineAt, malice: tuple[str, Malice], path: str
) -> None:
    origin, malicious = malice
    pipeline = with_feed(pipeline_at(FETCH_PRIVATE_ORIGINS=origin), f"{origin}{path}")
    with pytest.raises(SourcesDownError, match=malicious.tricks[path]):
        ingest(pipeline, SourceType.WEB_SCRAPE, TODAY, SANDBOX_NOW)
    assert SECRETS == []


def test_the_server_is_let_in_only_because_it_is_named(pipeline_at: PipelineAt, malice: tuple[str, Malice]) -> None:
    origin, _ = malice
    pipeline = with_feed(pipeline_at(), f"{origin}/feed.xml")
    with pytest.raises(SourcesDownError, match="is no public address"):
        ingest(pipeline, SourceType.WEB_SCRAPE, TODAY, SANDBOX_NOW)
