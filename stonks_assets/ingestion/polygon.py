"""Polygon: its interface, company news, and news that names no company (macro). Its bars: `polygon_market`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_assets.ingestion.protocol import Ask, RawItem, RawPart
from stonks_assets.ingestion.slices import elements
from stonks_core.errors import PermanentError, TransientError

PAGE = 1000
PAGE_PATIENCE = timedelta(minutes=15)
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
        for answer, _ in self._client.pages("/v2/reference/news", params):
            yield from self._new(answer, ask)

    def _new(self, answer: Answer, ask: Ask) -> Iterator[RawItem]:
        """The items of one page that are wanted and not known, each as the vendor wrote it."""
        wanted: list[tuple[Mapping[str, Any], bytes, datetime]] = []
        for item, content in elements(answer.content, "results"):
            published = _published(item)
            if published is None:
                ask.report(
                    str(item.get("id", "?")), f"an article without id or published_utc was left: {item.get('title')!r}"
                )
            elif published.date() == ask.day and published <= ask.as_of and self.wanted(item, ask):
                wanted.append((item, content, published))
        known = ask.known([str(item["id"]) for item, _, _ in wanted])
        for item, content, published in wanted:
            if str(item["id"]) in known:
                continue
            try:
                article = self._item(item, answer.slice(content), published, ask)
            except TransientError as error:
                ask.report(
                    str(item["id"]), f"the article was left for the next poll, with which its page may come: {error}"
                )
                continue
            yield article

    def _item(self, item: Mapping[str, Any], answer: Answer, published: datetime, ask: Ask) -> RawItem:
        url = str(item.get("article_url") or "")
        page = self._page(url, str(item["id"]), ask, young=answer.at - published < PAGE_PATIENCE)
        parts = (RawPart("page", "article_page", page),) if page else ()
        return RawItem(
            str(item["id"]), self.kind, answer, published_at=published, ticker=ask.source.ticker, url=url, parts=parts
        )

    def _page(self, url: str, item_id: str, ask: Ask, *, young: bool) -> Answer | None:
        """The article's page; without it the vendor's description must do, and the failure is on record.

        Raises TransientError for the page of a young article that may be there at the next poll: once an article has
        arrived, nobody asks for its page again.
        """
        if not url:
            return None
        try:
            return self._pages.get(url)
        except (TransientError, PermanentError) as error:
            if young and isinstance(error, TransientError):
                raise
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
