"""`stonks bench react` on small sizes: every row is there, every recommendation decided once. No time is judged."""

import pytest

from stonks_cli.bench.react import Sizes, run


@pytest.fixture(scope="module")
def report() -> dict[str, list[dict[str, object]]]:
    return run(Sizes(companies=4, rounds=3, burst=9))  # type: ignore[return-value]


def test_the_limit_and_a_peer_stand_beside_ours(report: dict[str, list[dict[str, object]]]) -> None:
    ours, limit, peer = report["reaction"]
    assert [str(row["what"]).split(":")[0] for row in (ours, limit, peer)] == ["ours", "limit", "peer"]
    assert [row["count"] for row in (ours, limit, peer)] == [3, 3, 3]
    for row in (ours, limit, peer):
        assert 0 <= float(str(row["median_ms"])) <= float(str(row["p99_ms"])) <= float(str(row["worst_ms"]))


def test_all_of_a_burst_are_decided_once(report: dict[str, list[dict[str, object]]]) -> None:
    bursts = report["burst"]
    assert [row["decided"] for row in bursts] == [9, 9, 9]
    assert [row["orders"] for row in bursts] == [row["acts"] for row in bursts]
    assert bursts[0]["orders"] == 4, "one order for each company"
