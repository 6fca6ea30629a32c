"""The sandbox's broker asked past the line, with a key of its own: what an auditor compares the books with."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx

from stonks_trading.broker.alpaca import AlpacaBroker
from stonks_trading.broker.protocol import Execution

KEY = "auditor"
PAGE = 500
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class Direct:
    """One sandbox, which `url` names. Close it."""

    def __init__(self, url: str) -> None:
        headers = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": KEY}
        self._http = httpx.Client(base_url=f"{url}/alpaca/v2", headers=headers, timeout=30, trust_env=False)
        self._broker = AlpacaBroker(f"{url}/alpaca", f"{url}/alpaca-data", KEY, KEY, feed="iex", feed_name="sandbox")

    def close(self) -> None:
        """End the connections."""
        self._http.close()
        self._broker.close()

    def prices(self) -> Mapping[str, Decimal]:
        """The last price of each company, dollars, by ticker."""
        assets = self._http.get("/assets").raise_for_status().json()
        quotes = self._broker.quotes([asset["symbol"] for asset in assets])
        return {ticker: quote.last for ticker, quote in sorted(quotes.items()) if quote.last is not None}

    def orders(self) -> Sequence[Mapping[str, Any]]:
        """Every order there ever was, each once, oldest first."""
        found: dict[str, Mapping[str, Any]] = {}
        query = {"status": "all", "limit": str(PAGE), "direction": "asc"}
        while True:
            page = self._http.get("/orders", params=query).raise_for_status().json()
            before = len(found)
            found |= {order["id"]: order for order in page}
            if len(page) < PAGE or len(found) == before:
                return list(found.values())
            query["after"] = page[-1]["submitted_at"]

    def executions(self) -> Sequence[Execution]:
        """Every execution, oldest first."""
        return self._broker.executions(_BEGINNING)

    def positions(self) -> Mapping[str, Decimal]:
        """Shares held, by ticker."""
        return {position.ticker: position.quantity for position in self._broker.positions()}

    def cash(self) -> Decimal:
        """The account's cash, dollars."""
        return self._broker.account().cash
