"""Freed memory that is kept: arrays made again and again fault few pages."""

import subprocess
import sys

FAULTS = """
import resource, sys
import numpy as np
from stonks_core.allocation import reuse_freed_memory

if sys.argv[1] == "kept":
    assert reuse_freed_memory()
    assert reuse_freed_memory(), "twice is as good as once"
for _ in range(3):
    some = [np.ones(375_000) for _ in range(10)]
    del some
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    some = [np.ones(375_000) for _ in range(10)]
    del some
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_arrays_that_follow_one_another_take_the_same_memory() -> None:
    assert faults("kept") * 10 < faults("given back")
