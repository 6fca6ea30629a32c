"""The code server that `stonks up` runs: Dagster's own, whose runs are forked from a process that has imported the graph.

Dagster spawns a fresh interpreter for each run, which imports everything again: three CPU seconds a run. Forking from a
preloaded server leaves one. The start method is a private matter of Dagster's; where its name is gone nothing changes.
"""

import logging
import multiprocessing
import sys
from functools import wraps
from typing import Any

from dagster._cli import main as dagster_command
from dagster._grpc import server

LOG = logging.getLogger(__name__)
PRELOADED = ["stonks_assets.definitions"]
_CONTEXT = "_mp_ctx"


def fork_runs_from_a_preloaded_server() -> bool:
    """Make Dagster's code server fork its runs; whether it could be done."""
    if "forkserver" not in multiprocessing.get_all_start_methods() or not hasattr(server, "DagsterApiServer"):
        return False
    original = server.DagsterApiServer.__init__
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(PRELOADED)

    @wraps(original)
    def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if hasattr(self, _CONTEXT):
            setattr(self, _CONTEXT, forking)
        else:
            LOG.warning("Dagster names its start method otherwise now: runs are spawned, which costs more")

    server.DagsterApiServer.__init__ = initialise  # type: ignore[method-assign]
    return True


def main() -> None:
    """Serve the graph: `python -m stonks_assets.code_server --host H --port P`."""
    fork_runs_from_a_preloaded_server()
    arguments = ["--module-name", "stonks_assets.definitions", "--location-name", "stonks", *sys.argv[1:]]
    sys.argv = ["dagster", "api", "grpc", *arguments]
    dagster_command()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
