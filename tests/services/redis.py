"""A Redis of the tests' own: Debian's binary, a free port, nothing kept."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.services.free_port import free_port
from tests.services.processes import RunningProcess

#: nothing outlives the tests, so nothing is written
SETTINGS = ("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--daemonize", "no")


class RedisUnavailable(Exception):
    """No server, and what to do about it."""


class PrivateRedis:
    """A server that can be stopped, and started again empty on the same port."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.port = free_port()
        self._folder = folder
        self._binary = find_binary()
        self._stack = stack
        self._process: RunningProcess | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it takes connections.

        Raises:
            RedisUnavailable: it did not start; the message carries what it wrote.
        """
        own = ("--port", str(self.port), "--dir", str(self._folder))
        process = RunningProcess(["setpriv", "--pdeathsig=TERM", "--", self._binary, *SETTINGS, *own])
        self._stack.callback(process.close)
        self._process = process
        try:
            process.wait_for_output("Ready to accept connections")
        except (AssertionError, TimeoutError) as problem:
            raise RedisUnavailable(f"{problem}. It wrote:\n{process.output()}") from None

    def stop(self) -> None:
        """End it as a power cut would; what it knew is gone."""
        if self._process is not None:
            self._process.kill()


def find_binary(search_path: str | None = None) -> str:
    """Where Debian keeps it.

    Raises:
        RedisUnavailable: it is not there.
    """
    found = shutil.which("redis-server", path=search_path)
    if found is None:
        raise RedisUnavailable("Redis is not installed: run make test, or apt-get install redis-server")
    return found


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """A running server for the length of the block.

    Raises:
        RedisUnavailable: says what to do.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="coldfleet-redis-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = PrivateRedis(folder, stack)
        server.start()
        yield server


@pytest.fixture
def redis_server() -> Iterator[PrivateRedis]:
    """A server of this test's own. Without Redis the test fails."""
    with ExitStack() as running:
        try:
            server = running.enter_context(private_redis())
        except RedisUnavailable as problem:
            pytest.fail(str(problem), pytrace=False)
        yield server
