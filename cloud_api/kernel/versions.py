"""Two people change one thing: who says which version they have seen is told when another was quicker."""

import uuid
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, attributes, mapped_column

from cloud_api.kernel.errors import StaleVersion
from cloud_api.kernel.http import RequestModel

_MOST = 2**31 - 1


class Versioned:
    """Mixin of rows that people edit: they count their changes."""

    if TYPE_CHECKING:
        id: Mapped[uuid.UUID]

    #: counts its changes
    version: Mapped[int] = mapped_column(default=1, info={"audited": False})


class Edit(RequestModel):
    """A change of what somebody has read before. The version is no column to be set: it is in no `model_dump`."""

    #: as it was read: refused when somebody else has changed it since; not sent: whatever it is now
    version: Annotated[int | None, Field(ge=1, le=_MOST, exclude=True)] = None


async def count(db: AsyncSession, row: Versioned, *, seen: int | None, what: str) -> None:
    """Count one change more of `row`; until the unit of work ends nobody else changes it.

    Args:
        seen: the version that the change was made of; None: whatever it is now.
        what: as people call it, for the complaint.

    Raises:
        StaleVersion: when it is another version now.
    """
    model = type(row)
    counted = update(model).where(model.id == row.id).values(version=model.version + 1).returning(model.version)
    if seen is not None:
        counted = counted.where(model.version == seen)
    version = await db.scalar(counted.execution_options(synchronize_session=False))
    if version is None:
        current = await db.scalar(select(model.version).where(model.id == row.id))
        raise StaleVersion(what, seen=seen or 0, current=current or 0)
    attributes.set_committed_value(row, "version", version)
