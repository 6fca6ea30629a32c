"""Polygon's market: daily bars as traded, splits and dividends, and snapshots of the running session."""

from collections.abc import Iterator
from urllib.parse import urlencode

from stonks_assets.ingestion.entitlements import Entitlements, is_entitlement
from stonks_assets.ingestion.http import Answer
from stonks_assets.ingestion.market_asks import (
    DIVIDENDS,
    GROUPED,
    SNAPSHOTS,
    SPLITS,
    ActionDays,
    is_running,
    items,
    midnight,
    portions,
    snapshot_name,
)
from stonks_assets.ingestion.polygon import PAGE, PolygonClient, listed
from stonks_assets.ingestion.protocol import Ask, RawItem
from stonks_core.calendar import MarketCalendar, Session
from stonks_core.errors import PermanentError

_EX_DATE = {SPLITS: "execution_date", DIVIDENDS: "ex_dividend_date"}
_TOO_EARLY = "before end of day"
"""What a plan without same-day data answers, with 403, until the vendor's day is over."""


class PolygonMarketAdapter:
    """Bars of every ticker in one grouped call per session, corporate actions around its day, snapshots while it runs.

    Corporate actions come first: a bar of an ex-date must not be known before the split that explains it.
    """

    def __init__(self, client: PolygonClient, calendar: MarketCalendar, plan: Entitlements) -> None:
        self._client, self._calendar, self._plan = client, calendar, plan
        self._actions = {kind: ActionDays() for kind in _EX_DATE}

    def fetch(self, ask: Ask) -> Iterator[RawItem]:
        """What the asked day's session has by `as_of`; nothing where the day had no session."""
        session = self._calendar.session(ask.day)
        if session is None or ask.as_of < midnight(ask.day):
            return
        for kind in _EX_DATE:
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
        by = _EX_DATE[kind]
        params: dict[str, str | int] = {
            f"{by}.gte": window[0].isoformat(),
            f"{by}.lte": window[1].isoformat(),
            "order": "asc",
            "sort": by,
            "limit": PAGE,
        }
        pages = [(answer.url, answer) for answer, _ in self._client.pages(f"/v3/reference/{kind}", params)]
        yield from items(pages, name, kind, midnight(ask.day))
        days.answered(window)

    def _bars(self, session: Session, ask: Ask) -> Iterator[RawItem]:
        name, day = f"grouped:{ask.day.isoformat()}", ask.day.isoformat()
        if ask.known([name]):
            return
        params = {"adjusted": "false", "include_otc": "false"}
        try:
            answer = self._client.get(f"/v2/aggs/grouped/locale/us/market/stocks/{day}", params)
        except PermanentError as error:
            if _TOO_EARLY not in str(error):
                raise
            ask.report(name, f"the bars of {day} are not there yet on this plan, they are asked for again: {error}")
            return
        if listed(answer)[1]:
            yield from items([(f"{answer.url}?{urlencode(params)}", answer)], name, GROUPED, session.close)

    def _snapshots(self, ask: Ask) -> Iterator[RawItem]:
        name = snapshot_name(ask.as_of)
        if ask.known([name]) or not ask.tickers or not self._plan.may_ask(SNAPSHOTS):
            return
        path = "/v2/snapshot/locale/us/markets/stocks/tickers"
        try:
            answers = [self._client.get(path, {"tickers": tickers}) for tickers in portions(ask.tickers)]
        except PermanentError as error:
            if not is_entitlement(error):
                raise
            if self._plan.refused(SNAPSHOTS, str(error)):
                ask.report(SNAPSHOTS, f"this plan has no snapshots, prices are those of finished sessions: {error}")
            return
        self._plan.granted(SNAPSHOTS)
        yield from items([(_told(a), a) for a in answers], name, SNAPSHOTS, answers[0].at)


def _told(answer: Answer) -> str:
    """The address of a snapshot without its hundreds of tickers."""
    return answer.url.partition("?")[0]
