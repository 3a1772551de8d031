"""The third wall: a row cannot point into another organisation, because its key carries the organisation with it."""

import uuid

import pytest
from sqlalchemy import ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from cloud_api.all_models import metadata
from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products.models import Product
from cloud_api.kernel import clock
from cloud_api.kernel.db import Base, Database
from cloud_api.kernel.tenancy import Scoped, SystemScope
from cloud_api.places.models import Location
from tests.cloud_api.kernel.rows import add_organization, add_warehouse

#: tables of no organisation, and why; a table that is neither here nor owned fails the test
OF_NOBODY = {
    "config_keys": "the platform's key that signs what gateways are told to do, its private half sealed",
    "failed_sign_ins": "counts refusals of names before anybody is known; only work across organisations sees it",
    "feature_flags": "the platform's: all read it, only work across organisations writes it",
    "maintenance": "the platform's, like feature_flags",
    "organizations": "its rows are the organisations",
    "outbox_deliveries": "only the dispatcher reads it, across organisations; the event it belongs to is owned",
    "minutes_up": "the whole platform was up, or it was not",
    "readings": "PostgreSQL refuses COPY under row-level security; nobody reads it but through `sensor_readings`",
    "request_error_hours": "counts answers of the whole platform, of whoever asked; only its operators see it",
    "request_hours": "the same, by how long they took",
    "signing_keys": "sign everybody's tokens; only work across organisations sees them",
    "series_counter": "one row that counts",
}


#: parts of a series, and known by its number: nothing points at them
OF_A_SERIES = {"reading_hours", "reading_days", "reading_chunks"}
#: parts of the search index: known by the word and the entry, and nothing points at them
OF_THE_INDEX = {"search_words", "search_spellings"}
OWNED = [
    table for table in metadata.sorted_tables if "organization_id" in table.columns and not table.info.get("is_view")
]


def keys_of(table: Table) -> set[tuple[str, ...]]:
    return {
        tuple(column.name for column in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    }


def test_every_table_belongs_to_an_organisation_or_says_why_not() -> None:
    tables = {table.name for table in metadata.tables.values() if not table.info.get("is_view")}
    assert tables - {table.name for table in OWNED} == set(OF_NOBODY)


def test_every_model_with_an_organisation_is_one_the_walls_look_for() -> None:
    mapped = {mapper.class_ for mapper in Base.registry.mappers if "organization_id" in mapper.columns}
    assert {model for model in mapped if not issubclass(model, Scoped)} == set()


@pytest.mark.parametrize("table", [table for table in OWNED if table.name not in OF_A_SERIES | OF_THE_INDEX], ids=str)
def test_a_row_can_be_pointed_at_together_with_its_organisation(table: Table) -> None:
    assert ("organization_id", "id") in keys_of(table)
    assert not table.columns["organization_id"].nullable
    to_its_organisation = [
        key.target_fullname for key in table.columns["organization_id"].foreign_keys if key.column.name == "id"
    ]
    assert to_its_organisation == ["organizations.id"]


@pytest.mark.parametrize("table", OWNED, ids=str)
def test_every_key_to_an_owned_table_carries_the_organisation(table: Table) -> None:
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table in OWNED:
            pairs = {(element.parent.name, element.column.name) for element in constraint.elements}
            assert ("organization_id", "organization_id") in pairs, f"{table.name}: {constraint.column_keys}"


async def test_the_database_refuses_a_row_that_points_into_another_organisation(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    their_warehouse = await add_warehouse(shared_database, theirs, "theirs")

    async def add_location(organization_id: uuid.UUID, code: str) -> None:
        async with shared_database.unit_of_work(SystemScope("a mistake")) as db:
            db.add(
                Location(
                    organization_id=organization_id,
                    warehouse_id=their_warehouse,
                    code=code,
                    name="Room",
                    location_type="room",
                    storage_type="cold_storage",
                    created_at=clock.now(),
                )
            )

    await add_location(theirs.organization_id, "R-1")
    with pytest.raises(IntegrityError):
        await add_location(ours.organization_id, "R-2")
    with pytest.raises(IntegrityError):
        await add_location(uuid.uuid4(), "R-3")


async def test_not_even_core_moves_a_row_away_from_what_points_at_it(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    async with shared_database.unit_of_work(ours) as db:
        category = Category(name="Leafy greens", slug="leafy-greens")
        db.add(category)
        await db.flush()
        product = Product(sku="S-1", name="Spinach", unit="kg", category_id=category.id, created_at=clock.now())
        db.add(product)

    async def give_away(row: Category | Product) -> None:
        async with shared_database.unit_of_work(SystemScope("a mistake")) as db:
            table = metadata.tables[row.__tablename__]
            changed = table.update().where(table.c.id == row.id).values(organization_id=theirs.organization_id)
            await db.execute(changed)

    for row in (category, product):
        with pytest.raises(IntegrityError):
            await give_away(row)


async def test_codes_are_taken_within_an_organisation_only(shared_database: Database) -> None:
    ours, theirs = await add_organization(shared_database), await add_organization(shared_database)
    await add_warehouse(shared_database, ours, "WH-1")
    await add_warehouse(shared_database, theirs, "WH-1")
    with pytest.raises(IntegrityError):
        await add_warehouse(shared_database, ours, "WH-1")


async def test_an_organisation_with_rows_cannot_be_deleted(shared_database: Database) -> None:
    ours = await add_organization(shared_database)
    await add_warehouse(shared_database, ours, "WH-1")
    organizations = metadata.tables["organizations"]

    async def delete() -> None:
        async with shared_database.unit_of_work(SystemScope("a mistake")) as db:
            await db.execute(organizations.delete().where(organizations.c.id == ours.organization_id))

    with pytest.raises(IntegrityError):
        await delete()
