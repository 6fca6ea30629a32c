"""Every table of the lake, by name: the pipeline's, the facts' and the outcomes'."""

from collections.abc import Mapping

from stonks_core.stores.lake import gold_tables, silver_tables
from stonks_core.stores.lake.action_tables import CORPORATE_ACTIONS
from stonks_core.stores.lake.bronze_tables import RAW_TABLES
from stonks_core.stores.lake.fact_tables import FACT_TABLES
from stonks_core.stores.lake.outcome_tables import OUTCOME_TABLES
from stonks_core.stores.lake.tables import LakeTable

PIPELINE_TABLES: tuple[LakeTable, ...] = (
    *RAW_TABLES,
    CORPORATE_ACTIONS,
    silver_tables.MARKET_SNAPSHOTS,
    silver_tables.DOCUMENTS,
    silver_tables.DOCUMENT_COMPANY_MENTIONS,
    silver_tables.DOCUMENT_INTELLIGENCE,
    silver_tables.IMPACT_RECORDS,
    silver_tables.GLOBAL_EVENTS,
    silver_tables.MACRO_IMPACTS,
    silver_tables.COMPETITIVE_SIGNALS,
    silver_tables.SIGNALS,
    gold_tables.TREND_WINDOWS,
    gold_tables.TREND_EVIDENCE,
    gold_tables.TREND_HISTORY,
    gold_tables.TREND_PROJECTIONS,
    gold_tables.RECOMMENDATIONS,
    gold_tables.RECOMMENDATION_EVIDENCE,
)
TABLES: tuple[LakeTable, ...] = (*PIPELINE_TABLES, *FACT_TABLES, *OUTCOME_TABLES)
BY_NAME: Mapping[str, LakeTable] = {table.name: table for table in TABLES}
