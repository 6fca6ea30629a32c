"""Alpaca as a source: the account and its positions as the broker states them, kept for the record."""

from collections.abc import Iterator

from stonks_assets.ingestion.http import Fetcher
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.identifiers import sha256_bytes

STATEMENTS = ("account", "positions")


class AlpacaBrokerAdapter:
    """One row per statement whenever its bytes change; the trading daemon never reads these."""

    def __init__(self, fetcher: Fetcher, base_url: str) -> None:
        self._fetcher, self._base = fetcher, base_url.rstrip("/")

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """The broker's present statements; it cannot be asked for a past day."""
        if ask.day != ask.as_of.date():
            return
        for statement in STATEMENTS:
            answer = self._fetcher.get(f"{self._base}/v2/{statement}")
            item_id = f"{statement}@{sha256_bytes(answer.content)[:16]}"
            if not ask.known([item_id]):
                yield RawItem(item_id, statement, answer, published_at=answer.at)
