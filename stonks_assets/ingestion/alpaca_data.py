"""Alpaca's market data: its interface, daily bars as traded, corporate actions, and snapshots of the running session.

The vendor's Python clients are not used here, though they are for trading: they hand out parsed objects and no bytes,
put the pages of an answer together, set no time-out, and sleep and try again by themselves, outside of our rate gate
and our classes of failure. The same REST paths are asked through `Fetcher`.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from stonks_assets.ingestion.entitlements import Entitlements, is_entitlement
from stonks_assets.ingestion.http import Answer, Fetcher
from stonks_assets.ingestion.market_asks import (
    BARS,
    DIVIDENDS,
    SNAPSHOTS,
    SPLITS,
    ActionDays,
    is_running,
    items,
    midnight,
    portions,
    snapshot_name,
)
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.calendar import MarketCalendar, Session
from stonks_core.errors import PermanentError, TransientError

Params = Mapping[str, str | int]
_TYPES = {SPLITS: "forward_split,reverse_split,stock_dividend", DIVIDENDS: "cash_dividend"}
_PAID_WITHIN = 60
"""Days after its ex-date by which an action is processed: the vendor finds actions by that date, not by their ex-date."""


class AlpacaDataClient:
    """Alpaca's data interface; pages are followed by their token, below one address."""

    def __init__(self, fetcher: Fetcher, base_url: str) -> None:
        self._fetcher, self._base = fetcher, base_url.rstrip("/")

    def get(self, path: str, params: Params) -> Answer:
        """One answer below the base address."""
        return self._fetcher.get(f"{self._base}{path}", params)

    def pages(self, path: str, params: Params) -> Iterator[Answer]:
        """Every page of an answer; one that repeats its own token ends it with an error."""
        asked, seen = dict(params), set[str]()
        while True:
            answer = self.get(path, asked)
            body = body_of(answer)
            yield answer
            token = body.get("next_page_token")
            if not token:
                return
            if str(token) in seen:
                raise TransientError(f"{answer.url} pages in a circle: {token}")
            seen.add(str(token))
            asked["page_token"] = str(token)


def body_of(answer: Answer) -> Mapping[str, Any]:
    """An answer's object; TransientError where it is none."""
    body = answer.json()
    if not isinstance(body, dict):
        raise TransientError(f"{answer.url} did not answer an object, as Alpaca does")
    return body


class AlpacaMarketAdapter:
    """Bars of the tracked tickers once a session has closed, corporate actions around its day, snapshots while it runs.

    `feed` is the vendor's: iex or sip. Corporate actions come first, as they do at `PolygonMarketAdapter`.
    """

    def __init__(self, client: AlpacaDataClient, calendar: MarketCalendar, feed: str, plan: Entitlements) -> None:
        self._client, self._calendar, self._feed, self._plan = client, calendar, feed, plan
        self._actions = {kind: ActionDays() for kind in _TYPES}

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """What the asked day's session has by `as_of`; nothing where the day had no session or nothing is tracked."""
        session = self._calendar.session(ask.day)
        if session is None or not ask.tickers or ask.as_of < midnight(ask.day):
            return
        for kind in _TYPES:
            yield from self._corporate_actions(kind, session, ask)
        if ask.as_of >= session.close:
            yield from self._bars(session, ask)
        elif is_running(session, ask.as_of):
            yield from self._snapshots(ask)

    def _corporate_actions(self, kind: str, session: Session, ask: Ask) -> Iterator[RawItem]:
        name, days = f"{kind}:{ask.day.isoformat()}", self._actions[kind]
        window = days.window(ask, session)
        if window is None:
            return
        if ask.known([name]):  # an earlier run brought them, and those of the days that they cover
            days.answered(window)
            return
        until = window[1].fromordinal(window[1].toordinal() + _PAID_WITHIN)
        params: Params = {
            "types": _TYPES[kind],
            "start": window[0].isoformat(),
            "end": until.isoformat(),
            "limit": 1000,
        }
        yield from items(self._told("/v1/corporate-actions", params, ask), name, kind, midnight(ask.day))
        days.answered(window)

    def _bars(self, session: Session, ask: Ask) -> Iterator[RawItem]:
        name, day = f"bars:{self._feed}:{ask.day.isoformat()}", ask.day.isoformat()
        if ask.known([name]):
            return
        params: Params = {
            "timeframe": "1Day",
            "adjustment": "raw",
            "feed": self._feed,
            "start": f"{day}T00:00:00Z",  # a session's bar is stamped with New York's midnight
            "end": f"{day}T23:59:59Z",
            "limit": 10_000,
        }
        found = self._told("/v2/stocks/bars", params, ask)
        if any(body_of(answer).get("bars") for _, answer in found):
            yield from items(found, name, BARS, session.close)

    def _snapshots(self, ask: Ask) -> Iterator[RawItem]:
        name, subject = snapshot_name(ask.as_of), f"{SNAPSHOTS} {self._feed}"
        if ask.known([name]) or not self._plan.may_ask(subject):
            return
        try:
            answers = self._told("/v2/stocks/snapshots", {"feed": self._feed}, ask, paged=False)
        except PermanentError as error:
            if not is_entitlement(error):
                raise
            if self._plan.refused(subject, str(error)):
                ask.report(SNAPSHOTS, f"this plan has no {subject}, prices are those of finished sessions: {error}")
            return
        self._plan.granted(subject)
        yield from items(answers, name, SNAPSHOTS, answers[0][1].at)

    def _told(self, path: str, params: Params, ask: Ask, *, paged: bool = True) -> list[tuple[str, Answer]]:
        """Every page for every portion of tickers, each under its address without the tickers, which would be long."""
        found = []
        for symbols in portions(ask.tickers):
            asked = {**params, "symbols": symbols}
            pages = self._client.pages(path, asked) if paged else [self._client.get(path, asked)]
            found += [(f"{answer.url}?{urlencode(params)}", answer) for answer in pages]
        for _, answer in found:
            body_of(answer)
        return found
