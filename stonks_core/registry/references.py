"""Where the lake names a company: what was derived about it keeps it from being removed."""

from collections.abc import Sequence
from typing import Final

from stonks_core.stores.lake.duck import LakeSql
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS, TREND_HISTORY
from stonks_core.stores.lake.silver_tables import DOCUMENT_COMPANY_MENTIONS

NAMING: Final = (DOCUMENT_COMPANY_MENTIONS, TREND_HISTORY, RECOMMENDATIONS)


def mentions(sql: LakeSql, tickers: Sequence[str]) -> list[str]:
    """The lake's tables that name one of the tickers, as people say them."""
    return [
        table.name.replace("_", " ")
        for table in NAMING
        if sql.rows(
            f"SELECT 1 FROM {table.name} WHERE ticker IN (SELECT unnest(?)) LIMIT 1",
            [list(tickers)],
            tables=[table.name],
        )
    ]
