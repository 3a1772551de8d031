"""Human numbers of documents, `MOV-2026-00042`: counted per organisation, prefix and year."""

from sqlalchemy import UniqueConstraint, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from cloud_api.kernel import clock
from cloud_api.kernel.db import Base, insert_missing
from cloud_api.kernel.tenancy import OrganizationOwned


class NumberSequence(OrganizationOwned, Base):
    """How far one prefix has been counted."""

    __tablename__ = "number_sequences"
    __audited__ = False
    __table_args__ = (UniqueConstraint("organization_id", "prefix"),)

    prefix: Mapped[str]
    last: Mapped[int] = mapped_column(default=0)


async def next_number(db: AsyncSession, prefix: str) -> str:
    """The next number of `prefix` in this year.

    The counter's row stays locked until the unit of work ends: numbers have no holes but those of failed work that
    came last.
    """
    dated = f"{prefix}-{clock.now():%Y}"
    await insert_missing(db, NumberSequence, {"prefix": dated, "last": 0})
    last = await db.scalar(
        update(NumberSequence)
        .where(NumberSequence.prefix == dated)
        .values(last=NumberSequence.last + 1)
        .returning(NumberSequence.last)
        .execution_options(synchronize_session=False)
    )
    return f"{dated}-{last:05d}"
