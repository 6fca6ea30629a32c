"""What may be entered into the registry: the bounds of every field, checked before any statement runs."""

import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from stonks_core.errors import BadFieldsError
from stonks_core.registry.source_config import checked_config
from stonks_core.vocabulary import COMMODITIES, REGIONS, SECTORS, Relationship, SourceType

TICKER = r"^[A-Z0-9][A-Z0-9.-]{0,11}$"
PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
LARGEST_CIK = 9_999_999_999


def _text(longest: int, shortest: int = 0) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest, pattern=PLAIN)


def _one_of(what: str, allowed: Iterable[str]) -> AfterValidator:
    names = tuple(allowed)

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"is no {what}: there is {', '.join(name for name in names if name)}")
        return value

    return AfterValidator(check)


Ticker = Annotated[str, StringConstraints(pattern=TICKER)]
Name = Annotated[str, _text(200, 1)]
Label = Annotated[str, _text(200)]
Prose = Annotated[str, _text(1000)]
Sector = Annotated[str, _one_of("sector", ("", *SECTORS))]
Region = Annotated[str, _one_of("region", REGIONS)]
Commodity = Annotated[str, _one_of("commodity", COMMODITIES)]
Share = Annotated[float, Field(ge=0, le=1)]
Sensitivity = Annotated[float, Field(ge=-1, le=1)]
Cik = Annotated[int, Field(ge=1, le=LARGEST_CIK)]


class Entry(BaseModel):
    """An entry: unknown keys, wrong kinds and numbers that are none are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class CompanyChange(Entry):
    """What changes of a company; only what is given counts."""

    legal_name: Name = "?"
    sector: Sector = ""
    industry: Label = ""
    cik: Cik | None = None
    exchange: Label = ""
    active: bool = True


class NewCompany(CompanyChange):
    """A company to be tracked."""

    ticker: Ticker
    legal_name: Name


class AliasEntry(Entry):
    """Another name of a company, by which texts are matched."""

    ticker: Ticker
    alias: Name


class Exposure(Entry):
    """What a company is exposed to: revenue shares by region (sum at most 1), sensitivity to commodities in [-1, 1]."""

    revenue_by_region: dict[Region, Share] = Field(default_factory=dict)
    commodity_sensitivity: dict[Commodity, Sensitivity] = Field(default_factory=dict)
    supply_chain_regions: list[Region] = Field(default_factory=list)
    basis: Label = "entered by hand"

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = math.fsum(self.revenue_by_region.values())
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of revenue_by_region sum to {total:.4f}, which is more than 1")
        if len(set(self.supply_chain_regions)) < len(self.supply_chain_regions):
            raise ValueError("supply_chain_regions names a region twice")
        return self


class ExposureEntry(Exposure):
    """A company's exposure, by its ticker."""

    ticker: Ticker


class Rivalry(Entry):
    """How a company stands to another: the kind, and how strongly (0 to 1) news about the one moves the other."""

    relationship: Annotated[Relationship, Field(strict=False)] = Relationship.DIRECT_COMPETITOR
    strength: Share


class CompetitorEntry(Rivalry):
    """A directed pair by ticker: news about `ticker` may move `competitor`."""

    ticker: Ticker
    competitor: Ticker

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.ticker == self.competitor:
            raise ValueError(f"{self.ticker} cannot be its own competitor")
        return self


class WatchlistEntry(Entry):
    """A named group of companies, with all of its members."""

    name: Name
    description: Prose = ""
    members: list[Ticker] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.members)) < len(self.members):
            raise ValueError("members names a ticker twice")
        return self


class SourceEntry(Entry):
    """A source; `ticker` is empty where it belongs to no company, `config` what its type and provider allow."""

    source_type: Annotated[SourceType, Field(strict=False)]
    name: Name
    ticker: Annotated[str, StringConstraints(pattern=rf"^$|{TICKER}")] = ""
    config: dict[str, Any] = Field(default_factory=dict)
    credibility: Share = 0.5
    active: bool = True


class SourceChange(Entry):
    """What changes of a source; only what is given counts."""

    name: Name = "?"
    config: dict[str, Any] = Field(default_factory=dict)
    credibility: Share = 0.5
    active: bool = True


E = TypeVar("E", bound=Entry)


def is_ticker(text: str) -> bool:
    """Whether a text may be a ticker."""
    return re.fullmatch(TICKER, text) is not None


def entry(model: type[E], values: dict[str, Any]) -> E:
    """The values as an entry. Raises BadFieldsError that names each bad field, those of a source's `config` too."""
    try:
        made = model.model_validate(values)
    except ValidationError as error:
        raise BadFieldsError(
            (".".join(str(part) for part in one["loc"]) or "all together", str(one["msg"])) for one in error.errors()
        ) from error
    if isinstance(made, SourceEntry):
        checked_config(made.source_type, made.config)
    return made
