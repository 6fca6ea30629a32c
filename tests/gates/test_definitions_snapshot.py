"""The graph's public shape cannot drift unseen: it is compared with a committed snapshot.

Renew it, when the change is meant, with
`RENEW_SNAPSHOTS=1 .venv/bin/python -m pytest tests/gates/test_definitions_snapshot.py`.
"""

import json
import os
from collections import Counter
from typing import Any

import dagster as dg
import pytest

from stonks_assets.definitions import build_definitions
from stonks_assets.resources import PipelineResource
from stonks_core.stores.lake.registry import BY_NAME
from tests.gates.tracked import PROJECT

SNAPSHOT = PROJECT / "tests" / "gates" / "snapshots" / "definitions.json"
RENEW = "RENEW_SNAPSHOTS=1 .venv/bin/python -m pytest tests/gates/test_definitions_snapshot.py"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(PipelineResource())


def _shape(definitions: dg.Definitions) -> dict[str, Any]:
    graph = definitions.resolve_asset_graph()
    nodes = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    checks = Counter(key.asset_key.to_user_string() for key in graph.asset_check_keys)
    pools = {
        key.to_user_string(): sorted(pool for pool in asset.node_def.pools if pool)
        for asset in definitions.assets or ()
        if isinstance(asset, dg.AssetsDefinition)
        for key in asset.keys
    }
    return {
        "assets": {
            name: {
                "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
                "group": node.group_name,
                "partitions": type(node.partitions_def).__name__,
                "checks": checks[name],
                "pools": pools[name],
                "automation": node.automation_condition is not None,
            }
            for name, node in sorted(nodes.items())
        },
        "jobs": sorted(job.name for job in definitions.jobs or ()),
        "sensors": sorted(sensor.name for sensor in definitions.sensors or ()),
        "schedules": {
            s.name: str(s.cron_schedule) for s in definitions.schedules or () if isinstance(s, dg.ScheduleDefinition)
        },
    }


def test_the_graph_is_the_committed_one(definitions: dg.Definitions) -> None:
    shape = json.dumps(_shape(definitions), indent=2, sort_keys=True) + "\n"
    if os.environ.get("RENEW_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(shape, encoding="utf-8")
    assert SNAPSHOT.exists(), f"{SNAPSHOT.name} is missing: {RENEW}"
    assert json.loads(shape) == json.loads(SNAPSHOT.read_text(encoding="utf-8")), f"if that is meant: {RENEW}"


def test_every_lake_table_is_an_asset_and_every_asset_a_lake_table(definitions: dg.Definitions) -> None:
    assets = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert assets == set(BY_NAME)


def test_every_asset_says_what_its_table_says(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node, table = graph.get(key), BY_NAME[key.to_user_string()]
        assert (node.description, node.group_name) == (table.doc, table.owner)
        columns = [column.name for column in node.metadata["dagster/column_schema"].columns]
        assert columns == [field.name for field in table.schema]
        assert node.partitions_def is not None
        assert node.partitions_def.get_partition_keys()[0] == "2020-01-01"


def test_the_lineage_of_columns_names_columns_that_exist() -> None:
    dangling = [
        f"{table.name}.{column.name} <- {source}"
        for table in BY_NAME.values()
        for column in table.columns
        for source in column.lineage
        if not _exists(source)
    ]
    assert dangling == []


def _exists(source: str) -> bool:
    table, _, column = source.partition(".")
    return table in BY_NAME and column in BY_NAME[table].schema.names


def test_every_writer_has_a_pool_of_its_own(definitions: dg.Definitions) -> None:
    shape = _shape(definitions)["assets"]
    writers: dict[str, set[str]] = {}
    for name, about in shape.items():
        assert about["pools"], f"{name} has no pool: two runs could write its table at once"
        for pool in about["pools"]:
            writers.setdefault(pool, set()).add(name)
    assert all(pool.startswith("lake_") for pool in writers)


def test_the_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)
