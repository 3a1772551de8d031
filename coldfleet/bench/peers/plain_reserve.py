"""Promising stock as most would write it: SQLAlchemy, SELECT ... FOR UPDATE. A peer of `coldfleet bench stock`.

It knows no organisation, no lot, no expiry and no hold: a row a product says how much there is and how much of it is
promised. On SQLite, which has no row locks, whoever writes is alone (`BEGIN IMMEDIATE`).
"""

import uuid
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, event, select
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry


class Base(DeclarativeBase):
    """Declarative base."""


class PlainLevel(Base):
    """How much of a product there is, in thousandths."""

    __tablename__ = "plain_levels"

    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)


class PlainReservation(Base):
    """What somebody was promised, in thousandths."""

    __tablename__ = "plain_reservations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_levels.product_id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(index=True)


class PlainStock:
    """The service."""

    def __init__(self, url: str, *, connections: int) -> None:
        self.engine = _sqlite(url) if url.startswith("sqlite") else create_async_engine(url, pool_size=connections)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def stock_up(self, product_ids: list[uuid.UUID], *, each: int) -> None:
        """Make the tables, and a row a product with so many units."""
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with self._sessions() as session, session.begin():
            session.add_all(PlainLevel(product_id=id, on_hand=each * 1000, reserved=0) for id in product_ids)

    async def reserve(self, product_id: uuid.UUID, quantity: Decimal, source: str) -> bool:
        """Promise it, or not: whether it did."""
        wanted = int(quantity * 1000)
        async with self._sessions() as session, session.begin():
            its = select(PlainLevel).where(PlainLevel.product_id == product_id).with_for_update()
            level = (await session.scalars(its)).one()
            if level.on_hand - level.reserved < wanted:
                return False
            level.reserved += wanted
            session.add(PlainReservation(product_id=product_id, quantity=wanted, source=source))
        return True

    async def promised(self) -> dict[uuid.UUID, tuple[int, int, int]]:
        """Of each product: (on hand, reserved, the sum of what was promised), in thousandths."""
        async with self._sessions() as session:
            levels = (await session.scalars(select(PlainLevel))).all()
            sums = dict.fromkeys((level.product_id for level in levels), 0)
            for made in await session.scalars(select(PlainReservation)):
                sums[made.product_id] += made.quantity
        return {row.product_id: (row.on_hand, row.reserved, sums[row.product_id]) for row in levels}

    async def close(self) -> None:
        """Let every connection go."""
        await self.engine.dispose()


def _sqlite(url: str) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": 60}, pool_size=1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
