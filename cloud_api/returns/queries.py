"""Reusable reads of returns: which, of what, and what of an order line has come back."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders, allocations
from cloud_api.returns.models import CustomerReturn, ReturnedGoods, ReturnLine, ReturnPicture
from cloud_api.returns.states import ReturnStatus

_ZERO = Decimal(0)
#: what was asked for counts; afterwards what came
_ON_THE_WAY = (ReturnStatus.REQUESTED, ReturnStatus.APPROVED)


def visible_returns(seen: VisibleOrders) -> ColumnElement[bool]:
    """Whether a return is of an order that somebody may see."""
    return CustomerReturn.order_id.in_(select(CustomerOrder.id).where(seen.orders()))


def from_warehouse(warehouse_id: uuid.UUID) -> ColumnElement[bool]:
    """Whether a return is of an order that was sent from there."""
    return CustomerReturn.order_id.in_(select(CustomerOrder.id).where(CustomerOrder.warehouse_id == warehouse_id))


async def lines_of(db: AsyncSession, return_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[ReturnLine]]:
    """The lines of returns, in key order."""
    found = defaultdict[uuid.UUID, list[ReturnLine]](list)
    its = select(ReturnLine).where(ReturnLine.return_id.in_(return_ids)).order_by(ReturnLine.id)
    for line in await db.scalars(its):
        found[line.return_id].append(line)
    return found


async def goods_of(db: AsyncSession, return_id: uuid.UUID) -> Sequence[ReturnedGoods]:
    """What came back by a return, in key order."""
    its = select(ReturnedGoods).where(ReturnedGoods.return_id == return_id).order_by(ReturnedGoods.id)
    return (await db.scalars(its)).all()


async def pictures_of(
    db: AsyncSession, return_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER
) -> Sequence[ReturnPicture]:
    """The pictures of a return, in the order in which they were sent; customers see those of their own."""
    its = select(ReturnPicture).where(ReturnPicture.return_id == return_id)
    if seen.buyer_id is not None:
        its = its.where(ReturnPicture.sent_by == seen.buyer_id)
    return (await db.scalars(its.order_by(ReturnPicture.id))).all()


async def delivered(
    db: AsyncSession, lines: Collection[OrderLine]
) -> Mapping[uuid.UUID, Mapping[uuid.UUID, tuple[Decimal, Sequence[StockLevel]]]]:
    """Of each order line: of each lot how much was handed over, and from which levels."""
    by_source = {orders.source_of(line): line.id for line in lines}
    found: dict[uuid.UUID, dict[uuid.UUID, tuple[Decimal, list[StockLevel]]]] = {line.id: {} for line in lines}
    for reservation, level, lot in await db.execute(allocations([*by_source])):
        if reservation.status == "consumed":
            quantity, levels = found[by_source[reservation.source]].get(lot.id, (_ZERO, []))
            found[by_source[reservation.source]][lot.id] = (quantity + reservation.quantity, [*levels, level])
    return found


async def came_back(db: AsyncSession, order_line_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Decimal]:
    """How much of order lines has come back, or is to."""
    of_lines = ReturnLine.order_line_id.in_(order_line_ids)
    asked = (
        select(ReturnLine.order_line_id, func.sum(ReturnLine.quantity))
        .join(CustomerReturn, CustomerReturn.id == ReturnLine.return_id)
        .where(of_lines, CustomerReturn.status.in_(_ON_THE_WAY))
        .group_by(ReturnLine.order_line_id)
    )
    came = (
        select(ReturnLine.order_line_id, func.sum(ReturnedGoods.quantity))
        .join(ReturnedGoods, ReturnedGoods.return_line_id == ReturnLine.id)
        .where(of_lines)
        .group_by(ReturnLine.order_line_id)
    )
    total = defaultdict[uuid.UUID, Decimal](lambda: _ZERO)
    for statement in (asked, came):
        for line_id, quantity in (await db.execute(statement)).tuples():
            total[line_id] += quantity or _ZERO
    return total


async def lots_back(db: AsyncSession, order_line_id: uuid.UUID) -> Mapping[uuid.UUID, Decimal]:
    """How much of each lot of an order line is back."""
    its = (
        select(ReturnedGoods.lot_id, func.sum(ReturnedGoods.quantity))
        .join(ReturnLine, ReturnLine.id == ReturnedGoods.return_line_id)
        .where(ReturnLine.order_line_id == order_line_id)
        .group_by(ReturnedGoods.lot_id)
    )
    return dict((await db.execute(its)).tuples().all())


async def back_before(db: AsyncSession, one: CustomerReturn, order_line_id: uuid.UUID) -> Decimal:
    """How much of an order line came back by returns before this one."""
    its = (
        select(func.sum(ReturnedGoods.quantity))
        .join(ReturnLine, ReturnLine.id == ReturnedGoods.return_line_id)
        .where(ReturnLine.order_line_id == order_line_id, ReturnedGoods.return_id < one.id)
    )
    return (await db.scalar(its)) or _ZERO


async def in_quarantine(db: AsyncSession, *, lot_id: uuid.UUID, location_id: uuid.UUID) -> Decimal:
    """How much of a lot lies in a place because it was given back."""
    its = select(func.sum(ReturnedGoods.quantity)).where(
        ReturnedGoods.lot_id == lot_id,
        ReturnedGoods.location_id == location_id,
        ReturnedGoods.disposition.is_(None),
    )
    return (await db.scalar(its)) or _ZERO


async def delivered_line(
    db: AsyncSession, order_line_id: uuid.UUID
) -> Mapping[uuid.UUID, tuple[Decimal, Sequence[StockLevel]]]:
    """The same as `delivered`, of one line."""
    line = await db.get_one(OrderLine, order_line_id)
    return (await delivered(db, [line]))[line.id]
