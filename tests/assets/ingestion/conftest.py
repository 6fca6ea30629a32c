"""A real sandbox process on a driven clock, and a pipeline that speaks to it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stonks_assets.pipeline import Pipeline
from stonks_core.clock import ManualClock
from stonks_core.settings import load_settings
from stonks_core.stores.lake.lake import Lake
from stonks_core.stores.postgres import Database

SANDBOX_NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PROJECT = Path(__file__).resolve().parents[3]
PipelineAt = Callable[..., Pipeline]


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The synthetic world at noon of a Tuesday, over loopback HTTP."""
    state = tmp_path_factory.mktemp("sandbox")
    command = [
        sys.executable,
        "-m",
        "stonks_sandbox",
        "--state",
        str(state),
        "--synthetic",
        "--seed",
        "11",
        "--clock",
        "driven",
    ]
    process = subprocess.Popen(
        [*command, "--start", SANDBOX_NOW.isoformat(), "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "ready on http://127.0.0.1:" in line
        yield line.split()[3]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def pipeline_at(lake: Lake, database: Database, sandbox_url: str) -> PipelineAt:
    """A pipeline over fresh stores, at an instant, with further settings."""

    def make(now: datetime = SANDBOX_NOW, **environment: str) -> Pipeline:
        return Pipeline(load_settings({"SANDBOX_URL": sandbox_url, **environment}), lake, database, ManualClock(now))

    return make
