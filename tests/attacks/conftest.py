"""The database that the cloud's own tests share serves here too, and so do their cheap passwords."""

from tests.cloud_api.conftest import (  # noqa: F401 - fixtures
    shared_database_url,
    shared_platform,
    shared_postgres_url,
    shared_sqlite_url,
    sqlite_platform,
)
