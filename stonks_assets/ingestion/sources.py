"""Which adapter speaks for which source type, put together from the settings; the composition root of ingestion."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from stonks_assets.ingestion.alpaca import AlpacaBrokerAdapter
from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.limits import EDGAR, POLYGON, Limit, RateGate, type_limit
from stonks_assets.ingestion.polygon import MacroNewsAdapter, PolygonClient, PolygonMarketAdapter, PolygonNewsAdapter
from stonks_assets.ingestion.protocol import Adapter
from stonks_assets.ingestion.public_net import PublicOnlyTransport
from stonks_assets.ingestion.web import AGENT, WebScrapeAdapter
from stonks_assets.pipeline import Pipeline
from stonks_core.vocabulary import SourceType

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
            return PolygonMarketAdapter(_polygon(pipeline, stack, source_type), pipeline.calendar)
        case SourceType.NEWS_API:
            return PolygonNewsAdapter(_polygon(pipeline, stack, source_type), _pages(pipeline, stack))
        case SourceType.MACRO_NEWS:
            return MacroNewsAdapter(_polygon(pipeline, stack, source_type), _pages(pipeline, stack))
        case SourceType.FILINGS_API:
            return SECEdgarAdapter(_edgar(pipeline, stack, source_type), endpoints.edgar_www, endpoints.edgar_data)
        case SourceType.WEB_SCRAPE:
            return WebScrapeAdapter(_pages(pipeline, stack))
        case SourceType.BROKER:
            broker = pipeline.settings.broker
            headers = {
                "APCA-API-KEY-ID": broker.api_key.get_secret_value() or SANDBOX_KEY,
                "APCA-API-SECRET-KEY": broker.api_secret.get_secret_value() or SANDBOX_KEY,
            }
            gate = _gate(pipeline, "broker", source_type)
            fetcher = Fetcher(
                pipeline.clock, headers=headers, gate=gate, follow_redirects=False
            )  # keys go to no other host
            return AlpacaBrokerAdapter(stack.enter_context(fetcher), endpoints.trading)


def _polygon(pipeline: Pipeline, stack: ExitStack, source_type: SourceType | None = None) -> PolygonClient:
    key = pipeline.settings.market_data.api_key.get_secret_value() or SANDBOX_KEY
    fetcher = Fetcher(
        pipeline.clock,
        headers={"Authorization": f"Bearer {key}"},
        gate=_gate(pipeline, "market_data", source_type, POLYGON),
        follow_redirects=False,
    )
    return PolygonClient(stack.enter_context(fetcher), pipeline.settings.endpoints.polygon)


def _edgar(pipeline: Pipeline, stack: ExitStack, source_type: SourceType | None = None) -> Fetcher:
    contact = pipeline.settings.market_data.edgar_contact or SANDBOX_CONTACT
    gate = _gate(pipeline, "edgar", source_type, EDGAR)
    fetcher = Fetcher(pipeline.clock, headers={"User-Agent": f"Stonks Oracle {contact}"}, gate=gate)
    return stack.enter_context(fetcher)


def _pages(pipeline: Pipeline, stack: ExitStack) -> Fetcher:
    """Pages may be anybody's: only public addresses, and the sandbox's own where it plays the news."""
    origins = pipeline.settings.market_data.private_origins.split(",")
    if pipeline.settings.sandbox.url:
        origins.append(pipeline.settings.sandbox.url)
    fetcher = Fetcher(
        pipeline.clock,
        headers={"User-Agent": f"Mozilla/5.0 (compatible; {AGENT}/1.0)", "Accept": "text/html,application/xml;q=0.9"},
        gate=_gate(pipeline, "market_data", SourceType.WEB_SCRAPE),
        attempts=2,
        transport=PublicOnlyTransport(origins),
    )
    return stack.enter_context(fetcher)


def _gate(pipeline: Pipeline, part: str, source_type: SourceType | None, *vendor: Limit) -> Callable[[], None]:
    """The source type's limit and the vendor's; the sandbox has none to protect. Seeding the registry is of no type."""
    if pipeline.settings.sandboxed[part]:
        return lambda: None
    own = [type_limit(pipeline.settings.rate_limits, source_type)] if source_type else []
    return RateGate(pipeline.database, *own, *vendor)
