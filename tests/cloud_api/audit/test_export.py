"""The trail as a file, made from the database and checked without it."""

import csv
import io
from datetime import timedelta

import pytest

from cloud_api.audit import export, queries, verify
from cloud_api.audit.sealer import FIELDS
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope
from tests.cloud_api.audit.trails import KEY, leave, seal_all, seals_of, tamper, where
from tests.cloud_api.kernel.rows import add_organization
from tests.services.postgres import PrivatePostgres


async def json_lines(database: Database, scope: OrganizationScope, **period: object) -> list[str]:
    return [line async for line in export.json_lines(database, scope, KEY.encode(), **period)]  # type: ignore[arg-type]


async def test_an_export_is_the_whole_chain_and_verifies(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    await leave(shared_database, scope, *(f"Åsa \u2028 {number}" for number in range(510)))
    await seal_all(shared_database)
    await leave(shared_database, scope, "not sealed yet")
    found = verify.verify(await json_lines(shared_database, scope), KEY.encode())
    assert (found.organization_id, found.count) == (str(scope.organization_id), 511)
    assert found.head == (await seals_of(shared_database, scope))[-1].digest


async def test_a_trail_without_seals_is_an_intact_export_of_nothing(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    period = {"since": clock.now() + timedelta(days=1), "until": None}
    for lines in (await json_lines(shared_database, scope), await json_lines(shared_database, scope, **period)):
        assert verify.verify(lines, KEY.encode()).count == 0


async def test_a_stretch_of_the_chain_verifies_by_itself(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    await leave(shared_database, scope, "b", "c")
    since = clock.now() + timedelta(hours=1)
    clock.use(lambda: since)
    await leave(shared_database, scope, "d", "e")
    clock.use(lambda: since + timedelta(hours=1))
    await leave(shared_database, scope, "f")
    await seal_all(shared_database)
    period = {"since": since, "until": since + timedelta(minutes=1)}
    found = verify.verify(await json_lines(shared_database, scope, **period), KEY.encode())
    assert (found.from_sequence, found.to_sequence, found.count) == (4, 5, 2)


@pytest.mark.parametrize("deed", ["DELETE FROM audit_entries", "DELETE FROM audit_seals"])
async def test_an_export_of_a_broken_chain_does_not_hide_it(
    database: Database, migrated_postgres: PrivatePostgres, deed: str
) -> None:
    scope = await add_organization(database)
    await leave(database, scope, "b", "c", "d")
    await seal_all(database)
    seal = (await seals_of(database, scope))[1]
    row = seal.id if "seals" in deed else seal.entry_id
    await tamper(database, migrated_postgres, where(database, deed, row))
    lines = await json_lines(database, scope)
    with pytest.raises(verify.Broken, match=r"^line 3: .*entry 2"):
        verify.verify(lines, KEY.encode())


async def test_a_table_holds_what_the_filter_asks_for_and_no_formula(shared_database: Database) -> None:
    scope = await add_organization(shared_database)
    await leave(shared_database, scope, *("=cmd()" if number == 0 else f'-{number}, "x"' for number in range(502)))
    pieces = [piece async for piece in export.table(shared_database, scope, queries.entries(entity="tests"))]
    names, *rows = csv.reader(io.StringIO("".join(pieces), newline=""))
    assert tuple(names) == FIELDS
    assert len(rows) == 502
    assert (rows[0][-1], rows[-1][-1]) == ('\'-501, "x"', "'=cmd()")
    assert rows[0][-2] == '{"figure": 0.1}'
