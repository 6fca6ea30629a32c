"""What macro impacts say beside what the event did: few companies feel it much, most a little, some not at all. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from stonks_cli.score.stages import Planted, Saying
from stonks_cli.score.truth import MACRO

PLANTED, SLIGHT, NONE = "planted", "slight", "none"


def impacts(planted: Planted, records: Iterable[Saying]) -> dict[str, float | int | None]:
    """Macro impacts with a sign by the true effect on their company: planted, slight, or none, and by whose sign they have.

    Their weight is impact times |sentiment|, as in a trend. An impact on a company that the event leaves alone comes of a
    region or sector that the report names and the event spares; what weight such impacts have says how much they disturb.
    """
    counts: Counter[tuple[str, bool]] = Counter()
    weights: defaultdict[str, float] = defaultdict(float)
    for one in records:
        event, _ = planted.by_document.get(one.source_id, (None, None))
        if event is None or event.kind != MACRO or not one.sign:
            continue
        truth = event.effects.get(one.ticker, 0.0)
        kind = PLANTED if planted.effect(event, one.ticker) else SLIGHT if truth else NONE
        counts[kind, one.sign * truth > 0] += 1
        weights[kind] += one.impact * abs(one.sentiment)
    weight = sum(weights.values())
    return {
        "impacts": sum(counts.values()),
        "on companies it moves by 0.5 % or more": counts[PLANTED, True] + counts[PLANTED, False],
        "of these with its sign": counts[PLANTED, True],
        "on companies it moves by less": counts[SLIGHT, True] + counts[SLIGHT, False],
        "of these too with its sign": counts[SLIGHT, True],
        "on companies it leaves alone": counts[NONE, False],
        "share of the weight on companies it leaves alone": weights[NONE] / weight if weight else None,
    }
