"""Five routes for a Register: facts without rules beyond validation.

A register has no state machine, no side effects and no hooks. The day one needs a rule, delete its `register_routes`
call and write the routes and the service by hand.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import AlreadyExists, NotFound
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.tenancy import OrganizationOwned
from cloud_api.kernel.unit_of_work import Db
from cloud_api.kernel.versions import Versioned


class Archivable(OrganizationOwned):
    """A row of a register: archived, never deleted, because others point at it."""

    archived_at: Mapped[datetime | None] = mapped_column(default=None)


@dataclass(frozen=True, kw_only=True)
class Register:
    """What the five routes need to know."""

    #: singular, as it stands in operation ids and errors
    name: str
    plural: str
    model: type[Archivable]
    create: type[BaseModel]
    #: every field optional: what is not sent stays; a `versions.Edit` where the model counts its changes
    update: type[BaseModel]
    read: type[BaseModel]
    read_permission: str
    write_permission: str


async def flush_unique(db: AsyncSession, message: str, *, field: str) -> None:
    """Flush, and say in words when a unique key is taken or a key points at nothing.

    Raises:
        AlreadyExists: when the database refuses the row.
    """
    try:
        await db.flush()
    except IntegrityError as error:
        raise AlreadyExists(message, field=field) from error


def register_routes(router: APIRouter, register: Register, *, unique_field: str) -> None:
    """Add list, create, read, update and archive of `register` to `router`."""
    model, name = register.model, register.name
    taken = f"another {name} has this {unique_field}, or a field names something that is not there"

    async def load(db: Db, id: uuid.UUID) -> Archivable:
        row = (await db.scalars(select(model).where(model.id == id, model.archived_at.is_(None)))).one_or_none()
        if row is None:
            raise NotFound(f"no {name} with id {id}")
        return row

    Loaded = Annotated[Archivable, Depends(load, scope="function")]  # noqa: N806 - a type

    async def list_rows(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Archivable]:
        """Newest first, without those that were archived."""
        return await page(db, select(model).where(model.archived_at.is_(None)), model.id, query)

    async def create(db: Db, body: Any) -> Archivable:
        """Another one."""
        row = model(**body.model_dump())
        db.add(row)
        await flush_unique(db, taken, field=unique_field)
        return row

    async def get(row: Loaded) -> Archivable:
        """One, unless it was archived."""
        return row

    async def update(db: Db, row: Loaded, body: Any) -> Archivable:
        """Change what is sent; the rest stays."""
        if isinstance(row, Versioned):
            await versions.count(db, row, seen=getattr(body, "version", None), what=f"this {name}")
        for field, value in body.model_dump(exclude_unset=True).items():
            setattr(row, field, value)
        await flush_unique(db, taken, field=unique_field)
        return row

    async def archive(row: Loaded) -> None:
        """Show it no more; what names it still does."""
        row.archived_at = clock.now()

    create.__annotations__["body"] = register.create
    update.__annotations__["body"] = register.update
    reading: dict[str, Any] = {"dependencies": [require(register.read_permission)]}
    writing: dict[str, Any] = {"dependencies": [require(register.write_permission)]}
    add, read = router.add_api_route, register.read
    rows: Any = list[read]  # type: ignore[valid-type]
    add("", list_rows, methods=["GET"], name=f"list_{register.plural}", response_model=rows, **reading)
    add("", create, methods=["POST"], name=f"create_{name}", response_model=read, status_code=201, **writing)
    add("/{id}", get, methods=["GET"], name=f"get_{name}", response_model=read, **reading)
    add("/{id}", update, methods=["PUT"], name=f"update_{name}", response_model=read, **writing)
    add("/{id}", archive, methods=["DELETE"], name=f"archive_{name}", status_code=204, **writing)
