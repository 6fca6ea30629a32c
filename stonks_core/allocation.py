"""Memory that arrays leave behind, kept for the next ones."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # the numbers of mallopt(3)
KEPT = 256 << 20
LARGEST = 32 << 20
"""The most that glibc takes for a threshold of mappings."""


def reuse_freed_memory() -> bool:
    """Keep up to `KEPT` bytes of freed memory in the process, arrays of up to `LARGEST` bytes among it; whether it could be done.

    A column of a million numbers is given back to the system as soon as it is dropped, and the next one is taken from
    there page by page, which costs more than most sums over it. Where there is no glibc, nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all((mallopt(_MMAP_THRESHOLD, LARGEST), mallopt(_TRIM_THRESHOLD, KEPT)))
