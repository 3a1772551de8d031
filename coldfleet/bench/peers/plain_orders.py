"""Confirming orders as most would write it: SQLAlchemy, SELECT ... FOR UPDATE. A peer of `coldfleet bench delivery`.

It knows no organisation, no lot, no expiry, no hold, no trail and no event: a row a product says how much there is and
how much of it is promised. An order's rows are locked in the order of their keys, as somebody does who has once seen a
deadlock.
"""

import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base."""


class PlainLevel(Base):
    """How much of a product there is, in thousandths."""

    __tablename__ = "plain_order_levels"

    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)


class PlainOrder(Base):
    """An order."""

    __tablename__ = "plain_orders"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    status: Mapped[str] = mapped_column(default="pending")


class PlainLine(Base):
    """One product of an order, in thousandths."""

    __tablename__ = "plain_order_lines"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_orders.id"), index=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_order_levels.product_id"))
    quantity: Mapped[int] = mapped_column(BigInteger)


class PlainReservation(Base):
    """What a line was promised, in thousandths."""

    __tablename__ = "plain_order_reservations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_order_lines.id"), index=True)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_order_levels.product_id"), index=True)
    quantity: Mapped[int] = mapped_column(BigInteger)


class PlainOrders:
    """The service."""

    def __init__(self, url: str, *, connections: int) -> None:
        self.engine = create_async_engine(url, pool_size=connections)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def open(self, product_ids: Sequence[uuid.UUID], *, each: int) -> None:
        """Make the tables anew, and a row a product with so many units."""
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
        async with self._sessions() as session, session.begin():
            session.add_all(PlainLevel(product_id=id, on_hand=each * 1000, reserved=0) for id in product_ids)

    async def take(self, orders: Sequence[Sequence[tuple[uuid.UUID, Decimal]]]) -> list[uuid.UUID]:
        """Take orders of (product, quantity): their ids."""
        async with self._sessions() as session, session.begin():
            rows = [PlainOrder(id=uuid.uuid4()) for _ in orders]
            session.add_all(rows)
            await session.flush()
            session.add_all(
                PlainLine(order_id=row.id, product_id=product_id, quantity=int(quantity * 1000))
                for row, lines in zip(rows, orders, strict=True)
                for product_id, quantity in lines
            )
        return [row.id for row in rows]

    async def confirm(self, order_id: uuid.UUID) -> bool:
        """Promise all of an order, or nothing: whether it did."""
        async with self._sessions() as session, session.begin():
            order = (await session.scalars(select(PlainOrder).where(PlainOrder.id == order_id).with_for_update())).one()
            if order.status != "pending":
                return False
            lines = (await session.scalars(select(PlainLine).where(PlainLine.order_id == order_id))).all()
            its = (
                select(PlainLevel)
                .where(PlainLevel.product_id.in_([line.product_id for line in lines]))
                .order_by(PlainLevel.product_id)
                .with_for_update()
            )
            levels = {level.product_id: level for level in await session.scalars(its)}
            for line in lines:
                level = levels[line.product_id]
                if level.on_hand - level.reserved < line.quantity:
                    await session.rollback()
                    return False
                level.reserved += line.quantity
                session.add(PlainReservation(line_id=line.id, product_id=line.product_id, quantity=line.quantity))
            order.status = "confirmed"
        return True

    async def promised(self) -> list[tuple[int, int, int]]:
        """Of each product: (on hand, reserved, the sum of what was promised), in thousandths."""
        async with self._sessions() as session:
            levels = (await session.scalars(select(PlainLevel))).all()
            sums = dict.fromkeys((level.product_id for level in levels), 0)
            for made in await session.scalars(select(PlainReservation)):
                sums[made.product_id] += made.quantity
        return [(level.on_hand, level.reserved, sums[level.product_id]) for level in levels]

    async def close(self) -> None:
        """Let every connection go."""
        await self.engine.dispose()
