"""What the risk engine would say of an order: the engine's own gathering and checks, nothing ordered and nothing sent."""

from collections.abc import Mapping
from datetime import datetime

from stonks_core.settings import Settings
from stonks_core.stores.postgres import Database, Row
from stonks_trading import portfolio
from stonks_trading.console.author import account_of
from stonks_trading.door import stored_verdict
from stonks_trading.inputs import LakeReader
from stonks_trading.quotebook import KeptQuotes
from stonks_trading.records import OrderPlan, Quote
from stonks_trading.situation import Calendar, Observer
from stonks_trading.vetting import Vetter, store_verdict

NO_ORDER = "asked"


def evaluate_order(
    settings: Settings,
    lake: LakeReader,
    database: Database,
    calendar: Calendar,
    plan: OrderPlan,
    as_of: datetime,
    *,
    given: Quote | None = None,
) -> Row:
    """The verdict on an order at an instant, stored: every check with its value, limit and sentence.

    Prices are the `given` quote, else the newest that the engine has seen; the check named `quote` says where that is
    missing or too old. Raises ConflictError before there is an account, BadInputError where a limit cannot be read.
    """
    quotes: Mapping[str, Quote] = {plan.ticker: given} if given is not None else {}
    door = stored_verdict(settings.data_health)
    observer = Observer(settings, lake, database, KeptQuotes(database, quotes), calendar, door)
    with database.connection() as connection:
        account_id = account_of(connection)["account_id"]
        held = portfolio.held_tickers(connection, account_id)
    seen = observer.seen({*held, plan.ticker}, as_of)
    with database.connection() as connection:
        with connection.transaction(force_rollback=True):  # to look is not to open the day
            books = observer.portfolio(connection, account_id, seen)
            state = observer.state(connection, account_id, as_of)
            open_tickers = sorted({*books.positions, *books.pending_buys})
            views = {ticker: seen.view(ticker, open_tickers) for ticker in {*open_tickers, plan.ticker}}
            vetter = Vetter(connection, account_id, books, views, state, observer.rules_at(seen))
            verdict = vetter.judge(NO_ORDER, plan, as_of)
        evaluation = store_verdict(connection, account_id, None, plan, verdict, as_of, "asked")
        row = connection.execute("SELECT * FROM risk_evaluations WHERE evaluation_id = %s", (evaluation,)).fetchone()
    return {**(row or {}), "approval_reason": verdict.approval_reason}
