"""A PostgreSQL of one's own: Debian's binaries, an unprivileged account, a free port, an empty folder."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from coldfleet.bench.processes import free_port

DEBIAN_ROOT = Path("/usr/lib/postgresql")
ADMIN = "admin"
LOG_TAIL_LINES = 30

READY_S = 60.0

#: what every private server has; the rest is its owner's choice
_PRIVATE: Mapping[str, str] = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "timezone": "UTC"}


class PostgresUnavailable(Exception):
    """No server, and what to do about it."""


@dataclass(frozen=True)
class PrivatePostgres:
    """A running server. Its administrator is a superuser: row-level security must be tested as somebody else."""

    port: int
    pid: int
    password: str = field(repr=False)

    def url(self, database: str = "postgres", *, user: str = ADMIN, password: str = "", scheme: str = "") -> str:
        """Where a database is: `postgresql://...`, or `postgresql+asyncpg://...` by `scheme`.

        The administrator's password is filled in; any other user's is the caller's to know.
        """
        secret = self.password if user == ADMIN else password
        return f"{scheme or 'postgresql'}://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    @property
    def admin_url(self) -> str:
        return self.url()

    async def execute(self, sql: str, *, database: str = "postgres") -> None:
        """Run one or more statements as the administrator; one alone runs outside any transaction."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def run_sql_file(self, path: Path, *, database: str = "postgres") -> None:
        """Run a file of statements as the administrator, in one transaction."""
        await self.execute(await asyncio.to_thread(path.read_text, encoding="utf-8"), database=database)

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Make a database, empty or a copy of `template` (to which nobody may be connected); return its URL."""
        copy_of = f" TEMPLATE {_quoted(template)}" if template else ""
        await self.execute(f"CREATE DATABASE {_quoted(name)}{copy_of}")
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database, and whoever is still connected to it; one that is not there is no error."""
        await self.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def find_binaries(debian_root: Path = DEBIAN_ROOT, search_path: str | None = None) -> Path:
    """The folder of the newest `initdb` and `postgres`: Debian keeps them off the path, others on it.

    Raises:
        PostgresUnavailable: there are none.
    """
    versions = (folder for folder in debian_root.glob("*/bin") if folder.parent.name.isdecimal())
    candidates = sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    on_path = shutil.which("postgres", path=search_path)
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresUnavailable("PostgreSQL's server is not installed: run make test, or apt-get install postgresql")


@contextmanager
def private_postgres(settings: Mapping[str, str]) -> Iterator[PrivatePostgres]:
    """A server for the length of the block. It also ends when this process does, however that happens.

    Raises:
        PostgresUnavailable: it did not start; the message carries the end of its log.
    """
    binaries = find_binaries()
    account = _unprivileged_account()
    with ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="coldfleet-postgres-"))
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        _hand_over(folder, account)
        password = secrets.token_hex(16)
        _initialise(binaries, folder, account, password)
        port = free_port()
        server = _launch(binaries, folder, account, {**_PRIVATE, **settings, "port": str(port)})
        cleanup.callback(_stop, server)
        _await_ready(server, folder)
        yield PrivatePostgres(port=port, pid=server.pid, password=password)


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get("postgres") or accounts.get("nobody")
    if account is None:
        raise PostgresUnavailable("PostgreSQL does not run as root, and there is no account postgres or nobody")
    return account


def _hand_over(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is None:
        return
    os.chown(folder, account.pw_uid, account.pw_gid)
    for parent in folder.parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            raise PostgresUnavailable(f"{account.pw_name} may not enter {parent}: set TMPDIR to a folder that all may")


def _command(account: pwd.struct_passwd | None, *command: str) -> list[str]:
    """`command` as the account, and interrupted (a fast shutdown) when the process that started it is gone."""
    identity = [] if account is None else [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return ["setpriv", *identity, "--pdeathsig=INT", "--", *command]


def _environment(folder: Path) -> dict[str, str]:
    # Nothing of ours: a PGDATA or PGPORT of the caller's must not decide anything here.
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def _initialise(binaries: Path, folder: Path, account: pwd.struct_passwd | None, password: str) -> None:
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    if account is not None:
        os.chown(password_file, account.pw_uid, account.pw_gid)
    initdb = [str(binaries / "initdb"), f"--pgdata={folder / 'data'}", f"--username={ADMIN}", "--encoding=UTF8"]
    initdb += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--no-instructions"]
    made = subprocess.run(  # noqa: S603 - our own command
        _command(account, *initdb), cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise PostgresUnavailable(f"initdb ended with {made.returncode}:\n{made.stdout}{made.stderr}")


def _launch(
    binaries: Path, folder: Path, account: pwd.struct_passwd | None, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    options = [f"--{name}={value}" for name, value in settings.items()]
    with (folder / "log").open("wb") as log:
        # A session of its own: a Ctrl-C in the terminal is for us, who then stop the server in our time.
        return subprocess.Popen(  # noqa: S603 - our own command
            _command(account, str(binaries / "postgres"), "-D", str(folder / "data"), *options),
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _await_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait as `pg_ctl --wait` does: the last line of `postmaster.pid` says when connections are taken."""
    status = folder / "data" / "postmaster.pid"

    def is_ready() -> bool:
        try:
            lines = status.read_text().splitlines()
        except FileNotFoundError:
            lines = []
        return len(lines) >= 8 and lines[7].strip() == "ready"

    problem, deadline_s = None, time.monotonic() + READY_S
    while problem is None and not is_ready():
        if server.poll() is not None:
            problem = f"PostgreSQL ended with {server.returncode} instead of starting"
        elif time.monotonic() > deadline_s:
            problem = f"PostgreSQL takes no connections after {READY_S:.0f} s"
        time.sleep(0.01)
    if problem:
        tail = "\n".join((folder / "log").read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        raise PostgresUnavailable(f"{problem}. The end of its log:\n{tail}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Fast shutdown; the immediate one for a server that does not listen."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is None:
            server.send_signal(request)
        try:
            server.wait(timeout=15)
            return
        except subprocess.TimeoutExpired:
            continue
