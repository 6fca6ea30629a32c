"""A trading session over given stores and clock, for the commands that walk through time themselves."""

from stonks_core.calendar import MarketCalendar
from stonks_core.clock import Clock
from stonks_core.stores.opening import Stores
from stonks_trading.broker.alpaca import broker_from
from stonks_trading.session import TradingSession


def session_of(stores: Stores, clock: Clock) -> TradingSession:
    """The steps of trading on the stores' account, at the broker that their settings name."""
    settings = stores.settings
    calendar = MarketCalendar(settings.calendar_name)
    return TradingSession(settings, stores.lake, stores.database, broker_from(settings), calendar, clock)
