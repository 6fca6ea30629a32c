"""Which adapter speaks for which source, put together from its configuration and the settings; ingestion's root."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from stonks_assets.ingestion.alpaca import AlpacaBrokerAdapter
from stonks_assets.ingestion.alpaca_data import AlpacaDataClient, AlpacaMarketAdapter
from stonks_assets.ingestion.alpaca_news import AlpacaNewsAdapter
from stonks_assets.ingestion.edgar import SECEdgarAdapter
from stonks_assets.ingestion.entitlements import Entitlements
from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.limits import ALPACA_DATA, EDGAR, POLYGON, Limit, RateGate, type_limit
from stonks_assets.ingestion.polygon import MacroNewsAdapter, PolygonClient, PolygonNewsAdapter
from stonks_assets.ingestion.polygon_market import PolygonMarketAdapter
from stonks_assets.ingestion.protocol import Adapter, Ask, RawItem
from stonks_assets.ingestion.public_net import PublicOnlyTransport
from stonks_assets.ingestion.web import AGENT, WebScrapeAdapter
from stonks_assets.pipeline import Pipeline
from stonks_core.errors import PermanentError
from stonks_core.registry.universe import Source
from stonks_core.settings import Settings
from stonks_core.vocabulary import SourceType

SANDBOX_KEY = "sandbox"
SANDBOX_CONTACT = "sandbox@stonks.example"


PROVIDERS: Mapping[SourceType, tuple[str, ...]] = {
    SourceType.MARKET_API: ("polygon", "alpaca"),
    SourceType.NEWS_API: ("polygon", "alpaca"),
    SourceType.MACRO_NEWS: ("polygon",),
}
"""Who may be named as `provider` in a source's configuration. A type that is not listed has one provider only."""


@contextmanager
def adapter_for(pipeline: Pipeline, source: Source) -> Iterator[Adapter]:
    """The adapter of a source, by its type and provider; its connections are closed at the end of the block.

    A source that cannot be asked gets one that says so when it is asked, so that it fails by itself and for itself.
    """
    with ExitStack() as stack:
        provider = provider_of(source, pipeline.settings)
        refusal = _refusal(source, provider, pipeline.settings)
        # A provider "rss" (of news_api and macro_news, over _pages) belongs here beside the others, and into PROVIDERS.
        build = _build_alpaca if provider == "alpaca" else _build
        yield _Unaskable(refusal) if refusal else build(pipeline, source.source_type, stack)


def provider_of(source: Source, settings: Settings) -> str:
    """Who is asked for a source: its own `provider`, else for bars and news the settings', else the type's first."""
    named = source.config.get("provider")
    if named:
        return str(named)
    known = PROVIDERS.get(source.source_type, ("",))
    return settings.market_data_provider if settings.market_data_provider in known else known[0]


class _Unaskable:
    """Stands where no adapter can: whoever asks it gets the reason."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """Raises PermanentError."""
        raise PermanentError(f"source {ask.source.name} cannot be asked: {self._sentence}")


def _refusal(source: Source, provider: str, settings: Settings) -> str:
    """Why a source cannot be asked, or nothing."""
    known = PROVIDERS.get(source.source_type, ("",))
    if provider not in known:
        listed = " or ".join(known) if known != ("",) else "left out, there is only one"
        return f"its provider is {provider!r}, but for {source.source_type} it must be {listed}"
    if settings.sandboxed["market_data"]:
        return ""
    if provider == "polygon" and not settings.market_data.api_key.get_secret_value():
        return "it asks Polygon, but MARKET_DATA_API_KEY is not set: set it, or name another provider"
    if provider == "alpaca" and settings.sandboxed["broker"]:
        return "it asks Alpaca for data, but BROKER_API_KEY is not set: set it, or name another provider"
    return ""


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


@contextmanager
def page_fetcher(pipeline: Pipeline) -> Iterator[Fetcher]:
    """Requests for pages of anybody's, public addresses only."""
    with ExitStack() as stack:
        yield _pages(pipeline, stack)


def _build(pipeline: Pipeline, source_type: SourceType, stack: ExitStack) -> Adapter:
    endpoints = pipeline.settings.endpoints
    match source_type:
        case SourceType.MARKET_API:
            plan = Entitlements(pipeline.database, pipeline.clock, "polygon")
            return PolygonMarketAdapter(_polygon(pipeline, stack, source_type), pipeline.calendar, plan)
        case SourceType.NEWS_API:
            return PolygonNewsAdapter(_polygon(pipeline, stack, source_type), _pages(pipeline, stack))
        case SourceType.MACRO_NEWS:
            return MacroNewsAdapter(_polygon(pipeline, stack, source_type), _pages(pipeline, stack))
        case SourceType.FILINGS_API:
            return SECEdgarAdapter(_edgar(pipeline, stack, source_type), endpoints.edgar_www, endpoints.edgar_data)
        case SourceType.WEB_SCRAPE:
            return WebScrapeAdapter(_pages(pipeline, stack))
        case SourceType.BROKER:
            gate = _gate(pipeline, "broker", source_type)
            return AlpacaBrokerAdapter(_alpaca(pipeline, stack, gate), endpoints.trading)


def _build_alpaca(pipeline: Pipeline, source_type: SourceType, stack: ExitStack) -> Adapter:
    limit = replace(ALPACA_DATA, slots=pipeline.settings.market_data.alpaca_requests_per_minute)
    fetcher = _alpaca(pipeline, stack, _gate(pipeline, "broker", source_type, limit))
    client = AlpacaDataClient(fetcher, pipeline.settings.endpoints.trading_data)
    if source_type is SourceType.NEWS_API:
        return AlpacaNewsAdapter(client)
    plan = Entitlements(pipeline.database, pipeline.clock, "alpaca")
    return AlpacaMarketAdapter(client, pipeline.calendar, pipeline.settings.broker.feed, plan)


def _alpaca(pipeline: Pipeline, stack: ExitStack, gate: Callable[[], None]) -> Fetcher:
    """Requests with Alpaca's keys, which go to no other host."""
    broker = pipeline.settings.broker
    headers = {
        "APCA-API-KEY-ID": broker.api_key.get_secret_value() or SANDBOX_KEY,
        "APCA-API-SECRET-KEY": broker.api_secret.get_secret_value() or SANDBOX_KEY,
    }
    return stack.enter_context(Fetcher(pipeline.clock, headers=headers, gate=gate, follow_redirects=False))


def _polygon(pipeline: Pipeline, stack: ExitStack, source_type: SourceType | None = None) -> PolygonClient:
    key = pipeline.settings.market_data.api_key.get_secret_value() or SANDBOX_KEY
    limit = replace(POLYGON, slots=pipeline.settings.market_data.polygon_requests_per_minute)
    fetcher = Fetcher(
        pipeline.clock,
        headers={"Authorization": f"Bearer {key}"},
        gate=_gate(pipeline, "market_data", source_type, limit),
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
