"""One day of the whole system, lived once and looked at by many tests: nothing below may change its stores."""

from collections.abc import Iterator

import pytest

from stonks_core.settings.slices import Postgres
from tests.acceptance.day import Day, live_through


@pytest.fixture(scope="session")
def day(postgres: Postgres, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The day, over the real sandbox process, PostgreSQL, Delta and HTTP."""
    with live_through(tmp_path_factory.mktemp("day"), postgres, template) as lived:
        yield lived
