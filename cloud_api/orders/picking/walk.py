"""What every step between shelf and box needs: an order, its lines and products, and all stock it may get, locked."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import ORDER_PACK_TOLERANCE_PERCENT, ORDER_SHORT_PICK
from cloud_api.customers import service as customers
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.reservations.exact import Promise
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.payments import service as payments
from cloud_api.orders.picking.amounts import Bounds, bounds, is_counted
from cloud_api.orders.picking.models import PickStep
from cloud_api.places import service as places

#: a line in one of these is not touched any more
CLOSED = ("cancelled", "packed", "shipped")


@dataclass(frozen=True, slots=True)
class Picker:
    """Who picks, and which orders they may see."""

    user_id: uuid.UUID
    seen: VisibleOrders


@dataclass(frozen=True, slots=True)
class Walk:
    """One order, locked with all stock from which it may be served."""

    order: CustomerOrder
    lines: dict[uuid.UUID, OrderLine]
    products: dict[uuid.UUID, Product]
    #: every place of its warehouse
    location_ids: Sequence[uuid.UUID]
    today: date
    #: the day through which all of it must keep
    through: date
    tolerance_percent: int
    #: what is not there is given up; otherwise the order waits for it
    delivers_short: bool
    picker: Picker

    def product_of(self, line: OrderLine) -> Product:
        """What a line is of."""
        return self.products[line.product_id]

    def bounds_of(self, line: OrderLine, due: Decimal) -> Bounds:
        """What of a line may be in the box when so much is due."""
        return bounds(self.product_of(line), due, tolerance_percent=self.tolerance_percent)

    def line(self, line_id: uuid.UUID, *, field: str) -> OrderLine:
        """One of its lines.

        Raises:
            NotFound: when it has none of this id.
        """
        if line_id not in self.lines:
            raise NotFound(f"the order has no line with id {line_id}", field=field)
        return self.lines[line_id]


async def open_walk(
    db: AsyncSession, order: CustomerOrder, picker: Picker, *, product_ids: Collection[uuid.UUID] = ()
) -> Walk:
    """Lock what picking and packing a locked order may touch.

    Args:
        product_ids: what else may be put into it.
    """
    lines = {line.id: line for line in await book.lines_of(db, order.id)}
    location_ids = await places.of_warehouse(db, order.warehouse_id)
    wanted = {line.product_id for line in lines.values()} | set(product_ids)
    sources = [book.source_of(line) for line in lines.values()]
    await reservations.lock_all(db, sources, or_else=location_ids, product_ids=wanted)
    products = await db.scalars(select(Product).where(Product.id.in_(wanted)))
    today = await places.today_in(db, order.warehouse_id)
    keeps_days = (await customers.get_customer(db, order.customer_id)).min_remaining_shelf_life_days
    return Walk(
        order=order,
        lines=lines,
        products={product.id: product for product in products},
        location_ids=location_ids,
        today=today,
        through=max(order.delivery_date, today) + timedelta(days=keeps_days),
        tolerance_percent=await configuration.value(db, ORDER_PACK_TOLERANCE_PERCENT),
        delivers_short=await configuration.value(db, ORDER_SHORT_PICK) == "deliver_short",
        picker=picker,
    )


async def promises_of(db: AsyncSession, line: OrderLine) -> Sequence[Promise]:
    """What is promised to a line now."""
    return await reservations.promises_to(db, [book.source_of(line)])


def total(rows: Sequence[Promise]) -> Decimal:
    """How much promises are together."""
    return sum((reservation.quantity for reservation, _, _ in rows), Decimal(0))


def not_picked(rows: Sequence[Promise]) -> list[Promise]:
    """Those that nobody has taken yet."""
    return [row for row in rows if row[0].picked_at is None]


def due(line: OrderLine) -> Decimal:
    """How much of a line there is to be: what was ordered, or what is left of that."""
    return line.quantity if line.packed_quantity is None else min(line.quantity, line.packed_quantity)


async def write_step(
    db: AsyncSession,
    walk: Walk,
    line: OrderLine,
    *,
    kind: str,
    quantity: Decimal,
    reason: str = "",
    substitute_line_id: uuid.UUID | None = None,
) -> None:
    """Write down why there is less of a line, or something else."""
    db.add(
        PickStep(
            line_id=line.id,
            kind=kind,
            quantity=quantity,
            reason=reason,
            substitute_line_id=substitute_line_id,
            done_by=walk.picker.user_id,
            done_at=clock.now(),
        )
    )
    await db.flush()


async def missing_in(db: AsyncSession, line: OrderLine) -> set[uuid.UUID]:
    """The levels where somebody did not find what the books say: nothing more of them is promised to the line."""
    its = (
        select(StockLevel.id)
        .join(
            PickStep,
            (PickStep.lot_id == StockLevel.lot_id) & (PickStep.location_id == StockLevel.location_id),
        )
        .where(PickStep.line_id == line.id, PickStep.kind == "missing")
    )
    return set(await db.scalars(its))


async def miss(db: AsyncSession, walk: Walk, line: OrderLine, missing: Decimal, *, reason: str, give_up: bool) -> None:
    """So much of a line is not there: it is given up, or the order waits for it."""
    kind = "short" if give_up else "backordered"
    await write_step(db, walk, line, kind=kind, quantity=missing, reason=reason)
    if give_up:
        line.packed_quantity = total(await promises_of(db, line))
    line.fulfillment_status = "reserved" if give_up else "backordered"


async def serve_backorder(db: AsyncSession, walk: Walk, line: OrderLine) -> Decimal:
    """Promise to a line that waits what has come in since. Returns what is still missing of it."""
    given_up = select(func.sum(PickStep.quantity)).where(
        PickStep.line_id == line.id, PickStep.kind.in_(("short", "substituted"))
    )
    gone = await db.scalar(given_up) or Decimal(0)
    missing = line.quantity - gone - total(await promises_of(db, line))
    if missing > 0:
        wish = reservations.Wish(line.product_id, missing, book.source_of(line))
        missing -= await reservations.reserve_what_there_is(
            db,
            wish,
            location_ids=walk.location_ids,
            through=walk.through,
            without=await missing_in(db, line),
            whole=is_counted(walk.product_of(line)),
        )
    if missing <= 0:
        line.fulfillment_status = "reserved"
    return missing


async def settle_line(db: AsyncSession, line: OrderLine) -> None:
    """Let a line say how far it is: nothing of it comes, all of it is picked, or some of it is still to be taken."""
    if line.fulfillment_status == "backordered":
        return
    rows = await promises_of(db, line)
    if not rows:
        line.fulfillment_status, line.packed_quantity = "cancelled", Decimal(0)
    elif not_picked(rows):
        line.fulfillment_status = "reserved"
    else:
        line.fulfillment_status, line.packed_quantity = "picked", total(rows)


async def follow_the_money(db: AsyncSession, order: CustomerOrder, *, why: str) -> None:
    """The order costs what is in the box; what was paid beyond that goes back."""
    await db.flush()
    if await book.reprice(db, order):
        await payments.settle(db, order.id, why=why)
