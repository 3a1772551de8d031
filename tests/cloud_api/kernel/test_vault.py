"""Secrets at rest: sealed with the newest key, opened with any that is known, rotated without being lost."""

import asyncio
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, String, make_url, select, type_coerce
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from cloud_api import all_models
from cloud_api.identity.sessions.models import SigningKey
from cloud_api.kernel import clock, logs, vault
from cloud_api.kernel.db import Base, Database
from cloud_api.kernel.rotation import reseal_all, sealed_columns
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.kernel.vault import Sealed, Vault, WrongKey
from coldfleet.cli import main
from tests.services.postgres import PrivatePostgres

OLD, NEW = "an-old-key-of-at-least-32-characters", "a-new-key-of-at-least-32-characters!"
SCOPE = SystemScope("test")


class TestBase(DeclarativeBase):
    """Tables of these tests only."""

    __test__ = False
    metadata = MetaData()


class Directory(TestBase):
    """Something with secrets, and a key of two parts."""

    __tablename__ = "test_directories"

    site: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    bind_password: Mapped[str] = mapped_column(Sealed)
    pin: Mapped[str | None] = mapped_column(Sealed)


class Plain(TestBase):
    """Nothing secret."""

    __tablename__ = "test_plain"

    id: Mapped[int] = mapped_column(primary_key=True)


@pytest.fixture(autouse=True)
def the_vault_of_other_tests() -> Iterator[None]:
    yield
    vault.use(Vault([DEVELOPMENT_SECRET]))
    logs.configure(level="warning", for_people=True)


@pytest.fixture
async def secrets_database(database_url: str, migrated_postgres: PrivatePostgres) -> Database:
    """A database with the table; the application may only use it."""
    columns = "site varchar, id {}, name varchar, bind_password varchar, pin varchar, PRIMARY KEY (site, id)"
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "")) as direct:
            direct.execute(f"CREATE TABLE test_directories ({columns.format('char(32)')})")
    else:
        ddl = (
            f"CREATE TABLE test_directories ({columns.format('uuid')}); GRANT ALL ON test_directories TO coldfleet_app"
        )
        await migrated_postgres.execute(ddl, database=url.database or "")
    return Database(database_url)


async def write(database: Database, count: int) -> None:
    async with database.unit_of_work(SCOPE) as db:
        db.add_all(
            Directory(
                site=f"s-{number % 3}",
                id=uuid.UUID(int=number),
                name="d",
                bind_password=f"secret-{number}",
                pin=None if number % 2 else f"{number:04}",
            )
            for number in range(count)
        )


async def read(database: Database) -> dict[int, tuple[str, str | None]]:
    async with database.unit_of_work(SCOPE, read_only=True) as db:
        return {row.id.int: (row.bind_password, row.pin) for row in await db.scalars(select(Directory))}


@given(st.text(max_size=200))
def test_what_is_sealed_is_opened_and_never_looks_the_same(text: str) -> None:
    box = Vault([NEW])
    assert box.open(box.seal(text)) == text
    assert box.seal(text) != box.seal(text)


def test_an_older_key_opens_and_the_newest_seals() -> None:
    both, sealed = Vault([NEW, OLD]), Vault([OLD]).seal("s")
    assert both.open(sealed) == "s"
    assert Vault([NEW]).open(both.seal("s")) == "s"
    anew = both.reseal(sealed)
    assert Vault([NEW]).open(anew) == "s"
    assert both.reseal(anew) == anew


@pytest.mark.parametrize("broken", ["", "nonsense", "gAAAAA==", "ä"])
def test_what_no_key_opens_is_an_error_and_never_a_guess(broken: str) -> None:
    for act in (Vault([NEW]).open, Vault([NEW]).reseal):
        with pytest.raises(WrongKey):
            act(broken)
        with pytest.raises(WrongKey):
            act(Vault([OLD]).seal("s"))


def test_a_single_changed_character_is_noticed() -> None:
    sealed = Vault([NEW]).seal("s")
    for position in range(0, len(sealed) - 2, 7):
        changed = "A" if sealed[position] != "A" else "B"
        with pytest.raises(WrongKey):
            Vault([NEW]).open(sealed[:position] + changed + sealed[position + 1 :])


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "short"], [""]])
def test_a_key_that_can_be_guessed_is_refused(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="at least 32 characters"):
        Vault(keys)


def test_without_a_vault_nothing_is_written_or_read() -> None:
    vault.use(None)
    with pytest.raises(WrongKey, match="no encryption keys"):
        vault.current()


async def test_in_the_database_no_secret_stands_in_the_open(secrets_database: Database) -> None:
    vault.use(Vault([NEW]))
    await write(secrets_database, 2)
    async with secrets_database.unit_of_work(SCOPE, read_only=True) as db:
        raw = (await db.scalars(select(type_coerce(Directory.bind_password, String)))).all()
        empty = (await db.scalars(select(type_coerce(Directory.pin, String)).where(Directory.pin.is_(None)))).all()
    assert len(raw) == 2
    assert not any("secret" in text for text in raw)
    assert list(empty) == [None]
    await secrets_database.close()


async def test_after_a_rotation_the_new_key_alone_opens_everything(secrets_database: Database) -> None:
    count = 450  # more than two batches
    vault.use(Vault([OLD]))
    await write(secrets_database, count)
    before = await read(secrets_database)
    both, new = Vault([NEW, OLD]), Vault([NEW])
    vault.use(both)
    assert await read(secrets_database) == before
    done = await reseal_all(secrets_database, TestBase.metadata, both)
    assert done == {"test_directories.bind_password": count, "test_directories.pin": count // 2}
    vault.use(new)
    assert await read(secrets_database) == before
    assert await reseal_all(secrets_database, TestBase.metadata, both) == dict.fromkeys(done, 0)
    await secrets_database.close()


async def test_a_rotation_that_meets_a_foreign_secret_says_so_and_can_go_on_later(secrets_database: Database) -> None:
    vault.use(Vault([OLD]))
    await write(secrets_database, 3)
    with pytest.raises(WrongKey, match="COLDFLEET_ENCRYPTION_KEYS"):
        await reseal_all(secrets_database, TestBase.metadata, Vault([NEW]))
    assert (await read(secrets_database))[0] == ("secret-0", "0000")
    await reseal_all(secrets_database, TestBase.metadata, Vault([NEW, OLD]))
    vault.use(Vault([NEW]))
    assert (await read(secrets_database))[0] == ("secret-0", "0000")
    await secrets_database.close()


async def test_every_sealed_column_of_the_platform_is_found(shared_database: Database) -> None:
    found = {
        f"{table.name}.{column.name}" for table, columns in sealed_columns(all_models.metadata) for column in columns
    }
    mapped = {
        f"{mapper.local_table.name}.{column.name}"  # type: ignore[attr-defined]  # a table, in this house
        for mapper in Base.registry.mappers
        for column in mapper.columns
        if isinstance(column.type, Sealed)
    }
    assert found == mapped
    box = Vault([DEVELOPMENT_SECRET])
    assert set(await reseal_all(shared_database, all_models.metadata, box)) == found


async def test_the_command_seals_what_the_platform_keeps_with_the_newest_key(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rotate(keys: str) -> tuple[object, str, str]:
        monkeypatch.setenv("COLDFLEET_ENCRYPTION_KEYS", keys)
        with pytest.raises(SystemExit) as ended:
            main(["cloud", "rotate-secrets"])
        return ended.value.code, *capsys.readouterr()

    monkeypatch.setenv("COLDFLEET_DATABASE_URL", sqlite_url)
    vault.use(Vault([OLD]))
    database = Database(sqlite_url)
    async with database.unit_of_work(SCOPE) as db:
        db.add(SigningKey(secret="signs-everything", created_at=clock.now(), retires_at=None))

    code, _, err = await asyncio.to_thread(rotate, NEW)
    assert (code, "COLDFLEET_ENCRYPTION_KEYS does not name" in err, "Traceback" in err) == (1, True, False)
    for count in (1, 0):
        code, out, _ = await asyncio.to_thread(rotate, f"{NEW},{OLD}")
        assert (code or 0, f"signing_keys.secret: {count}" in out.splitlines()) == (0, True)
    vault.use(Vault([NEW]))
    async with database.unit_of_work(SCOPE, read_only=True) as db:
        assert (await db.scalars(select(SigningKey.secret))).all() == ["signs-everything"]
    await database.close()
