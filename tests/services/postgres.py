"""The tests' PostgreSQL: a private one in which nothing has to reach the disk."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from coldfleet.bench import private_postgres as server
from coldfleet.bench.private_postgres import PostgresUnavailable as PostgresUnavailable
from coldfleet.bench.private_postgres import PrivatePostgres as PrivatePostgres
from coldfleet.bench.private_postgres import find_binaries as find_binaries

#: nothing outlives the tests; small, and awake only when asked
SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "400",
    "autovacuum": "off",
    "jit": "off",
    "log_timezone": "UTC",
}


@contextmanager
def private_postgres(settings: Mapping[str, str] = SETTINGS) -> Iterator[PrivatePostgres]:
    """A server for the length of the block. It also ends when this process does, however that happens.

    Raises:
        PostgresUnavailable: it did not start; the message carries the end of its log.
    """
    with server.private_postgres(settings) as running:
        yield running
