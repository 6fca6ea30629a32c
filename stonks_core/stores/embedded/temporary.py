"""A server for tests: in a folder of its own, fast instead of durable, gone at the end of the block."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stonks_core.stores.embedded.server import EmbeddedPostgres

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def temporary_postgres(user: str = "stonks", password: str | None = None) -> Iterator[EmbeddedPostgres]:
    """A started server with a random password unless one is given; make a database for each test or module.

    Its folder is removed afterwards. Killed with SIGKILL, the caller leaves no server behind, only the
    folder.
    """
    home = Path(tempfile.mkdtemp(prefix="stonks-postgres-"))
    try:
        with EmbeddedPostgres(home, user, password or secrets.token_urlsafe(18), extra_settings=FAST) as server:
            yield server
    finally:
        shutil.rmtree(home)
