"""What a child is: its command, environment, order and patience. Descriptions only; nothing runs here."""

import re
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from stonks_cli.supervise.policy import RestartPolicy

Probe = Callable[[], bool]
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class ChildSpec:
    """One process to keep running.

    `env` is its whole environment. It starts when all of `after` have been ready once, and is ready itself
    when `ready` returns True (called in a thread, again and again; an exception counts as not yet), or at
    once without a probe. `stop_signal` asks it to end; after `grace_seconds` its process group and all its
    descendants are killed.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    after: tuple[str, ...] = ()
    ready: Probe | None = None
    ready_seconds: float = 60.0
    grace_seconds: float = 10.0
    stop_signal: signal.Signals = signal.SIGTERM
    log_file: Path | None = None
    policy: RestartPolicy = field(default_factory=RestartPolicy)


def check_order(specs: Iterable[ChildSpec]) -> None:
    """Raise ValueError on a bad or doubled name, on an `after` that names nobody, and on a circle."""
    graph: dict[str, tuple[str, ...]] = {}
    for spec in specs:
        if not _NAME.fullmatch(spec.name):
            raise ValueError(f"{spec.name!r} cannot name a child: it becomes the name of its log file")
        if spec.name in graph:
            raise ValueError(f"two children are called {spec.name}")
        graph[spec.name] = spec.after
    for name, after in graph.items():
        for other in after:
            if other not in graph:
                raise ValueError(f"{name} starts after {other}, which is no child")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise ValueError(f"children wait for each other in a circle: {' -> '.join(error.args[1])}") from error
