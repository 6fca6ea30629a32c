"""Polygon: its interface, company news, and news that names no company (macro). Its bars: `polygon_market`."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.errors import PermanentError, TransientError

PAGE = 1000
MACRO_WORDS = frozenset(
    {
        "macro", "economy", "economic", "inflation", "interest rates", "federal reserve", "central bank", "tariff",
        "tariffs", "sanctions", "opec", "oil", "commodities", "geopolitics", "jobs report", "gdp", "recession", "war",
    }
)  # fmt: skip


class PolygonClient:
    """Polygon's REST interface; pages are followed by `next_url`, whose key travels in the header."""

    def __init__(self, fetcher: Fetcher, base_url: str) -> None:
        self._fetcher, self._base = fetcher, base_url.rstrip("/")

    def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        """One answer below the base address."""
        return self._fetcher.get(f"{self._base}{path}", params)

    def pages(self, path: str, params: Mapping[str, str | int]) -> Iterator[tuple[Answer, list[dict[str, Any]]]]:
        """Every page of a list with its results; a page that repeats its own cursor ends it with an error."""
        answer, seen = self.get(path, params), set[str]()
        while True:
            body, results = listed(answer)
            yield answer, results
            following = body.get("next_url")
            if not following:
                return
            if following in seen:
                raise TransientError(f"{answer.url} pages in a circle: {following}")
            seen.add(following)
            answer = self._fetcher.get(self._same_origin(str(following)))

    def _same_origin(self, following: str) -> str:
        """The next page under our own base address, so that the key is never sent to another host."""
        marker = following.find("/v", following.find("://") + 3)
        if marker < 0:
            raise PermanentError(f"Polygon named {following} as its next page, which is no address of its interface")
        return f"{self._base}{following[marker:]}"


def listed(answer: Answer) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """An answer's object and its results, none where the key is absent; TransientError where it is no such thing."""
    body = answer.json()
    results = body.get("results") or [] if isinstance(body, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise TransientError(f"{answer.url} did not answer an object with a list of results, as Polygon does")
    return body, results


class PolygonNewsAdapter:
    """News about tracked companies, each article with its page."""

    kind = "article"

    def __init__(self, client: PolygonClient, pages: Fetcher) -> None:
        self._client, self._pages = client, pages

    def wanted(self, item: Mapping[str, Any], ask: Ask) -> bool:
        """Whether an article names a company that is asked for."""
        return bool(set(item.get("tickers") or ()) & set(ask.tickers))

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """The day's articles up to `as_of`, oldest first."""
        params: dict[str, str | int] = {
            "published_utc.gte": f"{ask.day.isoformat()}T00:00:00Z",
            "published_utc.lt": _upper_bound(ask.day, ask.as_of),
            "order": "asc",
            "sort": "published_utc",
            "limit": PAGE,
        }
        if ask.source.ticker:
            params["ticker"] = ask.source.ticker
        for answer, results in self._client.pages("/v2/reference/news", params):
            for item in results:
                published = _published(item)
                if published is None:
                    ask.report(
                        str(item.get("id", "?")),
                        f"an article without id or published_utc was left: {item.get('title')!r}",
                    )
                elif self._asked(item, published, ask):
                    yield self._item(item, published, answer, ask)

    def _asked(self, item: Mapping[str, Any], published: datetime, ask: Ask) -> bool:
        within = published.date() == ask.day and published <= ask.as_of
        return within and str(item["id"]) not in ask.known and self.wanted(item, ask)

    def _item(self, item: Mapping[str, Any], published: datetime, answer: Answer, ask: Ask) -> RawItem:
        page = self._page(str(item.get("article_url") or ""), str(item["id"]), ask)
        listing = {k: v for k, v in item.items() if k != "insights"}  # added after publication: never an input
        payload = {
            "listing": listing,
            "page_html": page.text() if page else None,
            "page_url": page.url if page else None,
        }
        return RawItem(
            item_id=str(item["id"]),
            kind=self.kind,
            url=str(item.get("article_url") or answer.url),
            payload=json.dumps(payload, ensure_ascii=False, sort_keys=True).encode(),
            media_type="application/json",
            fetched_at=answer.at,
            published_at=published,
            ticker=ask.source.ticker,
            http_status=answer.status,
            response_headers=answer.safe_headers,
        )

    def _page(self, url: str, item_id: str, ask: Ask) -> Answer | None:
        """The article's page; without it the vendor's description must do, and the failure is on record."""
        if not url:
            return None
        try:
            return self._pages.get(url)
        except (TransientError, PermanentError) as error:
            ask.report(item_id, f"the article's page could not be read, its description stands in: {error}")
            return None


class MacroNewsAdapter(PolygonNewsAdapter):
    """News about the world: articles that name no company, or whose keywords speak of the economy."""

    def wanted(self, item: Mapping[str, Any], ask: Ask) -> bool:
        """Whether an article is about the world rather than about one company."""
        del ask
        words = {str(word).lower() for word in item.get("keywords") or ()}
        return not item.get("tickers") or bool(words & MACRO_WORDS and len(item.get("tickers") or ()) > 3)


def _published(item: Mapping[str, Any]) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(str(item["published_utc"]).replace("Z", "+00:00"))
        return stamp.astimezone(UTC) if stamp.tzinfo and item.get("id") else None
    except (KeyError, ValueError, OverflowError):
        return None


def _upper_bound(day: date, as_of: datetime) -> str:
    end = min(datetime.combine(day + timedelta(days=1), time(), UTC), as_of + timedelta(seconds=1))
    return end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
