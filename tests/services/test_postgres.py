"""The tests' PostgreSQL is private, unprivileged, loud when it fails, and gone afterwards."""

import os
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.services.postgres import PostgresUnavailable, PrivatePostgres, find_binaries, private_postgres
from tests.services.processes import is_gone, running
from tests.services.waiting import until, wait_until


async def test_only_the_password_opens_the_server(postgres_server: PrivatePostgres) -> None:
    await postgres_server.execute("SELECT 1")
    wrong = postgres_server.admin_url.replace(postgres_server.password, "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


def test_the_server_never_runs_as_root(postgres_server: PrivatePostgres) -> None:
    status = Path(f"/proc/{postgres_server.pid}/status").read_text()
    user_ids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert "0" not in user_ids


async def test_a_copy_of_a_template_has_its_rows_and_goes_while_somebody_is_connected(
    postgres_server: PrivatePostgres, tmp_path: Path
) -> None:
    script = tmp_path / "lots.sql"
    script.write_text("CREATE TABLE lot (code text);\nINSERT INTO lot VALUES ('L-1'), ('L-2');")
    await postgres_server.create_database("stock template")
    await postgres_server.run_sql_file(script, database="stock template")
    url = await postgres_server.create_database("stock", template="stock template")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM lot") == 2

    await postgres_server.drop_database("stock")
    await postgres_server.drop_database("stock")
    await postgres_server.drop_database("stock template")
    await until(connection.is_closed, what="the server has hung up")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)


def test_a_server_that_does_not_start_shows_why() -> None:
    with (
        pytest.raises(PostgresUnavailable, match='parameter "max_connections": "many"'),
        private_postgres({"max_connections": "many"}),
    ):
        pass


def test_a_machine_without_postgresql_is_told_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="make test, or apt-get install postgresql"):
        find_binaries(debian_root=tmp_path, search_path=str(tmp_path))


def test_the_newest_of_several_versions_is_taken_by_number(tmp_path: Path) -> None:
    for version in ("9", "15", "16"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        (folder / "postgres").touch()
        if version != "16":
            (folder / "initdb").touch()
    assert find_binaries(debian_root=tmp_path, search_path=str(tmp_path)) == tmp_path / "15" / "bin"


def test_the_server_goes_with_tests_that_were_killed() -> None:
    program = """
import time
from tests.services.postgres import private_postgres
with private_postgres() as server:
    print("server", server.pid, flush=True)
    time.sleep(600)
"""
    folder = Path("/tmp") / f"coldfleet-killed-{os.getpid()}"  # noqa: S108 (pytest's own are closed to other accounts)
    folder.mkdir(mode=0o755)
    try:
        with running([sys.executable, "-c", program], environment={"TMPDIR": str(folder)}) as tests:
            tests.wait_for_output("server")
            server_pid = int(tests.output().split()[1])
            tests.kill()
            wait_until(lambda: is_gone(server_pid), what="the server has shut down")
    finally:
        shutil.rmtree(folder)
