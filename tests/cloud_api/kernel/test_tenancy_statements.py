"""The first two walls: whatever a session reads or writes stays within its organisation, on either database."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Executable, Select, Update, delete, exists, func, insert, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import aliased

from cloud_api.all_models import metadata
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.tenancy import STAMPED, OrganizationScope, ScopedSession, SystemScope, TenancyViolation
from cloud_api.places.models import Location, Warehouse
from tests.cloud_api.kernel.rows import add_organization, add_warehouse, warehouse, warehouse_names

TABLE = metadata.tables["warehouses"]
OTHER = aliased(Warehouse)


@dataclass(frozen=True)
class Neighbours:
    """Two organisations with a warehouse each: ours is called `ours`, theirs `theirs`."""

    database: Database
    ours: OrganizationScope
    theirs: OrganizationScope
    our_warehouse: uuid.UUID
    their_warehouse: uuid.UUID


async def neighbours_in(database: Database) -> Neighbours:
    ours, theirs = await add_organization(database), await add_organization(database)
    return Neighbours(
        database,
        ours,
        theirs,
        await add_warehouse(database, ours, "ours"),
        await add_warehouse(database, theirs, "theirs"),
    )


@pytest.fixture
async def neighbours(shared_database: Database) -> Neighbours:
    return await neighbours_in(shared_database)


SUBQUERY = select(Warehouse.name).subquery()
CTE = select(Warehouse.name).cte()
READS: dict[str, Select[tuple[str]]] = {
    "plain": select(Warehouse.name),
    "asked for by name": select(Warehouse.name).where(Warehouse.code.in_(["ours", "theirs"])),
    "either or": select(Warehouse.name).where((Warehouse.code == "ours") | (Warehouse.code == "theirs")),
    "alias": select(OTHER.name),
    "joined to itself": select(OTHER.name).join(Warehouse, Warehouse.created_at <= OTHER.created_at),
    "joined from the outside": select(OTHER.name).select_from(Warehouse).outerjoin(OTHER, OTHER.code == "theirs"),
    "joined to another model": select(Warehouse.name).join(Organization, Organization.name != Warehouse.name),
    "subquery": select(SUBQUERY.c.name),
    "common table expression": select(CTE.c.name),
    "scalar subquery": select(select(func.max(Warehouse.name)).scalar_subquery().label("name")).where(
        exists(select(Warehouse.id))
    ),
    "union": select(union_all(select(Warehouse.name), select(OTHER.name)).subquery().c.name),
    "through the children": select(Warehouse.name).where(
        Warehouse.id.in_(select(OTHER.id).where(OTHER.name.in_(["ours", "theirs"])))
    ),
}


@pytest.mark.parametrize("how", READS)
async def test_a_read_finds_only_ones_own(neighbours: Neighbours, how: str) -> None:
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        assert set(await db.scalars(READS[how])) <= {"ours", None}
    async with neighbours.database.unit_of_work(neighbours.theirs) as db:
        assert "theirs" in set(await db.scalars(READS[how]))


async def test_counts_existence_and_streams_tell_nothing_of_the_neighbours(neighbours: Neighbours) -> None:
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        assert await db.scalar(select(func.count()).select_from(Warehouse)) == 1
        assert not await db.scalar(select(exists(select(Warehouse.id).where(Warehouse.code == "theirs"))))
        assert [name async for name in await db.stream_scalars(select(Warehouse.name))] == ["ours"]
        assert list(await db.scalars(select(Organization.id))) == [neighbours.ours.organization_id]


async def test_a_key_of_the_neighbours_opens_nothing(neighbours: Neighbours) -> None:
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        ours = await db.get(Warehouse, neighbours.our_warehouse)
        assert ours is not None
        await db.refresh(ours)
        assert ours.name == "ours"
        assert await db.get(Warehouse, neighbours.their_warehouse) is None
        assert await db.get(Organization, neighbours.theirs.organization_id) is None


async def test_a_row_loaded_across_organisations_is_not_handed_on(neighbours: Neighbours) -> None:
    async with neighbours.database.unit_of_work(SystemScope("look at everybody")) as db:
        assert {"ours", "theirs"} <= set(await db.scalars(select(Warehouse.name)))
    assert await warehouse_names(neighbours.database, neighbours.ours) == ["ours"]


async def test_updates_and_deletes_change_only_ones_own(neighbours: Neighbours) -> None:
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        await db.execute(update(Warehouse).values(name="changed"))
        await db.execute(update(Warehouse).where(Warehouse.id == neighbours.their_warehouse).values(name="changed"))
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["theirs"]
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        await db.execute(delete(Warehouse))
        await db.execute(delete(Warehouse).where(Warehouse.id == neighbours.their_warehouse))
    assert await warehouse_names(neighbours.database, neighbours.ours) == []
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["theirs"]


REFUSED: dict[str, Executable] = {
    "text": text("SELECT name FROM warehouses"),
    "text behind a model": select(Warehouse).from_statement(text("SELECT * FROM warehouses")),
    "text in a condition": select(Warehouse.name).where(text("1 = 1 OR 1 = 1")),
    "core select": select(TABLE.c.name),
    "core column beside a model": select(Organization.id, TABLE.c.name),
    "core alias beside a model": select(Organization.id, TABLE.alias().c.name),
    "core join": select(Organization.id).join(TABLE, TABLE.c.organization_id != Organization.id),
    "core subquery": select(Organization.id).where(exists(select(TABLE.c.id))),
    "core half of a union": select(Warehouse.name).union_all(select(TABLE.c.name)),
    "core update": update(TABLE).values(name="changed"),
    "core delete": delete(TABLE),
    "core insert": insert(TABLE).values(name="x"),
    "bulk insert": insert(Warehouse).values(name="x"),
    "nothing at all": select(1),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_cannot_be_confined_is_refused(neighbours: Neighbours, what: str) -> None:
    with pytest.raises(TenancyViolation, match=r"not scoped|bulk insert"):
        async with neighbours.database.unit_of_work(neighbours.ours) as db:
            await db.execute(REFUSED[what])
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["theirs"]


async def test_a_bulk_update_by_key_is_refused(neighbours: Neighbours) -> None:
    with pytest.raises(TenancyViolation, match="bulk update"):
        async with neighbours.database.unit_of_work(neighbours.ours) as db:
            await db.execute(update(Warehouse), [{"id": neighbours.their_warehouse, "name": "changed"}])
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["theirs"]


async def test_a_row_cannot_be_given_away_or_taken_by_an_update(neighbours: Neighbours) -> None:
    theirs = neighbours.theirs.organization_id
    gifts: list[Update] = [
        update(Warehouse).values(organization_id=theirs),
        update(Warehouse).values({Warehouse.organization_id: theirs}),
        update(Warehouse).ordered_values((Warehouse.organization_id, theirs)),
    ]
    for gift in gifts:
        with pytest.raises(TenancyViolation, match="stays with its organisation"):
            async with neighbours.database.unit_of_work(neighbours.ours) as db:
                await db.execute(gift)
    assert await warehouse_names(neighbours.database, neighbours.ours) == ["ours"]


async def test_a_stamp_of_the_neighbours_opens_no_bulk_insert(neighbours: Neighbours) -> None:
    stamped = {STAMPED: neighbours.theirs.organization_id}
    with pytest.raises(TenancyViolation, match="bulk insert"):
        async with neighbours.database.unit_of_work(neighbours.ours) as db:
            await db.execute(insert(Warehouse).values(name="x"), execution_options=stamped)


async def test_insert_missing_writes_for_its_session_only(neighbours: Neighbours) -> None:
    row = {"code": "new", "name": "new", "address": "", "created_at": clock.now()}
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        await insert_missing(db, Warehouse, {**row, "organization_id": neighbours.theirs.organization_id})
        await insert_missing(db, Warehouse, row)
    assert await warehouse_names(neighbours.database, neighbours.ours) == ["new", "ours"]
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["theirs"]
    with pytest.raises(TenancyViolation, match="needs the session of an organisation"):
        async with neighbours.database.unit_of_work(SystemScope("test")) as db:
            await insert_missing(db, Warehouse, row)


async def test_a_new_row_is_stamped_with_its_organisation(neighbours: Neighbours) -> None:
    async with neighbours.database.unit_of_work(neighbours.ours) as db:
        made = warehouse("new")
        db.add(made)
        await db.flush()
        assert made.organization_id == neighbours.ours.organization_id


async def write_for_another(db: AsyncSession, at: Neighbours) -> None:
    db.add(warehouse("new", at.theirs.organization_id))


async def give_away(db: AsyncSession, at: Neighbours) -> None:
    (await db.scalars(select(Warehouse))).one().organization_id = at.theirs.organization_id


async def delete_a_strangers_row(db: AsyncSession, at: Neighbours) -> None:
    async with at.database.unit_of_work(at.theirs) as other:
        row = (await other.scalars(select(Warehouse))).one()
        other.expunge(row)
    await db.delete(row)


async def change_a_strangers_row(db: AsyncSession, at: Neighbours) -> None:
    async with at.database.unit_of_work(SystemScope("test")) as other:
        row = (await other.scalars(select(Warehouse).where(Warehouse.id == at.their_warehouse))).one()
        other.expunge(row)
    db.add(row)
    row.name = "changed"


async def found_another_organisation(db: AsyncSession, _at: Neighbours) -> None:
    db.add(Organization(name="Farm", slug="found-from-inside", created_at=clock.now()))


@pytest.mark.parametrize(
    "write",
    [
        write_for_another,
        give_away,
        delete_a_strangers_row,
        change_a_strangers_row,
        found_another_organisation,
    ],
)
async def test_a_row_of_another_organisation_is_refused_at_the_flush(
    shared_postgres_url: str, write: Callable[[AsyncSession, Neighbours], Awaitable[None]]
) -> None:
    """On PostgreSQL, where two units of work may be open at once; the hook is the same on SQLite."""
    database = Database(shared_postgres_url)
    at = await neighbours_in(database)

    async def unit() -> None:
        async with database.unit_of_work(at.ours) as db:
            await write(db, at)
            await db.flush()

    with pytest.raises(TenancyViolation, match=r"another organisation|system session"):
        await unit()
    assert await warehouse_names(database, at.ours) == ["ours"]
    assert await warehouse_names(database, at.theirs) == ["theirs"]
    await database.close()


async def test_a_system_session_names_the_organisation_it_writes_for(neighbours: Neighbours) -> None:
    async def add(organization_id: uuid.UUID | None) -> None:
        async with neighbours.database.unit_of_work(SystemScope("test")) as db:
            db.add(warehouse("new", organization_id))

    with pytest.raises(TenancyViolation, match="must name its own"):
        await add(None)
    await add(neighbours.theirs.organization_id)
    assert await warehouse_names(neighbours.database, neighbours.theirs) == ["new", "theirs"]


@pytest.mark.parametrize("info", [{}, {"scope": None}, {"scope": "ours"}, {"scope": uuid.uuid4()}])
async def test_a_session_of_nobody_refuses_everything(shared_database: Database, info: dict[str, Any]) -> None:
    sessions = async_sessionmaker(shared_database.engine, class_=AsyncSession, sync_session_class=ScopedSession)
    async with sessions(info=info) as db:
        with pytest.raises(TenancyViolation, match="without an organisation refuses every statement"):
            await db.execute(select(Location.id))
        with pytest.raises(TenancyViolation, match="without an organisation refuses every statement"):
            await db.connection()
    async with sessions(info=info) as db:
        db.add(warehouse("new", uuid.uuid4()))
        with pytest.raises(TenancyViolation, match="without an organisation refuses every statement"):
            await db.flush()
