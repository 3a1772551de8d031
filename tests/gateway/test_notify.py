"""What systemd hears of the gateway, over a socket as systemd's."""

import asyncio
import os
import secrets
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.spool.writer import Spool
from gateway.upkeep.notify import Notifier, feed_watchdog, prove_commit
from tests.gateway.running import in_background
from tests.services.waiting import until


class Systemd:
    """The other end: a datagram socket by name, or without a name in the file system."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.setblocking(False)

    def environment(self, **more: str) -> dict[str, str]:
        return {"NOTIFY_SOCKET": self.address, **more}

    def heard(self) -> list[str]:
        """What has come since the last call."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["by name", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    name = f"@coldfleet-test-{secrets.token_hex(8)}" if request.param == "abstract" else str(tmp_path / "notify")
    systemd = Systemd(name)
    yield systemd
    systemd.close()


@asynccontextmanager
async def fed(notifier: Notifier, spool: Spool) -> AsyncIterator[None]:
    async with in_background(feed_watchdog(notifier, spool)):
        yield
    notifier.close()


async def test_systemd_hears_ready_how_it_is_and_the_end(systemd: Systemd) -> None:
    notifier = Notifier(systemd.environment())
    notifier.ready("listening on mqtt://127.0.0.1:1883")
    notifier.status("3 sensors")
    notifier.stopping()
    notifier.close()
    assert systemd.heard() == [
        "READY=1\nSTATUS=listening on mqtt://127.0.0.1:1883",
        "STATUS=3 sensors",
        "STOPPING=1\nSTATUS=stopping",
    ]


async def test_without_systemd_nothing_is_said_and_no_watchdog_is_fed(spool: Spool) -> None:
    notifier = Notifier({})
    notifier.ready("ready")
    assert notifier.watchdog_s == 0
    commits = spool.counters.commits
    await feed_watchdog(notifier, spool)
    assert spool.counters.commits == commits


async def test_a_watchdog_meant_for_another_process_is_not_fed() -> None:
    assert Notifier({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid() + 1)}).watchdog_s == 0
    assert Notifier({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}).watchdog_s == 30


async def test_the_watchdog_is_fed_after_real_commits(systemd: Systemd, spool: Spool) -> None:
    before = spool.counters.commits
    heard: list[str] = []
    async with fed(Notifier(systemd.environment(WATCHDOG_USEC="20000")), spool):
        await until(lambda: len(heard_so_far(heard, systemd)) >= 3, what="three signs of life")
    assert set(heard) == {"WATCHDOG=1"}
    assert spool.counters.commits >= before + 3
    assert await spool.submit(lambda store: store.meta("proof")) is not None


def heard_so_far(heard: list[str], systemd: Systemd) -> list[str]:
    heard += systemd.heard()
    return heard


async def test_a_disk_that_takes_no_commit_starves_the_watchdog(systemd: Systemd, spool: Spool) -> None:
    await spool.submit(lambda store: store.connection.execute("DROP TABLE meta").close())
    with pytest.raises(sqlite3.Error):
        await prove_commit(spool)
    failures = spool.counters.failures
    async with fed(Notifier(systemd.environment(WATCHDOG_USEC="20000")), spool):
        await until(lambda: spool.counters.failures >= failures + 3, what="three commits have failed")
    assert systemd.heard() == []


async def test_a_full_disk_is_told_and_does_not_starve_the_watchdog(systemd: Systemd) -> None:
    spool = FullDisk()
    notifier = Notifier(systemd.environment(WATCHDOG_USEC="20000"))
    heard: list[str] = []
    async with in_background(feed_watchdog(notifier, spool)):  # type: ignore[arg-type]  # a disk to be filled at will
        await until(lambda: heard_so_far(heard, systemd).count("WATCHDOG=1") >= 2, what="it is fed")
        spool.is_full = False
        await until(lambda: "STATUS=running" in heard_so_far(heard, systemd), what="there is room again")
    notifier.close()
    assert heard[0] == "STATUS=the disk is full: nothing is acknowledged to the sensors"
    assert heard.count(heard[0]) == 1


class FullDisk:
    """A spool whose every commit fails as SQLite's do when the disk is full, until it is not."""

    def __init__(self) -> None:
        self.is_full = True

    def submit(self, _: object) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_full:
            done.set_exception(_full())
        else:
            done.set_result(None)
        return done


def _full() -> sqlite3.Error:
    """As SQLite says it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (x)")
    try:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    except sqlite3.Error as error:
        return error
    finally:
        connection.close()
    raise AssertionError("it was not full")
