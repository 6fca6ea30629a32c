"""Every table of the lake, by name: the pipeline's, the facts' and the outcomes'."""

from collections.abc import Mapping

from stonks_core.stores.lake.fact_tables import FACT_TABLES
from stonks_core.stores.lake.outcome_tables import OUTCOME_TABLES
from stonks_core.stores.lake.pipeline_tables import PIPELINE_TABLES
from stonks_core.stores.lake.tables import LakeTable

TABLES: tuple[LakeTable, ...] = (*PIPELINE_TABLES, *FACT_TABLES, *OUTCOME_TABLES)
BY_NAME: Mapping[str, LakeTable] = {table.name: table for table in TABLES}
