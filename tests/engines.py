"""Which engine a test runs on every time, where the other one is left to the long run."""

import pytest


def _mostly(often: str, seldom: str, *, of: str = "shared_database_url") -> pytest.MarkDecorator:
    """`of`: the fixture that gives each engine."""
    return pytest.mark.parametrize(of, [often, pytest.param(seldom, marks=pytest.mark.long)], indirect=True)


#: where what is asked of the database is asked by others on PostgreSQL too
MOSTLY_EMBEDDED = _mostly("sqlite", "postgres")
#: where the walls are the database's own: row level security
MOSTLY_POSTGRES = _mostly("postgres", "sqlite")
#: where many are at it at once: SQLite lets one write at a time
CROWDS_MOSTLY_POSTGRES = _mostly("postgres", "sqlite", of="ground_url")
#: the same, where the database is the test's own
ALONE_MOSTLY_POSTGRES = _mostly("postgres", "sqlite", of="database_url")
