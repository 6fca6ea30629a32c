"""What a row remembers of its making, and that the formulas' version moves with the formulas."""

from datetime import timedelta
from typing import Any

from stonks_assets.aggregation.provenance import FORMULAS, Provenance, read_provenance
from stonks_assets.aggregation.trends import aggregate
from stonks_assets.aggregation.weights import LayerWeights
from stonks_assets.recommendation.speaking import spoken
from stonks_core.identifiers import digest
from tests.assets.aggregation.conftest import NOW, Maker

OUTPUT_OF = {1: "96a70a3a2fd4dcb761db751f"}
"""By version of the formulas: the digest of what they make of the signals below, to nine digits."""


def test_provenance_comes_back_as_it_was_written() -> None:
    weights = LayerWeights(macro=0.0, competitive=0.25, short_staleness=timedelta(hours=1.5))
    whole = Provenance({"signals": 7}, weights, "XNYS", FORMULAS, 0.3, None)
    assert read_provenance(whole.text()) == whole
    trend = Provenance({"signals": 7}, weights, "24/7", FORMULAS)
    assert read_provenance(trend.text()) == trend
    assert "projected_score" not in trend.text()


def test_older_rows_hold_versions_alone() -> None:
    assert read_provenance('{"signals": 3}') == Provenance({"signals": 3})
    assert read_provenance("") == read_provenance("{}") == Provenance()


def test_another_output_needs_another_version_of_the_formulas(signals: Maker) -> None:
    layers, given = ("company", "macro", "competitive"), []
    for number in range(36):
        sign = -1.0 if number % 5 == 0 else 1.0
        given.append(
            {
                "ticker": "AAA" if number % 3 else "BBB",
                "layer": layers[number % 3],
                "hours": 0.5 + 2.7 * number,
                "sentiment": sign * (0.3 + 0.02 * number),
                "impact": 0.4 + 0.015 * number,
                "confidence": 0.9 - 0.01 * number,
                "novelty": 1.0 / (1 + number % 3),
                "credibility": 0.5 + 0.01 * number,
                "duration": "short" if number % 2 else "medium",
            }
        )
    trends, evidence = aggregate(signals(*given), NOW, LayerWeights(), NOW - timedelta(hours=20))
    best: dict[str, list[dict[str, Any]]] = {}
    for row in evidence.to_pylist():
        best.setdefault(row["trend_id"], []).append(row)
    said: list[str] = []
    for row in trends.to_pylist():
        trend = row | {"volatility": 0.4}
        said += [_rounded(row), *map(_rounded, best[row["trend_id"]])]
        for projected in (None, -0.5):
            said.append(_rounded(vars(spoken(trend, best[row["trend_id"]], projected).verdict)))
    assert len(said) > 40
    assert digest(*said) == OUTPUT_OF[FORMULAS], "raise FORMULAS and put the new digest beside it"


def _rounded(row: dict[str, Any]) -> str:
    return str([(k, f"{v:.9g}" if isinstance(v, float) else str(v)) for k, v in sorted(row.items())])
