"""The chain behind the work: no gap, nothing twice, nothing forgotten, whoever commits when and whoever seals."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.audit import verify
from cloud_api.audit.sealer import Sealer, entry_fields
from cloud_api.audit.service import record
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from tests.cloud_api.audit.trails import KEY, entries_of, leave, seal_all, seals_of, tamper, where
from tests.cloud_api.kernel.rows import add_organization
from tests.services.postgres import PrivatePostgres
from tests.services.waiting import until


async def assert_whole(database: Database, scope: OrganizationScope) -> None:
    """Every entry has its seal; sequences and digests are those of one chain."""
    entries = {entry.id: entry for entry in await entries_of(database, scope)}
    seals = await seals_of(database, scope)
    assert [seal.sequence for seal in seals] == [*range(1, len(entries) + 1)]
    assert {seal.entry_id for seal in seals} == set(entries)
    previous = verify.FIRST
    for seal in seals:
        fields = entry_fields(entries[seal.entry_id])
        previous = verify.seal(KEY.encode(), sequence=seal.sequence, previous=previous, entry=fields)
        assert seal.digest == previous


async def test_what_was_done_is_sealed_in_its_order(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    left = await leave(shared_database, scope, "a", "b", "c")
    await seal_all(shared_database)
    await assert_whole(shared_database, scope)
    assert [seal.entry_id for seal in await seals_of(shared_database, scope)][-3:] == left


async def test_the_chain_goes_on_where_it_ended(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    for note in "abc":
        await leave(shared_database, scope, note)
        await seal_all(shared_database)
    await assert_whole(shared_database, scope)


async def test_each_organisation_has_a_chain_of_its_own(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    await leave(shared_database, ours, "a")
    await leave(shared_database, theirs, "a", "b")
    await seal_all(shared_database)
    for scope in (ours, theirs):
        await assert_whole(shared_database, scope)


async def test_an_entry_that_commits_late_with_an_older_id_is_sealed_too(database: Database) -> None:
    scope = await add_organization(database)
    await seal_all(database)
    clock.use(lambda: datetime(2026, 1, 31, 8, tzinfo=UTC))
    [newer] = await leave(database, scope, "newer")
    await seal_all(database)
    clock.use(lambda: datetime(2026, 1, 31, 8, tzinfo=UTC) - timedelta(hours=3))
    [older] = await leave(database, scope, "older")
    assert older < newer
    await seal_all(database)
    assert [seal.entry_id for seal in await seals_of(database, scope)][-2:] == [newer, older]
    await assert_whole(database, scope)


async def test_work_that_is_not_committed_waits_for_no_seal(postgres_url: str) -> None:
    database = Database(postgres_url)
    scope = await add_organization(database)
    async with database.unit_of_work(scope) as db:
        record(db, action="noted", entity="tests", entity_id="1", note="slow")
        await db.flush()
        await leave(database, scope, "quick")
        await seal_all(database)
        assert len(await seals_of(database, scope)) == 2
    await seal_all(database)
    await assert_whole(database, scope)
    await database.close()


async def test_many_sealers_and_many_hands_make_one_chain(database: Database) -> None:
    scope = await add_organization(database)
    working = [leave(database, scope, f"{hand}", f"{hand} again") for hand in range(12)]
    sealing = [Sealer(database, KEY).seal_due() for _ in range(6)]
    await asyncio.gather(*working, *sealing)
    await seal_all(database)
    await assert_whole(database, scope)
    assert len(await seals_of(database, scope)) == 25


async def test_a_chain_that_somebody_broke_does_not_hold_up_the_others(
    database: Database, migrated_postgres: PrivatePostgres
) -> None:
    scopes = [await add_organization(database) for _ in range(3)]
    await seal_all(database)
    set_back = where(
        database, "UPDATE audit_chains SET sequence = 0", scopes[1].organization_id, column="organization_id"
    )
    await tamper(database, migrated_postgres, set_back)
    for scope in scopes:
        await leave(database, scope, "after")
    await seal_all(database)
    assert [len(await seals_of(database, scope)) for scope in scopes] == [2, 1, 2]


async def test_more_than_one_batch_is_sealed_round_by_round(database: Database) -> None:
    scope = await add_organization(database)
    await leave(database, scope, *map(str, range(600)))
    sealer = Sealer(database, KEY)
    assert [await sealer.seal_due() for _ in range(3)] == [500, 101, 0]
    await assert_whole(database, scope)


async def test_the_loop_seals_while_work_goes_on(database: Database) -> None:
    scope = await add_organization(database)
    loop = asyncio.create_task(Sealer(database, KEY, poll_s=0.01).run())

    async def all_sealed() -> bool:
        return len(await seals_of(database, scope)) == len(await entries_of(database, scope))

    for _ in range(2):
        await leave(database, scope, "work")
        await until(all_sealed, what="every entry is sealed")
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    await assert_whole(database, scope)


async def test_the_loop_outlives_a_database_that_does_not_answer(tmp_path: object) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    loop = asyncio.create_task(Sealer(database, KEY, poll_s=0.0).run())
    done, _ = await asyncio.wait({loop}, timeout=0.1)
    assert not done
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await database.close()
