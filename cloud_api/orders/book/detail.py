"""An order with its lines and what is promised to them, as it travels over HTTP."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.money import unit_price_from_integer
from cloud_api.orders.book import feedback, queries, service, stock_check
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.schemas import AllocationRead, FeedbackRead, OrderDetailRead, OrderLineRead, OrderRead
from cloud_api.orders.book.states import OrderStatus


async def detail(db: AsyncSession, order: CustomerOrder, seen: VisibleOrders) -> OrderDetailRead:
    """All that whoever sees it may know of an order."""
    lines = await service.lines_of(db, order.id)
    promised: dict[str, list[AllocationRead]] = {service.source_of(line): [] for line in lines}
    # which lots lie where is the store's own business, not its customers'
    shown = [] if seen.buyer_id is not None else list(promised)
    for reservation, level, lot in await db.execute(queries.allocations(shown)):
        promised[reservation.source].append(
            AllocationRead(
                lot_id=lot.id,
                lot_number=lot.lot_number,
                expires_on=lot.expires_on,
                location_id=level.location_id,
                quantity=reservation.quantity,
                status=reservation.status,
            )
        )
    pending = order.status == OrderStatus.PENDING
    available = await stock_check.promisable(db, order, lines) if pending else {}
    said = await feedback.of_order(db, order.id) if order.status == OrderStatus.DELIVERED else None
    return OrderDetailRead(
        **OrderRead.model_validate(order).model_dump(),
        customer_phone=order.customer_phone,
        customer_email=order.customer_email,
        locale=order.locale,
        feedback=None if said is None else FeedbackRead.model_validate(said),
        lines=[
            OrderLineRead(
                id=line.id,
                product_id=line.product_id,
                quantity=line.quantity,
                packed_quantity=line.packed_quantity,
                fulfillment_status=line.fulfillment_status,
                available=available.get(line.id),
                unit_price=unit_price_from_integer(line.unit_price),
                allocations=promised[service.source_of(line)],
            )
            for line in lines
        ],
    )
