"""Pick lists: which orders are picked on one walk, and where it leads.

What is to be taken is not written onto the list: it is what is promised now. A promise that moves, because a lot went
on hold, moves on the list.
"""

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockReservation
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.orders.book import service as book
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders, allocations
from cloud_api.orders.picking import queries
from cloud_api.orders.picking.errors import NothingToPick, NotPicked, OnAnotherList
from cloud_api.orders.picking.models import PickList, PickListOrder
from cloud_api.orders.picking.schemas import PickLineRead, PickListCreate, PickZoneRead
from cloud_api.orders.picking.states import PICK_LIST, PickListAction, PickListStatus
from cloud_api.places import service as places
from cloud_api.places.models import Location

#: what must not thaw is taken last
_IN_TURN = ("dry_storage", "ambient", "cold_storage", "freezer")
_ZONES = ("zone", "room")


async def create_list(
    db: AsyncSession, *, new: PickListCreate, created_by: uuid.UUID | None, seen: VisibleOrders = EVERY_ORDER
) -> PickList:
    """Put orders on a list: those that are named, or all confirmed ones of a day that stand on no other.

    Raises:
        NotFound: when the warehouse or an order is not there to be seen.
        Invalid: when neither a day nor orders are named, an order is named twice, or is another warehouse's.
        OnAnotherList: when an order stands on a list already, naming both.
        NothingToPick: when there is none, or one is not confirmed.
    """
    await places.get_warehouse(db, new.warehouse_id, seen=seen.places)
    if new.order_ids is None:
        orders = await _of_day(db, new)
    else:
        orders = await _named(db, new, new.order_ids, seen)
    if new.reversed:
        orders = orders[::-1]
    days = {order.delivery_date for order in orders}
    made = PickList(
        number=await next_number(db, "PCK"),
        warehouse_id=new.warehouse_id,
        delivery_date=days.pop() if len(days) == 1 else None,
        status=PICK_LIST.initial,
        loads_last_stop_first=new.reversed,
        note=new.note,
        created_by=created_by,
        created_at=clock.now(),
    )
    db.add(made)
    await db.flush()
    db.add_all(
        PickListOrder(pick_list_id=made.id, order_id=order.id, position=position)
        for position, order in enumerate(orders, start=1)
    )
    await db.flush()
    return made


async def get_list(
    db: AsyncSession, list_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER, locked: bool = False
) -> PickList:
    """One list; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(PickList).where(PickList.id == list_id, queries.visible_lists(seen))
    if locked:
        its = its.with_for_update().execution_options(populate_existing=True)
    found = (await db.scalars(its)).one_or_none()
    if found is None:
        raise NotFound(f"no pick list with id {list_id}")
    return found


async def start_list(
    db: AsyncSession, list_id: uuid.UUID, *, by: uuid.UUID | None, seen: VisibleOrders = EVERY_ORDER
) -> PickList:
    """Somebody goes.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    found = await get_list(db, list_id, seen=seen, locked=True)
    _start(found, by)
    await db.flush()
    return found


async def complete_list(
    db: AsyncSession, list_id: uuid.UUID, *, by: uuid.UUID | None, seen: VisibleOrders = EVERY_ORDER
) -> PickList:
    """Nothing of it is left to be taken; a list comes to that by itself with its last pick.

    Raises:
        NotFound, InvalidTransition: as their names say.
        NotPicked: naming the orders of which something is left.
    """
    found = await get_list(db, list_id, seen=seen, locked=True)
    status = PICK_LIST.apply(PickListStatus(found.status), PickListAction.COMPLETE)
    left = (await db.scalars(queries.still_to_pick(found.id))).all()
    if left:
        raise NotPicked(
            f"of {', '.join(order.number for order in left[:5])} something is left: pick it, or say why it is short",
            field="status",
        )
    _close(found, status, by)
    await db.flush()
    return found


async def cancel_list(
    db: AsyncSession, list_id: uuid.UUID, *, by: uuid.UUID | None, seen: VisibleOrders = EVERY_ORDER
) -> PickList:
    """Give the walk up; what was taken for its orders stays taken, and the orders may stand on another.

    Raises:
        NotFound, InvalidTransition: as their names say.
    """
    found = await get_list(db, list_id, seen=seen, locked=True)
    _close(found, PICK_LIST.apply(PickListStatus(found.status), PickListAction.CANCEL), by)
    await db.flush()
    return found


async def follow(db: AsyncSession, order_id: uuid.UUID, *, by: uuid.UUID | None) -> None:
    """Something was taken for an order: the list it stands on is begun, and done when nothing is left."""
    await db.flush()
    its = queries.active_of([order_id]).with_for_update(of=PickList).execution_options(populate_existing=True)
    for _, found in (await db.execute(its)).tuples().all():
        if found.status == PickListStatus.OPEN:
            _start(found, by)
        if (await db.scalars(queries.still_to_pick(found.id))).first() is None:
            _close(found, PICK_LIST.apply(PickListStatus(found.status), PickListAction.COMPLETE), by)
    await db.flush()


async def zones_of(db: AsyncSession, found: PickList) -> list[PickZoneRead]:
    """What lies ready to be taken, or is taken, in walking order: by zone, in it by place, there by whose box it is."""
    listed = (await db.execute(queries.orders_on(found.id))).tuples().all()
    positions = {order.id: one.position for one, order in listed}
    rows = await db.execute(
        select(OrderLine, Product)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id.in_(positions))
    )
    lines = {book.source_of(line): (line, product) for line, product in rows.tuples()}
    locations = await _places_of(db, found.warehouse_id)
    zones: dict[uuid.UUID, list[tuple[_Stop, PickLineRead]]] = {}
    active = allocations([*lines]).where(StockReservation.status == "active")
    for reservation, level, lot in await db.execute(active):
        if level.location_id not in locations:
            continue  # it has left the warehouse
        line, product = lines[reservation.source]
        stop = _Stop.of(level.location_id, locations)
        read = _read(line, product, (reservation, level, lot), stop, positions[line.order_id])
        zones.setdefault(stop.zone.id, []).append((stop, read))
    in_turn = sorted(zones.values(), key=lambda its: its[0][0].zone_key)
    return [
        PickZoneRead(
            location_id=its[0][0].zone.id,
            code=its[0][0].zone.code,
            name=its[0][0].zone.name,
            storage_type=its[0][0].zone.storage_type,
            lines=[line for _, line in sorted(its, key=_walked)],
        )
        for its in in_turn
    ]


@dataclass(frozen=True)
class _Stop:
    """A place on the walk."""

    zone: Location
    path: tuple[str, ...]

    @staticmethod
    def of(location_id: uuid.UUID, locations: Mapping[uuid.UUID, Location]) -> "_Stop":
        """Where a place is: in the innermost zone or room around it, else in the outermost place."""
        around: list[Location] = []
        at: uuid.UUID | None = location_id
        while at is not None and at in locations:
            around.append(locations[at])
            at = locations[at].parent_id
        inner = [place for kind in _ZONES for place in around if place.location_type == kind]
        return _Stop(inner[0] if inner else around[-1], tuple(place.code for place in reversed(around)))

    @property
    def key(self) -> tuple[tuple[tuple[int, int | str], ...], ...]:
        """Rack 2 comes before rack 10."""
        return tuple(_natural(code) for code in self.path)

    @property
    def zone_key(self) -> tuple[int, tuple[tuple[int, int | str], ...]]:
        """Dry goods first, what is frozen last; of the same kind as they are called."""
        return _IN_TURN.index(self.zone.storage_type), _natural(self.zone.code)


def _walked(one: tuple[_Stop, PickLineRead]) -> tuple[object, ...]:
    """Place by place, in each whose box is filled first."""
    stop, line = one
    return stop.key, line.position, line.sku, line.lot_number, line.line_id


def _natural(code: str) -> tuple[tuple[int, int | str], ...]:
    parts = re.split(r"([0-9]+)", code)
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in parts if part)


def _read(
    line: OrderLine,
    product: Product,
    promise: tuple[StockReservation, StockLevel, Lot],
    stop: _Stop,
    position: int,
) -> PickLineRead:
    reservation, level, lot = promise
    return PickLineRead(
        order_id=line.order_id,
        position=position,
        line_id=line.id,
        product_id=product.id,
        sku=product.sku,
        product_name=product.name,
        unit=product.unit,
        lot_id=lot.id,
        lot_number=lot.lot_number,
        expires_on=lot.expires_on,
        location_id=level.location_id,
        path=[*stop.path],
        quantity=reservation.quantity,
        is_picked=reservation.picked_at is not None,
        is_held=level.status == "on_hold",
    )


async def _places_of(db: AsyncSession, warehouse_id: uuid.UUID) -> Mapping[uuid.UUID, Location]:
    its = select(Location).where(Location.warehouse_id == warehouse_id)
    return {place.id: place for place in await db.scalars(its)}


async def _of_day(db: AsyncSession, new: PickListCreate) -> Sequence[CustomerOrder]:
    if new.delivery_date is None:
        raise Invalid("say of which day, or which orders", field="delivery_date")
    its = queries.confirmed_for(new.warehouse_id).where(CustomerOrder.delivery_date == new.delivery_date)
    orders = (await db.scalars(its.order_by(CustomerOrder.id).with_for_update())).all()
    listed = {one.order_id for one, _ in await _listed(db, [order.id for order in orders])}
    free = [order for order in orders if order.id not in listed]
    if not free:
        raise NothingToPick(
            f"no confirmed order of {new.delivery_date} stands on no list: confirm some, or choose another day",
            field="delivery_date",
        )
    return sorted(free, key=lambda order: (order.window_from, order.number))


async def _named(
    db: AsyncSession, new: PickListCreate, order_ids: Sequence[uuid.UUID], seen: VisibleOrders
) -> Sequence[CustomerOrder]:
    if len(set(order_ids)) < len(order_ids):
        raise Invalid("an order is named twice", field="order_ids")
    its = select(CustomerOrder).where(CustomerOrder.id.in_(order_ids), seen.orders())
    found = {order.id: order for order in await db.scalars(its.order_by(CustomerOrder.id).with_for_update())}
    for number, order_id in enumerate(order_ids):
        _check_order(found.get(order_id), new, order_id, field=f"order_ids.{number}")
    for one, other in await _listed(db, order_ids):
        raise OnAnotherList(
            f"{found[one.order_id].number} stands on {other.number}: finish or cancel that list first",
            field="order_ids",
        )
    return [found[order_id] for order_id in order_ids]


def _check_order(order: CustomerOrder | None, new: PickListCreate, order_id: uuid.UUID, *, field: str) -> None:
    if order is None:
        raise NotFound(f"no order with id {order_id}", field=field)
    if order.warehouse_id != new.warehouse_id:
        raise Invalid(f"{order.number} comes from another warehouse", field=field)
    if new.delivery_date not in {None, order.delivery_date}:
        raise Invalid(f"{order.number} is for {order.delivery_date}: leave delivery_date out", field=field)
    if order.status != "confirmed":
        raise NothingToPick(f"{order.number} is {order.status}: only confirmed orders are picked", field=field)


async def _listed(db: AsyncSession, order_ids: Collection[uuid.UUID]) -> Sequence[tuple[PickListOrder, PickList]]:
    return (await db.execute(queries.active_of([*order_ids]))).tuples().all()


def _start(found: PickList, by: uuid.UUID | None) -> None:
    found.status = PICK_LIST.apply(PickListStatus(found.status), PickListAction.START)
    found.started_by, found.started_at = by, clock.now()


def _close(found: PickList, status: PickListStatus, by: uuid.UUID | None) -> None:
    found.status, found.closed_by, found.closed_at = status, by, clock.now()
