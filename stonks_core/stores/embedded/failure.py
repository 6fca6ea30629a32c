"""The one failure of this package."""

from stonks_core.errors import StonksError


class EmbeddedPostgresError(StonksError):
    """The embedded PostgreSQL cannot be started or used; the sentence says why and what to do."""
