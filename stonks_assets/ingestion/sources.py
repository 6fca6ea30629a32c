"""Which adapter speaks for which source type, put together from the settings; the composition root of ingestion."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from stonks_assets.ingestion.alpaca import AlpacaBrokerAdapter
from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.http import Around, Fetcher
from stonks_assets.ingestion.limits import EDGAR, POLYGON, Limit, RateGate
from stonks_assets.ingestion.politeness import AGENT, HostTurns, Manners, Robots
from stonks_assets.ingestion.polygon import MacroNewsAdapter, PolygonClient, PolygonMarketAdapter, PolygonNewsAdapter
from stonks_assets.ingestion.protocol import Adapter
from stonks_assets.ingestion.public_net import PublicOnlyTransport
from stonks_assets.ingestion.web import WebScrapeAdapter
from stonks_assets.pipeline import Pipeline
from stonks_core.vocabulary import SourceType

ACCEPTED_PAGES = (
    "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/xml;q=0.9,*/*;q=0.5"
)
SANDBOX_KEY = "sandbox"
SANDBOX_CONTACT = "sandbox@stonks.example"


@contextmanager
def adapter_for(pipeline: Pipeline, source_type: SourceType) -> Iterator[Adapter]:
    """The adapter of a source type, its connections closed at the end of the block."""
    with ExitStack() as stack:
        yield _build(pipeline, source_type, stack)


@contextmanager
def polygon_client(pipeline: Pipeline) -> Iterator[PolygonClient]:
    """Polygon's interface, for seeding the registry."""
    with ExitStack() as stack:
        yield _polygon(pipeline, stack)


@contextmanager
def edgar_fetcher(pipeline: Pipeline) -> Iterator[Fetcher]:
    """Requests to EDGAR as the SEC wants them, for seeding the registry."""
    with ExitStack() as stack:
        yield _edgar(pipeline, stack)


def _build(pipeline: Pipeline, source_type: SourceType, stack: ExitStack) -> Adapter:
    endpoints = pipeline.settings.endpoints
    match source_type:
        case SourceType.MARKET_API:
            return PolygonMarketAdapter(_polygon(pipeline, stack), pipeline.calendar)
        case SourceType.NEWS_API:
            return PolygonNewsAdapter(_polygon(pipeline, stack), _pages(pipeline, stack))
        case SourceType.MACRO_NEWS:
            return MacroNewsAdapter(_polygon(pipeline, stack), _pages(pipeline, stack))
        case SourceType.FILINGS_API:
            return SECEdgarAdapter(_edgar(pipeline, stack), endpoints.edgar_www, endpoints.edgar_data)
        case SourceType.WEB_SCRAPE:
            return WebScrapeAdapter(_pages(pipeline, stack))
        case SourceType.BROKER:
            broker = pipeline.settings.broker
            headers = {
                "APCA-API-KEY-ID": broker.api_key.get_secret_value() or SANDBOX_KEY,
                "APCA-API-SECRET-KEY": broker.api_secret.get_secret_value() or SANDBOX_KEY,
            }
            fetcher = Fetcher(pipeline.clock, headers=headers, follow_redirects=False)  # keys go to no other host
            return AlpacaBrokerAdapter(stack.enter_context(fetcher), endpoints.trading)


def _polygon(pipeline: Pipeline, stack: ExitStack) -> PolygonClient:
    key = pipeline.settings.market_data.api_key.get_secret_value() or SANDBOX_KEY
    fetcher = Fetcher(
        pipeline.clock,
        headers={"Authorization": f"Bearer {key}"},
        gate=_gate(pipeline, "market_data", POLYGON),
        follow_redirects=False,
    )
    return PolygonClient(stack.enter_context(fetcher), pipeline.settings.endpoints.polygon)


def _edgar(pipeline: Pipeline, stack: ExitStack) -> Fetcher:
    contact = pipeline.settings.market_data.edgar_contact or SANDBOX_CONTACT
    fetcher = Fetcher(
        pipeline.clock, headers={"User-Agent": f"Stonks Oracle {contact}"}, gate=_gate(pipeline, "edgar", EDGAR)
    )
    return stack.enter_context(fetcher)


def _pages(pipeline: Pipeline, stack: ExitStack) -> Fetcher:
    """Pages may be anybody's: only public addresses and politely; the sandbox's own need no pause where it plays the news."""
    sandbox = [pipeline.settings.sandbox.url] if pipeline.settings.sandbox.url else []
    transport = PublicOnlyTransport([*pipeline.settings.market_data.private_origins.split(","), *sandbox])
    turns = HostTurns(pipeline.database, exempt=sandbox)

    def asking(around: Around) -> Fetcher:
        headers = {"User-Agent": f"Mozilla/5.0 (compatible; {AGENT}/1.0)", "Accept": ACCEPTED_PAGES}
        fetcher = Fetcher(pipeline.clock, headers=headers, around=around, attempts=2, transport=transport)
        return stack.enter_context(fetcher)

    return asking(Manners(Robots(asking(turns.turn), pipeline.database, pipeline.clock), turns))


def _gate(pipeline: Pipeline, part: str, limit: Limit) -> Callable[[], None]:
    """The vendor's limit; the sandbox has none to protect."""
    return (lambda: None) if pipeline.settings.sandboxed[part] else RateGate(pipeline.database, limit)
