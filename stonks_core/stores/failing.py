"""What the stores fail with. Whoever goes on without one of them catches these, and nothing else."""

import psycopg
import pyarrow as pa
from deltalake.exceptions import DeltaError

from stonks_core.errors import StonksError

STORE_FAILURES = (StonksError, DeltaError, OSError, pa.ArrowException, psycopg.Error)
"""What reading or writing a table may end in; anything else is a defect and must be seen."""
LONGEST = 300


def in_words(error: BaseException) -> str:
    """An error as a part of a sentence: its first line, without the stack that some libraries write below it."""
    first = next(iter(str(error).strip().splitlines()), "").rstrip(". ")
    return first[:LONGEST] or type(error).__name__
