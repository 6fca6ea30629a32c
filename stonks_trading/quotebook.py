"""The quotes that the engine saw last, kept for whoever may not ask the broker: the API and the command line."""

from collections.abc import Mapping, Sequence

from stonks_core.stores.postgres import Database
from stonks_trading.records import Quote


def keep(database: Database, quotes: Mapping[str, Quote]) -> None:
    """Keep the newest quote of each ticker; an older one changes nothing."""
    if not quotes:
        return
    with database.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO market_quotes AS held (ticker, bid, ask, last, quoted_at, feed)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (ticker) DO UPDATE SET bid = EXCLUDED.bid, ask = EXCLUDED.ask, last = EXCLUDED.last,
                quoted_at = EXCLUDED.quoted_at, feed = EXCLUDED.feed
            WHERE held.quoted_at < EXCLUDED.quoted_at
            """,
            [(q.ticker, q.bid, q.ask, q.last, q.at, q.feed) for _, q in sorted(quotes.items())],
        )


class KeptQuotes:
    """Answers for quotes as a broker does, from what was kept; `given` ones go before."""

    def __init__(self, database: Database, given: Mapping[str, Quote] | None = None) -> None:
        self._database, self._given = database, given or {}

    def quotes(self, tickers: Sequence[str]) -> Mapping[str, Quote]:
        """The kept quotes; a ticker that has none is absent."""
        rows = self._database.fetch(
            "SELECT ticker, bid, ask, last, quoted_at, feed FROM market_quotes WHERE ticker = ANY(%s)", (list(tickers),)
        )
        kept = {r["ticker"]: Quote(r["ticker"], r["bid"], r["ask"], r["last"], r["quoted_at"], r["feed"]) for r in rows}
        return {**kept, **{ticker: self._given[ticker] for ticker in tickers if ticker in self._given}}
