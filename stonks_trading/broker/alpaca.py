"""Alpaca (or whoever speaks its protocol) as a `Broker`, over alpaca-py's clients.

alpaca-py repeats requests by itself and has no timeout; both are mended here in subclasses, not in the library.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import requests
from alpaca.common.exceptions import APIError
from alpaca.data.historical.stock import StockHistoricalDataClient
from alpaca.trading.client import TradingClient
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from stonks_core.errors import PermanentError, TransientError
from stonks_core.settings import Settings
from stonks_trading.broker import wire
from stonks_trading.broker.protocol import (
    Account,
    Asset,
    BrokerClock,
    BrokerOrder,
    BrokerPosition,
    Execution,
    InDoubt,
    NotSent,
    OrderRequest,
    Refused,
    Submitted,
)
from stonks_trading.records import Quote

CONNECT_SECONDS = 3.05
READ_SECONDS = 15.0
ORDERS_PER_PAGE = 500
ACTIVITIES_PER_PAGE = 100
SYMBOLS_PER_CALL = 100
NOT_UNIQUE = "40010001"
_SANDBOX_KEY = "sandbox"


class _TimedAdapter(HTTPAdapter):
    """Gives every request a timeout that did not get one."""

    def send(self, request: Any, *arguments: Any, **options: Any) -> requests.Response:
        """Send one request; requests.Timeout after CONNECT_SECONDS or READ_SECONDS."""
        options["timeout"] = options.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        return super().send(request, *arguments, **options)


class _OneShot:
    """Mixed into alpaca-py's clients: one request is one request, and it ends."""

    _session: requests.Session

    def bound(self) -> None:
        """Give the session its timeouts."""
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _TimedAdapter(max_retries=0))

    def unbind(self) -> None:
        """End the session's connections."""
        self._session.close()

    def _one_request(self, method: str, url: str, opts: dict[str, Any], retry: int) -> Any:
        """As the library does, but never asking to be repeated: a repeated POST could place an order twice."""
        del retry
        return super()._one_request(method, url, opts, 0)  # type: ignore[misc]  # the client's, by the class order


class _Trading(_OneShot, TradingClient):
    """alpaca-py's trading client, bounded."""


class _Data(_OneShot, StockHistoricalDataClient):
    """alpaca-py's market data client, bounded."""


class AlpacaBroker:
    """The account behind one key. `feed` is what quotes are asked from, `feed_name` what they are stored as.

    Raises as `Broker` says. Safe to share between threads that do not send orders at the same time.
    """

    def __init__(
        self, trading_url: str, data_url: str, key: str, secret: str, *, feed: str, feed_name: str, paper: bool = True
    ) -> None:
        self._trading = _Trading(key, secret, paper=paper, raw_data=True, url_override=trading_url)
        self._data = _Data(key, secret, raw_data=True, url_override=data_url)
        self._trading.bound()
        self._data.bound()
        self._feed, self._feed_name = feed, feed_name
        self._where = trading_url

    def close(self) -> None:
        """End the connections."""
        self._trading.unbind()
        self._data.unbind()

    def account(self) -> Account:
        """The account now."""
        return wire.account(self._required("/account"))

    def clock(self) -> BrokerClock:
        """The broker's present."""
        return wire.clock(self._required("/clock"))

    def asset(self, ticker: str) -> Asset | None:
        """What may be done with a ticker; None for one Alpaca does not know."""
        body = self._get(f"/assets/{ticker}")
        return None if body is None else wire.asset(body)

    def positions(self) -> Sequence[BrokerPosition]:
        """All open positions."""
        return [wire.position(body) for body in self._required("/positions")]

    def open_orders(self) -> Sequence[BrokerOrder]:
        """All orders that can still fill, oldest first."""
        found: dict[str, BrokerOrder] = {}
        query = {"status": "open", "limit": str(ORDERS_PER_PAGE), "direction": "asc", "nested": "false"}
        while True:
            page = [wire.order(body) for body in self._required("/orders", query)]
            fresh = [order for order in page if order.broker_order_id not in found]
            found |= {order.broker_order_id: order for order in fresh}
            last = page[-1].submitted_at if page else None
            if len(page) < ORDERS_PER_PAGE or not fresh or last is None:
                return list(found.values())
            query["after"] = last.isoformat()

    def submit(self, request: OrderRequest) -> Submitted:
        """Place one order, once; see `Broker.submit`."""
        what = f"the order {request.client_order_id} for {request.ticker}"
        try:
            body = self._trading.post("/orders", wire.to_payload(request))
            return wire.order(cast("wire.Json", body or {}))
        except APIError as error:
            return _refusal(error, what)
        except requests.ConnectionError as error:
            if _never_connected(error):
                return NotSent(f"{what} was not sent, {self._where} could not be reached: {error}")
            return InDoubt(f"the connection broke while {what} was being placed: {error}")
        except (requests.RequestException, ValueError, PermanentError) as error:
            return InDoubt(f"the answer to {what} was lost or unreadable: {error}")

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id; None when Alpaca never heard of it."""
        body = self._get("/orders:by_client_order_id", {"client_order_id": client_order_id})
        return None if body is None else wire.order(body)

    def order(self, broker_order_id: str) -> BrokerOrder | None:
        """An order by Alpaca's id; None when there is none."""
        body = self._get(f"/orders/{broker_order_id}")
        return None if body is None else wire.order(body)

    def cancel(self, broker_order_id: str) -> bool:
        """Ask for a cancellation; False when the order is final already or unknown."""
        try:
            self._trading.delete(f"/orders/{broker_order_id}")
        except APIError as error:
            if error.status_code in {404, 422}:
                return False
            raise _failure(error, f"cancelling order {broker_order_id}", self._where) from error
        except (requests.RequestException, ValueError) as error:
            raise TransientError(
                f"cancelling order {broker_order_id} at {self._where} got no answer: {error}"
            ) from error
        return True

    def executions(self, after: datetime) -> Sequence[Execution]:
        """All fills after an instant, oldest first, page by page."""
        query = {"after": after.isoformat(), "direction": "asc", "page_size": str(ACTIVITIES_PER_PAGE)}
        found: dict[str, Execution] = {}
        while True:
            page = self._required("/account/activities/FILL", query)
            before = len(found)
            found |= {str(body.get("id")): wire.execution(body) for body in page}
            if len(page) < ACTIVITIES_PER_PAGE or len(found) == before:
                return sorted(found.values(), key=lambda e: (e.at, e.cumulative_quantity or 0))
            query["page_token"] = str(page[-1].get("id"))

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """The latest quote and trade of each ticker that has one."""
        wanted, found = sorted(set(tickers)), dict[str, Quote]()
        for start in range(0, len(wanted), SYMBOLS_PER_CALL):
            query = {"symbols": ",".join(wanted[start : start + SYMBOLS_PER_CALL]), "feed": self._feed}
            quoted = self._market("/stocks/quotes/latest", query).get("quotes") or {}
            traded = self._market("/stocks/trades/latest", query).get("trades") or {}
            for ticker in query["symbols"].split(","):
                quote = wire.quote(ticker, self._feed_name, quoted.get(ticker), traded.get(ticker))
                if quote is not None:
                    found[ticker] = quote
        return found

    def _required(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        body = self._get(path, query)
        if body is None:
            raise PermanentError(f"{self._where} does not know {path}: is BROKER_BASE_URL Alpaca's trading address?")
        return body

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Any | None:
        return _asked(self._trading, path, query, self._where)

    def _market(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        body = _asked(self._data, path, query, "the market data address")
        return body if isinstance(body, dict) else {}


def broker_from(settings: Settings) -> AlpacaBroker:
    """The broker that the settings name: Alpaca, or the sandbox where no key is set."""
    sandbox = settings.sandboxed["broker"]
    return AlpacaBroker(
        settings.endpoints.trading,
        settings.endpoints.trading_data,
        settings.broker.api_key.get_secret_value() or _SANDBOX_KEY,
        settings.broker.api_secret.get_secret_value() or _SANDBOX_KEY,
        feed=settings.broker.feed,
        feed_name="sandbox" if sandbox else settings.broker.feed,
        paper=settings.broker.mode == "paper",
    )


def _asked(client: TradingClient | StockHistoricalDataClient, path: str, query: Any, where: str) -> Any | None:
    try:
        return client.get(path, dict(query) if query else None)
    except APIError as error:
        if error.status_code == 404:
            return None
        raise _failure(error, f"GET {path}", where) from error
    except (requests.RequestException, ValueError) as error:
        raise TransientError(f"{where} gave no readable answer to GET {path}: {error}") from error


def _failure(error: APIError, what: str, where: str) -> TransientError | PermanentError:
    code, message = wire.error_of(str(error))
    status = error.status_code or 0
    sentence = f"{where} answered {status} to {what}: {message}{f' (code {code})' if code else ''}"
    if status in {408, 429} or status >= 500:
        return TransientError(sentence)
    hint = ": check BROKER_API_KEY and BROKER_API_SECRET" if status in {401, 403} else ""
    return PermanentError(sentence + hint)


def _refusal(error: APIError, what: str) -> Submitted:
    code, message = wire.error_of(str(error))
    status = error.status_code or 0
    if status == 429:
        return NotSent(f"{what} was throttled: {message}")
    if status in {0, 408} or status >= 500:
        return InDoubt(f"{what} got status {status}: {message}")
    if code == NOT_UNIQUE and "unique" in message.lower():
        return InDoubt(f"{what} may have been placed before: {message}")
    return Refused(code or str(status), message)


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether the failure came before a byte could be sent."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError)
