"""How a source may be configured: one model per source type and provider, whose keys are all that is allowed.

The first provider of a type is the one that is meant where none is named.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from stonks_core.errors import BadFieldsError
from stonks_core.vocabulary import SourceType

LONGEST_POLLING = 2_592_000
LONGEST_LATENCY = 86_400
DEFAULT_LATENCY = timedelta(seconds=60)


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no web address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise ValueError("is no web address: it must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user name or password: they would be shown and logged")
    return url


Url = Annotated[
    str, StringConstraints(min_length=8, max_length=2000, pattern=r"^[!-~]+$"), AfterValidator(_web_address)
]
Form = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9 /-]{0,19}$")]


class SourceConfig(BaseModel):
    """What every source may say: how often it is asked, and how long after publication an item can be had."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
    provider: str = ""
    polling_interval_seconds: Annotated[float, Field(ge=1, le=LONGEST_POLLING)] | None = None
    publication_latency_seconds: Annotated[float, Field(ge=0, le=LONGEST_LATENCY)] = DEFAULT_LATENCY.total_seconds()


class Feed(SourceConfig):
    """A feed or page at an address."""

    url: Url


class Filings(SourceConfig):
    """SEC EDGAR; `forms` are those that are wanted, such as 8-K."""

    forms: Annotated[list[Form], Field(min_length=1, max_length=100)] | None = None


class AlpacaMarket(SourceConfig):
    """Alpaca's bars; `feed` is the tape they are made of."""

    feed: Literal["iex", "sip"] = "iex"


MODELS: Mapping[SourceType, Mapping[str, type[SourceConfig]]] = {
    SourceType.MARKET_API: {"polygon": SourceConfig, "alpaca": AlpacaMarket},
    SourceType.NEWS_API: {"polygon": SourceConfig, "alpaca": SourceConfig, "rss": Feed},
    SourceType.MACRO_NEWS: {"polygon": SourceConfig, "rss": Feed},
    SourceType.FILINGS_API: {"edgar": Filings},
    SourceType.WEB_SCRAPE: {"web": Feed},
    SourceType.BROKER: {"alpaca": SourceConfig},
}


def provider_of(source_type: SourceType, config: Mapping[str, object]) -> str:
    """The provider that a configuration names, or the type's first where it names none."""
    named = config.get("provider")
    return named if isinstance(named, str) and named else next(iter(MODELS[source_type]))


def publication_latency_of(config: Mapping[str, object]) -> timedelta:
    """How long after publication an item of the source can be had; 60 s where nothing usable is said."""
    seconds = config.get("publication_latency_seconds")
    usable = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_LATENCY
    return timedelta(seconds=float(seconds)) if usable and isinstance(seconds, int | float) else DEFAULT_LATENCY


def checked_config(source_type: SourceType, config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it is stored: what was given, checked. Raises BadFieldsError naming each bad key."""
    models = MODELS[source_type]
    named = config.get("provider", next(iter(models)))
    if not isinstance(named, str) or named not in models:
        allowed = ", ".join(models)
        raise BadFieldsError([("config.provider", f"{source_type} has no provider {named!r:.60}: there is {allowed}")])
    try:
        return models[named].model_validate(dict(config)).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise BadFieldsError(_told(source_type, named, error)) from error


def _told(source_type: SourceType, provider: str, error: ValidationError) -> list[tuple[str, str]]:
    told = []
    for one in error.errors(include_url=False):
        where = ".".join(str(part) for part in ("config", *one["loc"]))
        unknown = one["type"] == "extra_forbidden"
        told.append((where, f"{source_type} from {provider} knows no such key" if unknown else str(one["msg"])))
    return told
