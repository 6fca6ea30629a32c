"""The look-ahead audit over the synthetic market's day: all assets, documents parsed anew, and nothing leaks."""

from dataclasses import replace

import pytest

from stonks_assets.pipeline import Pipeline
from stonks_audit.lookahead.audit import Audited, audit
from stonks_audit.recompute import recompute
from stonks_core.settings.slices import Postgres
from stonks_core.stores.lake.gold_tables import RECOMMENDATIONS
from tests.acceptance.day import NOW, Day


@pytest.fixture(scope="module")
def audited(day: Day, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    pipeline: Pipeline = day.pipeline
    settings = replace(pipeline.settings, postgres=postgres)
    return audit(settings, pipeline.database.name, pipeline.lake, (NOW,), tmp_path_factory.mktemp("audit"))


def test_nothing_leaks(audited: Audited) -> None:
    assert audited.leaks == []
    assert audited.notes == []


def test_every_asset_was_compared_and_every_kind_was_planted(audited: Audited) -> None:
    compared = {asset for asset, rows in audited.compared.items() if rows}
    # One instant makes no line of scores to project, and no session of a recommendation is over yet.
    assert compared == set(audited.compared) - {"trend_projections", "outcomes"}
    assert min(audited.planted.values()) > 0
    assert audited.planted["revised"] > 100


def test_recommendations_of_the_day_come_out_byte_for_byte(day: Day, postgres: Postgres) -> None:
    settings = replace(day.pipeline.settings, postgres=postgres)
    rows = day.pipeline.lake.read(RECOMMENDATIONS).to_pylist()
    kinds = {(row["as_of"], row["window"], row["action"]): row for row in rows}
    assert len(kinds) > 10
    for row in list(kinds.values())[:12]:
        done = recompute(day.database, day.pipeline.lake, settings, row["recommendation_id"])
        assert done.equal, done
