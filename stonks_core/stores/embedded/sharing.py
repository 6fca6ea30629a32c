"""Sharing one server between processes: one at a time starts it, each holds a lock while it uses it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stonks_core.stores.embedded.failure import EmbeddedPostgresError
from stonks_core.stores.embedded.locks import holding, is_locked, lock_until


class Sharing:
    """This process' part in the sharing. `log` is only named in sentences."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.users_file = folder / "users.lock"
        self._starters = folder / "start.lock"
        self._log = log
        self._using: int | None = None

    @property
    def using(self) -> bool:
        """Whether this process counts among the users."""
        return self._using is not None

    @contextmanager
    def starting(self, deadline: float) -> Iterator[None]:
        """Be the only starter inside the block, and a user from there on, unless the block fails."""
        handle = lock_until(self._starters, deadline)
        if handle is None:
            raise EmbeddedPostgresError(
                f"another process has been starting PostgreSQL for long (it holds {self._starters}): "
                f"see {self._log}, and start again"
            )
        with holding(handle):
            used_before = self.using
            if self._using is None:
                # Not to be had while the guard of a server without users shuts it down.
                self._using = lock_until(self.users_file, deadline, shared=True)
            if self._using is None:
                raise EmbeddedPostgresError(
                    f"the PostgreSQL of a process that ended does not finish shutting down: see {self._log}"
                )
            try:
                yield
            except BaseException:
                if not used_before:
                    self.leave()
                raise

    def leave(self) -> None:
        """Be a user no longer."""
        if self._using is not None:
            os.close(self._using)
            self._using = None

    def is_ending(self) -> bool:
        """Whether the guard has found the server without users."""
        return is_locked(self.users_file)
