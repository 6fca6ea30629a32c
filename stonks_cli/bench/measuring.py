"""What a piece of work costs: time, CPU and memory of this process, children left out."""

import gc
import os
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

import psutil

P = ParamSpec("P")
T = TypeVar("T")
SAMPLING_SECONDS = 0.01
MB = 1_000_000


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, CPU seconds of all threads, and how far resident memory rose above its start, in MB."""

    wall: float
    cpu: float
    memory: float

    def row(self, name: str, count: int) -> dict[str, object]:
        """A row of a report: the whole, and what one of `count` things took."""
        return {
            "what": name,
            "count": count,
            "wall_s": round(self.wall, 3),
            "cpu_s": round(self.cpu, 3),
            "per_second": round(count / self.wall, 1),
            "cpu_ms_each": round(1000 * self.cpu / max(1, count), 3),
            "memory_mb": round(self.memory, 1),
        }


def measured(work: Callable[[], T]) -> tuple[T, Cost]:
    """The work's result and its cost."""
    gc.collect()
    process = psutil.Process()
    begun = peak = process.memory_info().rss
    ended = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not ended.wait(SAMPLING_SECONDS):
            peak = max(peak, process.memory_info().rss)

    sampler = threading.Thread(target=sample, name="memory")
    sampler.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        result = work()
    finally:
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        ended.set()
        sampler.join()
    peak = max(peak, process.memory_info().rss)
    return result, Cost(wall, cpu, (peak - begun) / MB)


def apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The work's result, from a process of its own: memory that earlier work has left behind would hide its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *args, **kwargs).result()


def machine() -> dict[str, object]:
    """Where the figures come from."""
    packages = ("deltalake", "pyarrow", "httpx", "psycopg")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
