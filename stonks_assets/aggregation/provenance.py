"""What a trend or recommendation was computed from, as the text that stands in its row.

Table versions say which rows were read; the settings of that moment, the market's calendar and the version of the
formulas say what was made of them. Together with the instant that is all that a recomputation needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from stonks_assets.aggregation.weights import LayerWeights

FORMULAS = 1
"""To be raised whenever the same inputs give another trend or recommendation than before; a test holds it to that."""


@dataclass(frozen=True)
class Provenance:
    """Versions of the tables that were read, and what was set; None where a row is older than the record of it.

    `projected_score` is that of the projection that a recommendation saw, of which the lake keeps the newest only.
    `unread` names the tables that a recommendation had to do without, as they could not be read or made at the time.
    """

    tables: Mapping[str, int] = field(default_factory=dict)
    weights: LayerWeights | None = None
    calendar: str = ""
    formulas: int | None = None
    projection_threshold: float | None = None
    projected_score: float | None = None
    unread: tuple[str, ...] = ()

    def text(self) -> str:
        """The JSON of it, the same for the same provenance."""
        said: dict[str, Any] = {"tables": dict(self.tables), "calendar": self.calendar, "formulas": self.formulas}
        if self.weights is not None:
            said["layers"] = {str(layer): weight for layer, weight in self.weights.by_layer.items()}
            said["short_staleness_seconds"] = self.weights.short_staleness.total_seconds()
        if self.projection_threshold is not None:
            said |= {"projection_threshold": self.projection_threshold, "projected_score": self.projected_score}
        if self.unread:
            said["unread"] = list(self.unread)
        return json.dumps(said, sort_keys=True)


def read_provenance(text: str) -> Provenance:
    """The provenance that a row's text holds; rows of older releases hold table versions alone, at the top."""
    said: dict[str, Any] = json.loads(text or "{}")
    if "tables" not in said:
        return Provenance({name: version for name, version in said.items() if isinstance(version, int)})
    layers = said.get("layers")
    weights = None
    if layers is not None:
        weights = LayerWeights(
            company=layers["company"],
            macro=layers["macro"],
            competitive=layers["competitive"],
            short_staleness=timedelta(seconds=said["short_staleness_seconds"]),
        )
    return Provenance(
        tables=said["tables"],
        weights=weights,
        calendar=said["calendar"],
        formulas=said["formulas"],
        projection_threshold=said.get("projection_threshold"),
        projected_score=said.get("projected_score"),
        unread=tuple(said.get("unread", ())),
    )
