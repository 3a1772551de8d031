"""Fixtures for the servers; `tests/conftest.py` names this module in `pytest_plugins`."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.services.postgres import PostgresUnavailable, PrivatePostgres, private_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivatePostgres]:
    """One PostgreSQL for the whole run; databases in it are the tests' to make. Without it they fail."""
    with ExitStack() as running:
        try:
            server = running.enter_context(private_postgres())
        except PostgresUnavailable as problem:
            pytest.fail(str(problem), pytrace=False)
        yield server
