"""Alpaca's news about tracked companies: each item's exact bytes, its content with it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from stonks_assets.ingestion.alpaca_data import AlpacaDataClient, Params
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.market_asks import midnight, portions
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_assets.ingestion.slices import elements
from stonks_core.errors import TransientError

PAGE = 50
SETTLING = timedelta(hours=6)
"""The vendor finds news by when it was last changed: an item of the evening may stand under the next day already."""


class AlpacaNewsAdapter:
    """News that names a tracked company; an item is of the day on which it was created."""

    def __init__(self, client: AlpacaDataClient) -> None:
        self._client = client

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """The day's items up to `as_of`, by when they were last changed, oldest first."""
        told: set[str] = set()
        until = min(midnight(ask.day) + timedelta(days=1) + SETTLING, ask.as_of)
        if until < midnight(ask.day):
            return
        params: Params = {
            "start": f"{ask.day.isoformat()}T00:00:00Z",
            "end": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",  # the vendor takes no fractions of a second
            "sort": "asc",
            "include_content": "true",
            "limit": PAGE,
        }
        for symbols in portions(ask.tickers):
            for answer in self._client.pages("/v1beta1/news", {**params, "symbols": symbols}):
                found = [self._item(content, item, answer, ask) for item, content in _listed(answer)]
                fresh = {item.item_id: item for item in found if item is not None and item.item_id not in told}
                known = ask.known(list(fresh))
                told |= set(fresh)
                yield from (item for name, item in fresh.items() if name not in known)

    def _item(self, content: bytes, item: Any, answer: Answer, ask: Ask) -> RawItem | None:
        if not isinstance(item, dict) or not item.get("id") or (times := _times(item)) is None:
            name = str(item.get("id") or "?") if isinstance(item, dict) else "?"
            ask.report(name, f"a news item without id, created_at or updated_at was left: {content[:120]!r}")
            return None
        created, changed = times
        if not self._asked(item, created, changed, ask):
            return None
        return RawItem(
            str(item["id"]),
            "article",
            answer.slice(content),
            published_at=changed,  # these bytes are of that moment: a backfill must not know them before
            ticker=ask.source.ticker,
            url=str(item.get("url") or ""),
        )

    def _asked(self, item: Mapping[str, Any], created: datetime, changed: datetime, ask: Ask) -> bool:
        within = _day(created) == ask.day and changed <= ask.as_of
        return within and bool(set(item.get("symbols") or ()) & set(ask.tickers))


def _listed(answer: Answer) -> list[tuple[Any, bytes]]:
    try:
        return elements(answer.content, "news")
    except ValueError as error:
        raise TransientError(f"{answer.url} did not answer an object with a list of news: {error}") from error


def _times(item: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    """When an item was created and last changed; None where it does not say so, or not with an offset."""
    try:
        created = datetime.fromisoformat(str(item["created_at"]))
        changed = datetime.fromisoformat(str(item.get("updated_at") or item["created_at"]))
        if created.tzinfo is None or changed.tzinfo is None:
            return None
        return created.astimezone(UTC), max(created, changed).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
