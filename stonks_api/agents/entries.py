"""What may be said of an agent and of a variant, and what is shown of them."""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stonks_api.audit import Wish
from stonks_api.wire import Shown
from stonks_core.audit import Reason

Role = Literal["document-extractor", "event-classifier", "thesis-rewriter"]
ROLES: frozenset[str] = frozenset(get_args(Role))
"""The parts that agents play; the pipeline asks the agent that is called like its part."""
NO_SHADOWS = frozenset({"thesis-rewriter"})
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$")]
Model = Annotated[
    str, StringConstraints(pattern=r"^$|^[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}$"), Field(description="empty: inherited")
]
Prompt = Annotated[
    str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$"), Field(description="empty: inherited")
]
Weight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=False, description="share of the documents")]
Tokens = Annotated[int, Field(ge=1, le=2_000_000_000)]
Version = Annotated[int, Field(ge=0, description="the version that was read; another one by now is a 409")]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100, pattern=r"^[^\x00]*$")]


class Options(BaseModel):
    """Options of the model server; what is not given keeps its default."""

    model_config = ConfigDict(extra="forbid", strict=True)
    num_ctx: Annotated[int, Field(ge=512, le=262_144)] | None = None
    num_predict: Annotated[int, Field(ge=64, le=65_536)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False, strict=False)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, strict=False)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=False)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False, strict=False)] | None = None
    num_gpu: Annotated[int, Field(ge=0, le=1000)] | None = None
    num_thread: Annotated[int, Field(ge=1, le=1024)] | None = None

    @model_validator(mode="after")
    def _leaves_room_for_the_document(self) -> "Options":
        if self.num_predict and self.num_ctx and self.num_predict > self.num_ctx // 2:
            raise ValueError("num_predict may be at most half of num_ctx: the rest is the document's")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """Only what was given."""
        return self.model_dump(exclude_none=True)


class VersionedWish(Wish):
    """A reason, and the version of what is changed."""

    version: Version


Purpose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300, pattern=r"^[^\x00]*$")]


class NewAgent(Wish):
    """An agent of one's own, and why. `stonks extract --agent` asks it; the pipeline goes on asking its own."""

    agent: Name
    role: Role
    purpose: Purpose
    model: Model = ""
    system_prompt: Prompt = ""
    options: Options = Options()
    input_token_limit: Tokens | None = None


class AgentChange(VersionedWish):
    """What changes of an agent, and why; what is not given stays."""

    purpose: Purpose | None = None
    model: Model | None = None
    system_prompt: Prompt | None = None
    options: Options | None = None
    input_token_limit: Annotated[Tokens | None, Field(description="null: none")] = None


class NewVariant(Wish):
    """A variant to be tried, and why. It starts inactive; a shadow reads besides and its answers never trade."""

    name: Name
    model: Model = ""
    system_prompt: Prompt = ""
    options: Options = Options()
    traffic_weight: Annotated[Weight | None, Field(description="a shadow's default is 1, another's 0")] = None
    token_budget_per_hour: Tokens | None = None
    input_token_limit: Tokens | None = None
    shadow: bool = False


class VariantChange(VersionedWish):
    """What changes of a variant, and why; what is not given stays."""

    model: Model | None = None
    system_prompt: Prompt | None = None
    options: Options | None = None
    traffic_weight: Weight | None = None
    token_budget_per_hour: Annotated[Tokens | None, Field(description="null: as many as it likes")] = None
    input_token_limit: Annotated[Tokens | None, Field(description="null: the agent's")] = None
    shadow: bool | None = None


class Promotion(VersionedWish):
    """Who makes a variant the base, and why; `agent_version` is that of the base it replaces."""

    person: Annotated[Person, Field(description="who decides; no program may")]
    agent_version: Version


class Deletion(BaseModel):
    """What a DELETE is asked with."""

    version: int
    reason: str


def deletion(
    version: Annotated[int, Query(ge=0, description="the version that was read; another one by now is a 409")],
    reason: Annotated[Reason, Query(description="goes on record")],
) -> Deletion:
    """The query of a DELETE."""
    return Deletion(version=version, reason=reason)


Deleted = Annotated[Deletion, Depends(deletion)]


class ShownVariant(Shown):
    """A variant. `effective_model` is what is asked: its own model, the agent's, or the settings'."""

    agent: str
    name: str
    model: str
    effective_model: str
    system_prompt: str
    options: dict[str, Any]
    traffic_weight: float
    token_budget_per_hour: int | None
    input_token_limit: int | None
    shadow: bool
    active: bool
    version: int
    tokens_last_hour: int
    created_at: datetime
    updated_at: datetime


class ShownAgent(Shown):
    """An agent as its base is set up; `base_share` is what its active variants leave it of the documents."""

    agent: str
    role: Role
    purpose: str
    model: str
    effective_model: str
    system_prompt: str
    options: dict[str, Any]
    input_token_limit: int | None
    active: bool
    version: int
    base_share: float
    updated_at: datetime
    variants: list[ShownVariant]


class Change(Shown):
    """One change: who made it, when and why, and by field what it was and what it is."""

    id: int
    agent: str
    variant: str
    action: Literal["changed", "activated", "deactivated", "created", "deleted", "promoted"]
    actor: str
    person: str
    reason: str
    version: int
    changed: dict[str, Any]
    at: datetime


class Fared(Shown):
    """How a variant fared with one model: shares in [0, 1], tokens and milliseconds of answers that were paid for."""

    variant: str
    model: str
    shadow: bool
    documents: int
    ok_share: float
    kept: int
    dropped: int
    valid_share: float | None
    recorded: int
    latency_ms_mean: float | None
    latency_ms_p95: float | None
    prompt_tokens: int
    output_tokens: int
    tokens_per_document: float | None
    last_error: str
    first_at: datetime
    last_at: datetime


class Metric(Shown):
    """A figure of a model as an agent's variant over a UTC day."""

    model: str
    variant: str
    metric: str
    value: float | None
    samples: int
    at: datetime


class Disagreement(Shown):
    """A document of which a shadow and the live agent say different things."""

    document_id: str
    live: dict[str, Any]
    shadow: dict[str, Any]


class Comparison(Shown):
    """A shadow held against what the live agent found in the same documents.

    `same_sign_share` is that of the records both made whose sentiments do not point to opposite sides, the others are
    counted where only one of the two made a record about a company. Of events type, severity and direction are compared.
    """

    variant: str
    config_hash: str
    documents: int
    failed: int
    compared: int
    live_records: int
    shadow_records: int
    in_both: int
    only_live: int
    only_shadow: int
    same_sign_share: float | None
    mean_sentiment_gap: float | None
    mean_impact_gap: float | None
    disagreements: list[Disagreement]
