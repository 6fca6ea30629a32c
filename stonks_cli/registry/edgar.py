"""The SEC's list of tickers, fetched as the SEC wants to be asked."""

from stonks_assets.ingestion.sources import edgar_fetcher
from stonks_assets.pipeline import Pipeline
from stonks_core.clock import SystemClock
from stonks_core.errors import SettingsError
from stonks_core.stores.opening import Stores


def fetched_tickers(stores: Stores) -> bytes:
    """company_tickers.json as EDGAR gives it now. Raises SettingsError where EDGAR is only simulated and not running."""
    settings = stores.settings
    if settings.sandboxed["edgar"] and not settings.sandbox.url:
        raise SettingsError(
            "EDGAR is simulated here: set EDGAR_CONTACT to ask the SEC, or name a FILE that holds its company_tickers.json"
        )
    with edgar_fetcher(Pipeline(settings, stores.lake, stores.database, SystemClock())) as edgar:
        return edgar.get(f"{settings.endpoints.edgar_www}/files/company_tickers.json").content
