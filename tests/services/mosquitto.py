"""A Mosquitto of the tests' own: Debian's binary, an unprivileged account, a free port, an empty folder."""

import asyncio
import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.services.free_port import free_port
from tests.services.processes import RunningProcess

#: what deploy/gateway.example.toml asks of a site's broker
SETTINGS: Mapping[str, str] = {
    "allow_anonymous": "true",
    "persistence": "true",
    "autosave_interval": "1",
    "max_queued_messages": "0",
    "max_inflight_messages": "1000",
    "sys_interval": "1",
}


class MosquittoUnavailable(Exception):
    """No broker, and what to do about it."""


class PrivateMosquitto:
    """A broker that can be stopped, killed, and started again on the same port, with or without what it had saved."""

    def __init__(self, folder: Path, stack: ExitStack, settings: Mapping[str, str] = SETTINGS) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = dict(settings)
        self._account = _unprivileged_account()
        self._binary = find_binary()
        self._stack = stack
        self._process: RunningProcess | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections.

        Raises:
            MosquittoUnavailable: it did not start; the message carries what it wrote.
        """
        config = self.folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", f"persistence_location {self.folder}/"]
        config.write_text("\n".join([*lines, *(f"{name} {value}" for name, value in self.settings.items())]) + "\n")
        for path in (self.folder, config):
            if self._account is not None:
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        process = RunningProcess(self._command("-c", str(config)), cwd=self.folder)
        self._stack.callback(process.close)
        self._process = process
        try:
            process.wait_for(self._answers, what="Mosquitto takes connections")
        except (AssertionError, TimeoutError) as problem:
            raise MosquittoUnavailable(f"{problem}. It wrote:\n{process.output()}") from None

    def stop(self) -> None:
        """End it in good order: it saves what it is told to save."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()

    async def restart(self) -> None:
        """Stop and start, while the event loop goes on."""
        await asyncio.to_thread(self.stop)
        await asyncio.to_thread(self.start)

    def output(self) -> str:
        """What the running one has written."""
        return "" if self._process is None else self._process.output()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _command(self, *arguments: str) -> list[str]:
        account = self._account
        identity = [] if account is None else [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        groups = [] if account is None else ["--clear-groups"]
        return ["setpriv", *identity, *groups, "--pdeathsig=TERM", "--", self._binary, *arguments]


def find_binary(search_path: str | None = None) -> str:
    """Debian keeps it in /usr/sbin, which is not on everybody's path.

    Raises:
        MosquittoUnavailable: it is not there.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")) if search_path is None else search_path
    found = shutil.which("mosquitto", path=path)
    if found is None:
        raise MosquittoUnavailable("Mosquitto is not installed: run make test, or apt-get install mosquitto")
    return found


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Whom the broker runs as when we are root; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get("mosquitto") or accounts.get("nobody")
    if account is None:
        raise MosquittoUnavailable("Mosquitto does not stay root, and there is no account mosquitto or nobody")
    return account


@contextmanager
def private_mosquitto(settings: Mapping[str, str] = SETTINGS) -> Iterator[PrivateMosquitto]:
    """A running broker for the length of the block.

    Raises:
        MosquittoUnavailable: says what to do.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="coldfleet-mosquitto-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker = PrivateMosquitto(folder, stack, settings)
        broker.start()
        yield broker


@pytest.fixture
def mosquitto() -> Iterator[PrivateMosquitto]:
    """A broker of this test's own. Without Mosquitto the test fails."""
    with ExitStack() as running:
        try:
            broker = running.enter_context(private_mosquitto())
        except MosquittoUnavailable as problem:
            pytest.fail(str(problem), pytrace=False)
        yield broker
