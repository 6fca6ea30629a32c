"""What the stores fail with. Whoever goes on without one of them catches these, and nothing else."""

import psycopg
import pyarrow as pa
from deltalake.exceptions import DeltaError

from stonks_core.errors import StonksError

STORE_FAILURES = (StonksError, DeltaError, OSError, pa.ArrowException, psycopg.Error)
"""What reading or writing a table may end in; anything else is a defect and must be seen."""
