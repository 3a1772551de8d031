"""Alembic's environment: our tables, over the URL that `coldfleet cloud migrate` gives, on either database."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.sql.schema import SchemaItem

from cloud_api.all_models import metadata
from cloud_api.kernel import columns


def include_object(item: SchemaItem, *_: object) -> bool:
    """Views are written by hand."""
    return not item.info.get("is_view", False)


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Our own column types, by the name under which migrations import them."""
    if kind == "type" and type(item).__module__ == columns.__name__:
        return f"columns.{type(item).__name__}()"
    return False


def run(connection: Connection) -> None:
    """Bring the database behind `connection` up to date."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        include_object=include_object,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    """Open the database that Alembic was told of."""
    engine = create_async_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
