"""`coldfleet cloud ...` as people type it: what goes wrong is one sentence that says what to do, never a traceback."""

import asyncio
import json
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from cloud_api import api
from cloud_api.cli import listen_at
from cloud_api.kernel import logs
from coldfleet.cli import main
from tests.factories.stores import make_cold_store, receive
from tests.platform_under_test import open_platform
from tests.services.postgres import PrivatePostgres
from tests.services.processes import running

COLDFLEET = str(Path(sys.executable).with_name("coldfleet"))


@pytest.fixture(autouse=True)
def quiet_logs() -> Iterator[None]:
    """A command configures the logs of its whole process, which here is that of the tests."""
    yield
    logs.configure(level="warning", for_people=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, where `.env` is nobody else's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLDFLEET_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}")
    return tmp_path


class Cli:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of `coldfleet cloud <words>`."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["cloud", *words])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return code if isinstance(code, int) else 0, out, err

    def refused(self, *words: str) -> str:
        """The one sentence with which it ended."""
        code, _, err = self(*words)
        assert code == 1, err
        [sentence] = err.splitlines()
        return sentence


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


FARM = ["--name", "Sahyadri Farm", "--slug", "sahyadri", "--admin-username", "asha", "--admin-email", "a@s.example"]


def test_migrating_twice_is_migrating_once(cli: Cli, home: Path) -> None:
    for _ in range(2):
        code, out, _ = cli("migrate")
        assert (code, out) == (0, "the database is up to date\n")
    assert (home / "cloud.db").exists()


def test_an_organisation_is_founded_once(cli: Cli, home: Path) -> None:
    assert "at least 8 characters" in cli.refused("create-organization", *FARM, "--admin-password", "easy")
    code, out, _ = cli("create-organization", *FARM, "--admin-password", "Cold-room-1")
    assert (code, out.splitlines()[-1]) == (0, "Sahyadri Farm is founded; asha may sign in")
    again = cli.refused("create-organization", *FARM, "--admin-password", "Cold-room-1")
    assert again == "the short name 'sahyadri' is taken: choose another"
    with sqlite3.connect(home / "cloud.db") as database:
        assert database.execute("SELECT username FROM users").fetchall() == [("asha",)]
    database.close()


def test_a_busy_port_is_named_with_the_way_out(cli: Cli, home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentence = cli.refused("serve", "--port", str(port))
    assert sentence.startswith(
        f"cannot listen on 127.0.0.1:{port} (Address already in use): choose another with --port"
    )
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "openapi", "check-ledger"])
def test_wrong_settings_are_named_as_they_are_typed(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLDFLEET_PORT", "http")
    monkeypatch.setenv("COLDFLEET_DATABASE_URL", "postgresql://localhost/coldfleet")
    sentence = cli.refused(command)
    assert sentence.startswith("the settings are wrong: COLDFLEET_DATABASE_URL: Value error, must begin with")
    assert "COLDFLEET_PORT: Input should be a valid integer" in sentence
    monkeypatch.delenv("COLDFLEET_PORT")
    monkeypatch.delenv("COLDFLEET_DATABASE_URL")
    monkeypatch.setenv("COLDFLEET_ENVIRONMENT", "production")
    assert cli.refused(command).startswith("the settings are wrong: COLDFLEET_SECRET_KEY is the default")
    assert list(home.iterdir()) == []


def test_sqlite_needs_no_worker(cli: Cli, home: Path) -> None:
    assert "no worker is needed" in cli.refused("worker")
    assert list(home.iterdir()) == []


def test_a_database_without_tables_says_which_command_makes_them(cli: Cli, home: Path) -> None:
    sqlite3.connect(home / "cloud.db").close()
    assert cli.refused("check-ledger").endswith("did you run `coldfleet cloud migrate`?")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["serve", "--frob"], "No such option: --frob"),
        (["serve", "--port", "http"], "should be a valid integer"),
        (["create-organization", "--name", "x"], "Missing option '--slug'"),
    ],
)
def test_what_was_mistyped_is_repeated(cli: Cli, home: Path, words: list[str], complaint: str) -> None:
    code, out, err = cli(*words)
    assert (code, out) == (2, "")
    assert complaint in " ".join(err.split())
    assert list(home.iterdir()) == []


def test_the_document_is_printed_alone_and_needs_no_database(cli: Cli, home: Path) -> None:
    code, out, _ = cli("openapi")
    assert code == 0
    document = json.loads(out)
    assert document["openapi"].startswith("3.")
    assert document["x-websockets"] == api.WEBSOCKETS
    assert list(home.iterdir()) == []


async def test_a_ledger_that_was_tampered_with_is_found_out(
    database_url: str, cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, migrated_postgres: PrivatePostgres
) -> None:
    monkeypatch.setenv("COLDFLEET_DATABASE_URL", database_url)
    async with open_platform(database_url) as platform:
        store = await make_cold_store(platform)
        await receive(store, quantity="100.000")
        await receive(store, quantity="2.500", lot="LOT-2")
    code, out, _ = await asyncio.to_thread(cli, "check-ledger")
    assert (code, out.splitlines()[-1]) == (0, "every level agrees with the ledger")

    tamper = "UPDATE stock_levels SET on_hand = on_hand + 1 WHERE on_hand = 100000"
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with sqlite3.connect(url.database or "") as database:
            database.execute(tamper)
        database.close()
    else:
        await migrated_postgres.execute(tamper, database=url.database or "")
    code, out, _ = await asyncio.to_thread(cli, "check-ledger")
    [difference, last] = out.splitlines()[-2:]
    assert (code, last) == (1, "1 differences")
    assert re.search(r"lot LOT-1 in \S+: the level says 100.001 on hand, the ledger says 100.000$", difference)
    assert "LOT-2" not in out


def test_on_sqlite_one_process_does_everything_and_a_second_is_told_so(cli: Cli, home: Path) -> None:
    ready = home / "ready.json"
    with running([COLDFLEET, "cloud", "serve", "--port", "0", "--ready-file", str(ready)], cwd=home) as server:
        server.wait_for(ready.exists, what="requests are answered", timeout_s=90)
        url = json.loads(ready.read_text())["url"]
        assert httpx2.get(f"{url}/api/v1/monitoring/health").json()["data"]["status"] == "ok"
        assert f"API at {url}/api/v1, documentation at {url}/docs" in server.output()
        told = f"another process works on {home / 'cloud.db'}: on SQLite there can be one; stop it, or use PostgreSQL"
        assert cli.refused("serve", "--port", "0") == told
        assert cli.refused("create-organization", *FARM, "--admin-password", "Cold-room-1") == told
        server.terminate()
        assert "Traceback" not in server.output()
    code, _, _ = cli("create-organization", *FARM, "--admin-password", "Cold-room-1")
    assert code == 0


def test_a_package_that_is_missing_is_named_with_the_way_to_get_it() -> None:
    program = "import sys; sys.modules['uvicorn'] = None; from coldfleet.cli import main; main(['cloud', 'serve'])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "`coldfleet cloud` needs the package uvicorn: pip install 'coldfleet[cloud]'\n"


def test_sealing_says_how_many_readings_it_sealed(home: Path, cli: Cli) -> None:
    assert cli("migrate")[0] == 0
    code, out, _ = cli("seal-readings")
    assert (code, out.strip()) == (0, "0 readings were sealed")


async def test_the_end_of_a_small_answer_does_not_wait_until_its_beginning_is_acknowledged() -> None:
    loop = asyncio.get_running_loop()
    sent_at_once: asyncio.Future[int] = loop.create_future()

    class Door(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            sent_at_once.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    async with await loop.create_server(Door, sock=listen_at("127.0.0.1", 0)) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await sent_at_once
        writer.close()
        await writer.wait_closed()
