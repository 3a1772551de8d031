"""Which engine a test runs on every time, where the other one is left to the long run."""

import pytest


def _mostly(often: str, seldom: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "shared_database_url", [often, pytest.param(seldom, marks=pytest.mark.long)], indirect=True
    )


#: where what is asked of the database is asked by others on PostgreSQL too
MOSTLY_EMBEDDED = _mostly("sqlite", "postgres")
#: where the walls are the database's own: row level security
MOSTLY_POSTGRES = _mostly("postgres", "sqlite")
