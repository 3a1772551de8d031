"""What the database knows of a day: its orders as doors, its vans as wagons."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.organizations import service as organizations
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.dispatch import queries
from cloud_api.logistics.dispatch.errors import NothingToPlan, WarehouseWithoutCoordinates
from cloud_api.logistics.dispatch.problems import Door, Wagon
from cloud_api.logistics.dispatch.schemas import Constraints
from cloud_api.logistics.fleet import availability
from cloud_api.logistics.tracking import learning
from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.places import service as places
from cloud_api.places.models import Warehouse
from cloud_api.places.queries import EVERYWHERE, Visible
from route_optimizer.matrices import Point
from route_optimizer.problem import HIGHEST_PRIORITY, Break, Compartment, Window

#: what lies in a part of a van that is kept like this
_PARTS: Mapping[str, Compartment] = {
    "cold_storage": Compartment.CHILLED,
    "freezer": Compartment.FROZEN,
    "ambient": Compartment.AMBIENT,
    "dry_storage": Compartment.AMBIENT,
}


async def located(db: AsyncSession, warehouse_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> tuple[Warehouse, Point]:
    """A warehouse and where it is.

    Raises:
        NotFound: when there is none to be seen.
        WarehouseWithoutCoordinates: when it does not say where it is.
    """
    warehouse = await places.get_warehouse(db, warehouse_id, seen=seen)
    if warehouse.latitude is None or warehouse.longitude is None:
        raise WarehouseWithoutCoordinates(f"{warehouse.name} has no coordinates: set them first", field="warehouse_id")
    return warehouse, Point(warehouse.latitude, warehouse.longitude)


async def doors(
    db: AsyncSession,
    orders: Sequence[CustomerOrder],
    said: Constraints,
    *,
    priorities: Mapping[str, int] | None = None,
) -> list[Door]:
    """Orders as doors, in as many queries however many there are."""
    ids = [order.id for order in orders]
    loads = await loads_g(db, {order.id: order.packed_weight_g for order in orders})
    tried = dict((await db.execute(queries.failed_attempts(ids))).tuples().all())
    learned: Mapping[uuid.UUID, int] = {}
    if said.learn_service_times and orders:
        learned = await learning.learned_service_s(db, {order.customer_id for order in orders})
    zone = await organizations.zone(db)
    found = []
    for order in orders:
        opens, closes = window_of(order, zone)
        wanted = (priorities or {}).get(str(order.id), 0) + said.retry_priority * tried.get(order.id, 0)
        found.append(
            Door(
                order_id=str(order.id),
                number=order.number,
                point=Point(order.latitude, order.longitude),
                window=Window(_s(opens), _s(closes)),
                loads_g=loads.get(order.id, {}),
                service_s=learned.get(order.customer_id),
                priority=min(HIGHEST_PRIORITY, wanted),
                taken_s=_s(order.created_at),
            )
        )
    return found


def window_of(order: CustomerOrder, zone: tzinfo) -> tuple[datetime, datetime]:
    """When its customer expects an order, where the organisation is."""
    opens, closes = (
        datetime.combine(order.delivery_date, at, zone).astimezone(UTC)
        for at in (order.window_from, order.window_until)
    )
    return opens, closes


async def loads_g(db: AsyncSession, weighed: Mapping[uuid.UUID, int | None]) -> dict[uuid.UUID, dict[str, int]]:
    """Order -> how its goods are kept -> grams, rounded up; what was weighed is shared out by what units weigh.

    Args:
        weighed: order -> grams that were weighed when it was packed; None: nobody weighed it.
    """
    if not weighed:
        return {}
    exact: dict[uuid.UUID, dict[str, Decimal]] = {}
    rows = (await db.execute(queries.goods_of(list(weighed)))).tuples()
    for order_id, line, unit_weight_g, storage in rows:
        shares = exact.setdefault(order_id, {})
        shares[storage or ""] = shares.get(storage or "", Decimal(0)) + _quantity(line) * unit_weight_g
    return {order_id: shared_out(shares, weighed[order_id]) for order_id, shares in exact.items()}


def shared_out(shares: Mapping[str, Decimal], weighed_g: int | None) -> dict[str, int]:
    """Grams of each share, rounded up; of a weighed whole the shares make up the whole at least."""
    total = sum(shares.values(), Decimal(0))
    if weighed_g is None or total == 0:
        return {kept: _up(share) for kept, share in shares.items()}
    return {kept: _up(weighed_g * share / total) for kept, share in shares.items()}


def _quantity(line: OrderLine) -> Decimal:
    return line.quantity if line.packed_quantity is None else line.packed_quantity


def _up(grams: Decimal) -> int:
    return int(grams.to_integral_value(rounding="ROUND_CEILING"))


@dataclass(frozen=True)
class Vans:
    """The vans of a day."""

    wagons: Sequence[Wagon]
    #: number plate -> why it is not among them
    left_out: Mapping[str, str]

    def expected(self) -> Sequence[Wagon]:
        """At least one.

        Raises:
            NothingToPlan: naming why there is none.
        """
        if not self.wagons:
            reasons = "; ".join(self.left_out.values()) or "there is none"
            remedy = "add one, give one a shift that day, or end its route"
            raise NothingToPlan(f"no van is active and without a route ({reasons}): {remedy}", field="vehicle_ids")
        return self.wagons


async def vans_of(
    db: AsyncSession,
    *,
    day: date,
    warehouse_id: uuid.UUID,
    departs_at: datetime,
    vehicle_ids: Sequence[uuid.UUID] = (),
) -> Vans:
    """The vans that may be planned: active, with a shift that day, and without a route."""
    busy = set((await db.scalars(queries.driving_vehicles())).all())
    fleet = await availability.survey(
        db, day=day, warehouse_id=warehouse_id, vehicle_ids=vehicle_ids, departs_at=departs_at
    )
    left_out = {str(vehicle_id): why for vehicle_id, why in fleet.left_out.items()}
    left_out |= {
        str(van.vehicle.id): f"{van.vehicle.number} has a route already" for van in fleet.vans if van.vehicle.id in busy
    }
    free = [van for van in fleet.vans if van.vehicle.id not in busy]
    return Vans([wagon_of(van, departs_at=departs_at) for van in free], left_out)


def wagon_of(van: availability.Van, *, departs_at: datetime | None = None) -> Wagon:
    """A van of the fleet as a plan needs it; it leaves no earlier than `departs_at`."""
    shift = van.shift
    opens_s = _s(shift.start_at) if departs_at is None else max(_s(shift.start_at), _s(departs_at))
    return Wagon(
        vehicle_id=str(van.vehicle.id),
        number=van.vehicle.number,
        capacity_g=van.vehicle.capacity_g,
        compartments=parts_of(van),
        shift=Window(opens_s, max(opens_s, _s(shift.end_at))),
        breaks=tuple(Break(_s(each.earliest_at), _s(each.latest_at), each.duration_s) for each in shift.breaks),
        driver_id=None if van.driver_id is None else str(van.driver_id),
        fixed_cost_minor=van.fixed_cost_minor,
        cost_per_km_minor=van.cost_per_km_minor,
        fuel_ml_per_km=round(van.fuel_l_per_100km * 10),
        co2_g_per_km=van.co2_g_per_km,
    )


def parts_of(van: availability.Van) -> dict[Compartment, int]:
    """The compartments that were written down; a van without any is one, as cold as it is."""
    parts: dict[Compartment, int] = {}
    for each in van.compartments:
        part = _PARTS[each.storage_type]
        parts[part] = parts.get(part, 0) + each.capacity_g
    if parts:
        return parts
    whole = Compartment.CHILLED if van.vehicle.is_refrigerated else Compartment.AMBIENT
    return {whole: van.vehicle.capacity_g}


async def midnight(db: AsyncSession, day: date) -> datetime:
    """The local midnight that a day begins with."""
    zone = await organizations.zone(db)
    return datetime.combine(day, time(0), zone)


async def routes_of(db: AsyncSession, day: date, warehouse_id: uuid.UUID) -> Sequence[Route]:
    """Routes of the day that are planned or under way."""
    return (await db.scalars(queries.open_routes(day, warehouse_id))).all()


async def orders_by_id(db: AsyncSession, order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CustomerOrder]:
    """Some orders by their ids."""
    found = await db.scalars(select(CustomerOrder).where(CustomerOrder.id.in_(order_ids)))
    return {order.id: order for order in found}


def _s(at: datetime) -> int:
    return int(at.timestamp())
