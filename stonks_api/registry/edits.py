"""What every edit of the registry is asked for with: a reason, perhaps an instant, and the version that was read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from stonks_api.audit import Wish
from stonks_api.context import Context
from stonks_api.tracing import trace_id_of
from stonks_core.audit import OPERATOR, Reason
from stonks_core.registry.editing import Author, Edit, editing

LARGEST_UPLOAD = 16 * 1024 * 1024
Version = Annotated[int, Field(ge=0, description="the version that was read; another one by now is a 409")]
Instant = Annotated[AwareDatetime | None, Field(strict=False, description="when it takes effect; now, where not given")]
AsOf = Annotated[AwareDatetime | None, Query(description="as it stood at this instant; now, where not given")]
AskedVersion = Annotated[int, Query(ge=0, description="the version that was read; another one by now is a 409")]
AskedReason = Annotated[Reason, Query(description="goes on record")]
B = TypeVar("B", bound=BaseModel)


class EditWish(Wish):
    """A reason, and when the edit takes effect."""

    effective_from: Instant = None


class VersionedWish(EditWish):
    """The same for a change of what somebody has read before."""

    version: Version


class Deletion(BaseModel):
    """What a DELETE is asked with."""

    version: int
    reason: str
    effective_from: datetime | None


def deletion(version: AskedVersion, reason: AskedReason, effective_from: AsOf = None) -> Deletion:
    """The query of a DELETE."""
    return Deletion(version=version, reason=reason, effective_from=effective_from)


Deleted = Annotated[Deletion, Depends(deletion)]


def part_of(wish: Wish, model: type[B]) -> B:
    """The entry in a wish, with what was given of it."""
    return model(**{name: getattr(wish, name) for name in model.model_fields if name in wish.model_fields_set})


def instant(ctx: Context, as_of: datetime | None) -> datetime:
    """The instant that is asked for, in UTC; the present where none is."""
    return as_of.astimezone(UTC) if as_of else ctx.clock.now()


@contextmanager
def edit_by(
    ctx: Context, request: Request, reason: str, effective_from: datetime | None = None, *, dry_run: bool = False
) -> Iterator[Edit]:
    """An edit by the operator, in one transaction."""
    author = Author(OPERATOR, reason, trace_id_of(request.scope))
    since = effective_from.astimezone(UTC) if effective_from else None
    with editing(ctx.database, author, ctx.clock.now(), since, dry_run=dry_run) as edit:
        yield edit


async def uploaded(request: Request) -> bytes:
    """The request's body as it came, up to a limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_UPLOAD:
            raise HTTPException(
                413, f"the upload is larger than {LARGEST_UPLOAD // 1024 // 1024} MiB: send it in parts"
            )
    return bytes(body)


Upload = Annotated[bytes, Depends(uploaded)]
