"""The failures that cross package borders. Each carries one sentence: what failed, on which input, what to do.

Whoever must branch gets a value instead; an exception means that nobody here can go on.
"""

from collections.abc import Iterable


class StonksError(Exception):
    """A failure with a sentence for the person who reads it."""


class SettingsError(StonksError):
    """A setting is missing or out of bounds."""


class BadInputError(StonksError):
    """Input was refused; nothing was changed."""


class BadFieldsError(BadInputError):
    """Input was refused for some of its fields; `fields` names each with what is wrong with it."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self.fields = tuple(fields)
        super().__init__("; ".join(f"{where}: {message}" for where, message in self.fields))


class ConflictError(StonksError):
    """The change does not fit what is there now: somebody else changed it, or the name is taken. Nothing was changed."""


class NotFoundError(StonksError):
    """What was asked for by name does not exist."""


class TransientError(StonksError):
    """Something outside failed in a way that may pass; trying again later makes sense."""


class PermanentError(StonksError):
    """Something outside refused in a way that trying again will not mend."""


class CommitConflictError(TransientError):
    """Another writer committed first, and again after every retry."""
