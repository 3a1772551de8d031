"""What came, went and spoiled, day by day, at what each lot cost: set-based, over the movements of the days alone.

What nobody gave a cost counts as nothing. The stock of a day before is what lies there now, less what was moved since.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import BigInteger, ColumnElement, and_, case, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cloud_api.analytics.operations.asked import Asked
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.logistics.deliveries.models import Delivery
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.models import Location

#: thousandths, as they are stored
_THOUSANDTHS = type_coerce(StockMovement.quantity, BigInteger)
_COST = func.coalesce(Lot.unit_cost, 0)
#: what a van's door takes leaves the warehouse of its order
_LEAVES = func.coalesce(Location.warehouse_id, CustomerOrder.warehouse_id)


@dataclass
class Flow:
    """Thousandths, and ten-millionths of the currency."""

    quantity: int = 0
    cost: int = 0

    def add(self, quantity: int, cost: int) -> None:
        """Count it in."""
        self.quantity += int(quantity)
        self.cost += int(cost)


@dataclass
class Course:
    """The stock at the end of each day, and what left in it."""

    closings: Mapping[date, Flow]
    received: Mapping[date, Flow]
    sold: Mapping[date, Flow]
    wasted: Mapping[date, Flow]

    @property
    def mean_cost(self) -> int:
        """What the stock cost at the end of a day, in the mean over the days; ten-millionths."""
        return round(sum(flow.cost for flow in self.closings.values()) / max(1, len(self.closings)))


@dataclass
class Wasted:
    """What was booked off as waste, by reason and by product."""

    reasons: Mapping[str, Flow]
    products: Mapping[uuid.UUID, Flow]
    #: of it without a known cost; thousandths
    unpriced: int = 0
    total: Flow = field(default_factory=Flow)


async def course(db: AsyncSession, asked: Asked) -> Course:
    """How the stock went over the days."""
    moved = await _moved(db, asked)
    added = defaultdict[date, Flow](Flow)
    for (day, _), flow in moved.items():
        added[min(day, asked.last + timedelta(days=1))].add(flow.quantity, flow.cost)
    standing, closings = await _here_now(db, asked), dict[date, Flow]()
    for day in reversed(asked.days):
        since = added[day + timedelta(days=1)]
        standing = Flow(standing.quantity - since.quantity, standing.cost - since.cost)
        closings[day] = standing
    sold = await sold_by_day(db, asked) if _asks_where(asked) else _of_kind(asked, moved, "outbound", -1)
    return Course(
        {day: closings[day] for day in asked.days},
        _of_kind(asked, moved, "inbound", 1),
        {day: sold.get(day, Flow()) for day in asked.days},
        _of_kind(asked, moved, "waste", -1),
    )


async def sold_by_day(db: AsyncSession, asked: Asked) -> Mapping[date, Flow]:
    """What left for customers, at cost; of the warehouse that its order left, when it went by van."""
    leaves = _LEAVES if _asks_where(asked) else Location.warehouse_id
    its = (
        select(
            asked.day_of(db, StockMovement.effective_at, leaves).label("day"),
            (-_THOUSANDTHS).label("quantity"),
            (-_THOUSANDTHS * _COST).label("cost"),
        )
        .join(Lot, Lot.id == StockMovement.lot_id)
        .join(Location, Location.id == StockMovement.location_id)
        .where(
            StockMovement.movement_type == "outbound",
            asked.happened(StockMovement.effective_at, leaves),
            asked.here(leaves),
        )
    )
    if _asks_where(asked):
        its = its.outerjoin(
            Delivery, and_(Location.warehouse_id.is_(None), Delivery.number == StockMovement.reference)
        ).outerjoin(CustomerOrder, CustomerOrder.id == Delivery.order_id)
    each = its.subquery()
    rows = await db.execute(select(each.c.day, func.sum(each.c.quantity), func.sum(each.c.cost)).group_by(each.c.day))
    return {day: Flow(int(quantity), int(cost)) for day, quantity, cost in rows.tuples()}


async def sold_cost(db: AsyncSession, asked: Asked) -> int:
    """What all of it cost; ten-millionths."""
    return sum(flow.cost for flow in (await sold_by_day(db, asked)).values())


async def wasted(db: AsyncSession, asked: Asked) -> Wasted:
    """What was booked off as waste. What undoes such an entry counts against the reason of the entry."""
    undone = aliased(StockMovement)
    words = func.coalesce(undone.reference, StockMovement.reference)
    day = asked.day_of(db, func.coalesce(undone.effective_at, StockMovement.effective_at), Location.warehouse_id)
    reason: ColumnElement[str] = case(
        (and_(Lot.expires_on.is_not(None), Lot.expires_on < day), "expired"),
        (words.startswith("return:"), "returned"),
        (words.startswith("transfer:"), "lost_on_the_way"),
        else_="written_off",
    )
    each = (
        select(
            reason.label("reason"),
            StockMovement.product_id.label("product_id"),
            (-_THOUSANDTHS).label("quantity"),
            (-_THOUSANDTHS * _COST).label("cost"),
            case((Lot.unit_cost.is_not(None), 0), else_=-_THOUSANDTHS).label("unpriced"),
        )
        .join(Lot, Lot.id == StockMovement.lot_id)
        .join(Location, Location.id == StockMovement.location_id)
        .outerjoin(undone, undone.id == StockMovement.reverses_id)
        .where(
            StockMovement.movement_type == "waste",
            asked.happened(StockMovement.effective_at, Location.warehouse_id),
            asked.here(Location.warehouse_id),
        )
        .subquery()
    )
    sums = [func.sum(column) for column in (each.c.quantity, each.c.cost, each.c.unpriced)]
    rows = await db.execute(select(each.c.reason, each.c.product_id, *sums).group_by(each.c.reason, each.c.product_id))
    found = Wasted(defaultdict(Flow), defaultdict(Flow))
    for why, product_id, quantity, cost, unpriced in rows.tuples():
        for flow in (found.reasons[why], found.products[product_id], found.total):
            flow.add(quantity, cost)
        found.unpriced += int(unpriced)
    return found


def _asks_where(asked: Asked) -> bool:
    """Whether it matters which warehouse something was sold by."""
    return asked.warehouse_id is not None or asked.seen.warehouse_ids is not None or bool(asked.zones.own)


async def _here_now(db: AsyncSession, asked: Asked) -> Flow:
    quantity = type_coerce(StockLevel.on_hand, BigInteger)
    rows = await db.execute(
        select(func.sum(quantity), func.sum(quantity * _COST))
        .join(Lot, Lot.id == StockLevel.lot_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.on_hand > 0, asked.here(Location.warehouse_id))
    )
    [(lying, cost)] = rows.tuples().all()
    return Flow(int(lying or 0), int(cost or 0))


async def _moved(db: AsyncSession, asked: Asked) -> Mapping[tuple[date, str], Flow]:
    """(day, kind) -> what was added to the places, from the first day until now; at the cost of its lot."""
    each = (
        select(
            asked.day_of(db, StockMovement.effective_at, Location.warehouse_id).label("day"),
            StockMovement.movement_type.label("kind"),
            _THOUSANDTHS.label("quantity"),
            (_THOUSANDTHS * _COST).label("cost"),
        )
        .join(Lot, Lot.id == StockMovement.lot_id)
        .join(Location, Location.id == StockMovement.location_id)
        .where(
            asked.happened(StockMovement.effective_at, Location.warehouse_id, until_now=True),
            asked.here(Location.warehouse_id),
        )
        .subquery()
    )
    sums = [func.sum(each.c.quantity), func.sum(each.c.cost)]
    rows = await db.execute(select(each.c.day, each.c.kind, *sums).group_by(each.c.day, each.c.kind))
    return {(day, kind): Flow(int(quantity), int(cost)) for day, kind, quantity, cost in rows.tuples()}


def _of_kind(asked: Asked, moved: Mapping[tuple[date, str], Flow], kind: str, sign: int) -> Mapping[date, Flow]:
    found = {day: moved.get((day, kind), Flow()) for day in asked.days}
    return {day: Flow(sign * flow.quantity, sign * flow.cost) for day, flow in found.items()}
