"""What a model said and the document does not bear out, record by record, so that a person can see and count it. Pure."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stonks_assets.extraction.evidence import Claim, judge

UNSUPPORTED_QUOTE = "unsupported_quote"
INVENTED_NUMBER = "invented_number"
ORDER_IN_SUMMARY = "order_in_summary"
MOST_KEPT = 40
LONGEST_RECORD = 2000
_NO_BREACH = frozenset({"merged"})


@dataclass(frozen=True)
class Refusal:
    """A record that was refused, and by which clause of the evidence contract."""

    reason: str
    record: Mapping[str, Any]


def refused_claims(claims: Sequence[Claim], text: str, companies: Collection[str]) -> tuple[Refusal, ...]:
    """Those of a document's claims that do not hold, each with the clause that the evidence contract counts it under."""
    found = []
    for claim in claims:
        counts = asdict(judge([claim], text, companies))
        reason = next((name for name, n in counts.items() if type(n) is int and n and name not in _NO_BREACH), "")
        if reason:
            found.append(Refusal(reason, claim.record))
    return tuple(found)


def counted(refused: Sequence[Refusal]) -> dict[str, int]:
    """How many were refused, by reason."""
    return dict(sorted(Counter(refusal.reason for refusal in refused).items()))


def on_record(refused: Sequence[Refusal]) -> dict[str, Any]:
    """The refused records as they are kept: each as the model's own JSON, which a database need not be able to hold."""
    kept = [
        {"reason": refusal.reason, "record": json.dumps(refusal.record, default=str)[:LONGEST_RECORD]}
        for refusal in refused[:MOST_KEPT]
    ]
    return {"counts": counted(refused), "records": kept}
