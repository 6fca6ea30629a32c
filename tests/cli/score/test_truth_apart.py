"""The truth is for scoring alone: no part of the system that judges knows where it lies."""

import pytest

from tests.gates.tracked import modules, text_of


@pytest.mark.parametrize("package", ["stonks_core", "stonks_assets", "stonks_trading", "stonks_api"])
def test_the_system_never_names_the_truth_file(package: str) -> None:
    for path in modules(package):
        assert "events.jsonl" not in (text_of(path) or ""), path


def test_only_scoring_reads_it() -> None:
    readers = {path.as_posix() for path in modules("stonks_cli") if "events.jsonl" in (text_of(path) or "")}
    assert readers == {"stonks_cli/score/sandbox.py"}
