"""What an organisation had before the catalogue grew is numbered and found afterwards, and no name stands twice."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import command
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.columns import UtcDateTime
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import SYSTEM_SETTING, SystemScope
from cloud_api.migrations.migrate import configuration
from tests.cloud_api.test_migrations import owner_url

__all__ = ["owner_url"]


def inside(url: str, do: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    """What `do` answers, in a transaction that looks past the wall."""

    async def connect() -> Any:
        engine = create_async_engine(url, poolclass=pool.NullPool)
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text(f"SELECT set_config('{SYSTEM_SETTING}', 'test', true)"))
            answer = await do(connection)
        await engine.dispose()
        return answer

    return asyncio.run(connect())


async def found(url: str) -> uuid.UUID:
    """An organisation."""
    database = Database(url)
    async with database.unit_of_work(SystemScope("test")) as db:
        organization = Organization(name="Orchard", slug="orchard", created_at=clock.now())
        db.add(organization)
        await db.flush()
        organization_id = organization.id
    await database.close()
    return organization_id


def table(name: str, *columns: str) -> sa.TableClause:
    kinds: dict[str, sa.types.TypeEngine[Any]] = {"created_at": UtcDateTime(), "archived_at": UtcDateTime()}
    keys = ("id", "organization_id", "parent_id", "product_id")
    return sa.table(name, *(sa.column(one, sa.Uuid() if one in keys else kinds.get(one)) for one in columns))


def test_what_was_there_before_is_numbered_and_found(owner_url: str) -> None:
    organization_id = asyncio.run(found(owner_url))
    command.downgrade(configuration(owner_url), "0025")
    categories = table(
        "product_categories",
        *("id", "organization_id", "name", "slug", "description", "parent_id", "sort_order", "archived_at"),
    )
    products = table(
        "products",
        *("id", "organization_id", "sku", "name", "unit", "unit_weight_g", "perishable", "created_at"),
    )
    began = clock.now()
    skus = ["4006381333931", "CHARD", "4006381333932"]

    async def fill(connection: AsyncConnection) -> None:
        for slug, archived_at in (("leafy", None), ("leaves", None), ("gone", began)):
            row = {"id": uuid.uuid4(), "organization_id": organization_id, "name": "Leafy", "slug": slug}
            rest = {"description": "", "parent_id": None, "sort_order": 0, "archived_at": archived_at}
            await connection.execute(categories.insert().values(**row, **rest))
        for number, sku in enumerate(skus):
            row = {"id": uuid.uuid4(), "organization_id": organization_id, "sku": sku, "name": sku}
            rest = {"unit": "kg", "unit_weight_g": 1000, "perishable": True}
            made = began + timedelta(seconds=number)
            await connection.execute(products.insert().values(**row, **rest, created_at=made))

    async def read(connection: AsyncConnection) -> dict[str, list[tuple[Any, ...]]]:
        asked = {
            "names": "SELECT slug, name FROM product_categories ORDER BY slug",
            "numbers": "SELECT sku, product_code, status, version FROM products ORDER BY product_code",
            "codes": "SELECT code, kind FROM product_codes ORDER BY code",
            "counted": "SELECT prefix, last FROM number_sequences",
        }
        return {name: [tuple(row) for row in await connection.execute(sa.text(sql))] for name, sql in asked.items()}

    inside(owner_url, fill)
    command.upgrade(configuration(owner_url), "0026")
    told = inside(owner_url, read)
    prefix = f"PRD-{began:%Y}"
    assert told["names"] == [("gone", "Leafy"), ("leafy", "Leafy"), ("leaves", "Leafy (leaves)")]
    assert told["numbers"] == [(sku, f"{prefix}-{number:05d}", "active", 1) for number, sku in enumerate(skus, start=1)]
    # the first is a GTIN, the last has a wrong check digit and is nothing but a number
    assert told["codes"] == [("04006381333931", "sku"), ("4006381333932", "sku"), ("CHARD", "sku")]
    assert told["counted"] == [(prefix, 3)]
    command.downgrade(configuration(owner_url), "0025")
    command.upgrade(configuration(owner_url), "head")
