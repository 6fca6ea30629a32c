"""The answers that models must give, checked strictly: the grammar of a server enforces neither ranges nor lengths.

Pure. What an answer is worth against its document is `evidence`'s business.
"""

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, WithJsonSchema

from stonks_core.vocabulary import COMMODITIES, REGIONS, SECTORS, Catalyst, Duration, Horizon, Severity

MOST_RECORDS = 40
LONGEST_QUOTE = 1000
LONGEST_SUMMARY = 2000
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Signed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Quote = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_QUOTE)]
Summary = Annotated[str, StringConstraints(max_length=LONGEST_SUMMARY)]


def _one_of(words: tuple[str, ...]) -> tuple[AfterValidator, WithJsonSchema]:
    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
        return word

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(words)})


class InvalidAnswerError(Exception):
    """An answer is not JSON of the agreed shape; the text says where it breaks it."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class ImpactAnswer(_Strict):
    """What a document means for one company."""

    ticker: Annotated[str, StringConstraints(min_length=1, max_length=12)]
    sentiment: Signed
    impact: Share
    catalyst: Catalyst
    horizon: Horizon
    confidence: Share
    quote: Quote


class DocumentAnswer(_Strict):
    """The extractor's answer. Its impact records are checked one by one, so that one bad record costs only itself."""

    summary: Summary
    sentiment: Signed
    catalyst: Catalyst
    confidence: Share
    impacts: Annotated[list[dict[str, Any]], Field(max_length=MOST_RECORDS)]


class _FullDocumentAnswer(DocumentAnswer):
    """The whole answer, for the schema that is sent to the server."""

    impacts: Annotated[list[ImpactAnswer], Field(max_length=MOST_RECORDS)]  # type: ignore[assignment]


class WeightedRegion(_Strict):
    """A region and how much an event concerns it."""

    name: Annotated[str, *_one_of(REGIONS)]
    weight: Share


class WeightedSector(_Strict):
    """A sector and how much an event concerns it."""

    name: Annotated[str, *_one_of(SECTORS)]
    weight: Share


class WeightedCommodity(_Strict):
    """A commodity, how much an event concerns it, and where its price goes."""

    name: Annotated[str, *_one_of(COMMODITIES)]
    weight: Share
    price_direction: Literal[-1, 1]


class EventAnswer(_Strict):
    """The event classifier's answer. Where `is_macro_event` is false the rest means nothing, and the quote may be empty."""

    is_macro_event: bool
    type: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    summary: Summary
    severity: Severity
    direction: Signed
    regions: Annotated[list[WeightedRegion], Field(max_length=len(REGIONS))]
    sectors: Annotated[list[WeightedSector], Field(max_length=len(SECTORS))]
    commodities: Annotated[list[WeightedCommodity], Field(max_length=len(COMMODITIES))]
    duration: Duration
    confidence: Share
    quote: Annotated[str, StringConstraints(max_length=LONGEST_QUOTE)]


def read_document_answer(answer: str) -> DocumentAnswer:
    """The extractor's answer; InvalidAnswerError when it breaks the envelope."""
    return _validated(DocumentAnswer, answer)


def read_event_answer(answer: str) -> EventAnswer:
    """The classifier's answer; InvalidAnswerError when it breaks the schema."""
    return _validated(EventAnswer, answer)


def read_impact(record: dict[str, Any]) -> ImpactAnswer | None:
    """One impact record, or None where it breaks the schema. Blanks around the ticker are forgiven, nothing else."""
    ticker = record.get("ticker")
    cleaned = {**record, "ticker": ticker.strip().lstrip("$")} if isinstance(ticker, str) else record
    try:
        return ImpactAnswer.model_validate_json(json.dumps(cleaned))
    except ValidationError:
        return None


Answer = TypeVar("Answer", bound=_Strict)


def _validated(model: type[Answer], answer: str) -> Answer:
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise InvalidAnswerError(
            f"the model's answer breaks the schema in {error.error_count()} places, first at {where}: {first['msg']}"
        ) from error


_NOT_SENT = frozenset({"$defs", "description", "maxLength", "minLength", "maxItems"})


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema without references, titles and lengths.

    Servers differ in how well they follow references, and a grammar that counts to 2000 characters is slow or refused;
    lengths are checked here when the answer comes.
    """
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    kept = {key: value for key, value in schema.items() if key not in _NOT_SENT}
    if isinstance(kept.get("title"), str):
        del kept["title"]
    return {key: _inlined(value, definitions) for key, value in kept.items()}


def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return dict(_inlined(schema, schema.get("$defs", {})))


DOCUMENT_SCHEMA = _schema_of(_FullDocumentAnswer)
EVENT_SCHEMA = _schema_of(EventAnswer)
