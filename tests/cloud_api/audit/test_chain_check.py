"""What somebody did to the trail in the database itself, past the application, is named."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from cloud_api.audit import chain_check
from cloud_api.audit.models import AuditSeal
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from tests.cloud_api.audit.trails import KEY, leave, seal_all, seals_of, tamper, where
from tests.cloud_api.kernel.rows import add_organization
from tests.services.postgres import PrivatePostgres


async def problems(database: Database, scope: OrganizationScope, key: str = KEY) -> list[str]:
    """What is wrong with one organisation's chain."""
    async with database.unit_of_work(SystemScope("test"), read_only=True) as db:
        found = await chain_check.problems(db, key.encode())
    name = f"organisation {scope.organization_id}: "
    return [line.removeprefix(name) for line in found if line.startswith(name)]


async def sealed_trail(database: Database) -> OrganizationScope:
    """Five entries, all sealed."""
    scope = await add_organization(database)
    await leave(database, scope, "b", "c", "d", "e")
    await seal_all(database)
    return scope


async def test_an_intact_chain_has_no_problem_and_another_key_has(database: Database) -> None:
    scope = await sealed_trail(database)
    assert await problems(database, scope) == []
    assert len(await problems(database, scope, "x" * 32)) == 5


async def test_an_entry_that_nobody_seals_is_reported_after_a_minute(database: Database) -> None:
    scope = await sealed_trail(database)
    [entry_id] = await leave(database, scope, "f")
    assert await problems(database, scope) == []
    later = clock.now() + timedelta(seconds=61)
    clock.use(lambda: later)
    [problem] = await problems(database, scope)
    assert problem.startswith(f"entry {entry_id} (noted) of ")
    assert problem.endswith("has no seal")


#: what is done: to the rows whose column has what a seal has there; and what the check then says
DEEDS: dict[str, tuple[str, str, Callable[[list[AuditSeal]], uuid.UUID], str]] = {
    "an entry is edited": (
        "UPDATE audit_entries SET note = 'x'",
        "id",
        lambda seals: seals[2].entry_id,
        "seal 3 does not fit its entry {0[2].entry_id} (noted)",
    ),
    "an entry is deleted": (
        "DELETE FROM audit_entries",
        "id",
        lambda seals: seals[2].entry_id,
        "seal 3 has lost its entry {0[2].entry_id}",
    ),
    "a seal is deleted": (
        "DELETE FROM audit_seals",
        "id",
        lambda seals: seals[2].id,
        "seals 3 to 3 are missing",
    ),
    "the end is cut off": (
        "DELETE FROM audit_seals",
        "id",
        lambda seals: seals[4].id,
        "seals 5 to 5 are missing",
    ),
    "a digest is replaced": (
        "UPDATE audit_seals SET digest = 'x'",
        "id",
        lambda seals: seals[4].id,
        "seal 5 does not fit its entry {0[4].entry_id} (noted)",
    ),
    "the chain's end is set back": (
        "UPDATE audit_chains SET sequence = 4",
        "organization_id",
        lambda seals: seals[4].organization_id,
        "the chain ends at 4, its seals at 5",
    ),
    "the chain's end is replaced": (
        "UPDATE audit_chains SET digest = 'x'",
        "organization_id",
        lambda seals: seals[4].organization_id,
        "the chain's end does not have the digest of seal 5",
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_was_done_to_the_chain_is_named(
    database: Database, migrated_postgres: PrivatePostgres, deed: str
) -> None:
    scope = await sealed_trail(database)
    seals = list(await seals_of(database, scope))
    statement, column, value_of, said = DEEDS[deed]
    await tamper(database, migrated_postgres, where(database, statement, value_of(seals), column=column))
    assert said.format(seals) in await problems(database, scope)


async def test_an_organisation_whose_chain_is_gone_altogether_is_reported(
    database: Database, migrated_postgres: PrivatePostgres
) -> None:
    scope = await sealed_trail(database)
    await tamper(database, migrated_postgres, "DELETE FROM audit_seals", "DELETE FROM audit_chains")
    later = clock.now() + timedelta(minutes=2)
    clock.use(lambda: later)
    assert len(await problems(database, scope)) == 5
