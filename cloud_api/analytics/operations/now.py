"""How things stand at this moment: orders, vans, gateways, sensors, alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.analytics.operations.asked import Asked
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.cold_chain.alerts.queries import to_be_seen
from cloud_api.cold_chain.alerts.states import AlertStatus
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.states import ExcursionStatus
from cloud_api.devices.gateways.service import is_online
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.devices.queries import visible_gateways, visible_sensors
from cloud_api.kernel import clock
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.states import OrderStatus
from cloud_api.places.models import Location
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.series.service import GRACE_MS
from cloud_api.telemetry.series.streams import expected_ms

_OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.PACKED, OrderStatus.OUT_FOR_DELIVERY)
_GOING_ON = (ExcursionStatus.OPEN, ExcursionStatus.ACKNOWLEDGED)


@dataclass(frozen=True)
class Fleet:
    """Vans: in service, of all there are, and under way."""

    active: int
    total: int
    on_the_road: int


@dataclass(frozen=True)
class Devices:
    """What measures, and what it says."""

    gateways: int
    gateways_online: int
    sensors: int
    #: heard before, and not for longer than they should be
    sensors_silent: int


async def orders_of_the_day(db: AsyncSession, asked: Asked) -> tuple[int, int]:
    """(packed, delivered) on the last day, by the clock of the warehouse."""
    day = replace(asked, first=asked.last)
    counts = []
    for at in (CustomerOrder.packed_at, CustomerOrder.delivered_at):
        its = select(func.count(CustomerOrder.id)).where(
            day.happened(at, CustomerOrder.warehouse_id), day.here(CustomerOrder.warehouse_id)
        )
        counts.append(int(await db.scalar(its) or 0))
    return counts[0], counts[1]


async def open_orders(db: AsyncSession, asked: Asked) -> Mapping[str, int]:
    """Orders that are not at an end, by status."""
    rows = await db.execute(
        select(CustomerOrder.status, func.count())
        .where(CustomerOrder.status.in_(_OPEN), asked.here(CustomerOrder.warehouse_id))
        .group_by(CustomerOrder.status)
    )
    return {str(status): 0 for status in _OPEN} | {status: count for status, count in rows.tuples()}


async def doors_of_the_day(db: AsyncSession, asked: Asked) -> Mapping[str, int]:
    """Deliveries on routes of the last day, by status."""
    rows = await db.execute(
        select(Delivery.status, func.count())
        .join(Route, Route.id == Delivery.route_id)
        .where(Route.delivery_date == asked.last, asked.here(Route.warehouse_id))
        .group_by(Delivery.status)
    )
    return {status: count for status, count in rows.tuples()}


async def fleet(db: AsyncSession, asked: Asked) -> Fleet:
    """Vans of the warehouses asked about; one that drives for any of them is each warehouse's."""
    mine: ColumnElement[bool] = asked.seen.warehouses(Vehicle.home_warehouse_id)
    if asked.warehouse_id is not None:
        anybodys = Vehicle.home_warehouse_id.is_(None)
        mine = or_(anybodys, Vehicle.home_warehouse_id == asked.warehouse_id)
    rows = await db.execute(select(Vehicle.status, func.count()).where(mine).group_by(Vehicle.status))
    counts = {status: count for status, count in rows.tuples()}
    driving = select(func.count(Route.vehicle_id.distinct())).where(
        Route.status == RouteStatus.IN_PROGRESS, asked.here(Route.warehouse_id)
    )
    return Fleet(counts.get("active", 0), sum(counts.values()), int(await db.scalar(driving) or 0))


async def devices(db: AsyncSession, asked: Asked) -> Devices:
    """Gateways that are in service, and active sensors; of a warehouse those that hang in it."""
    seen_gateways = visible_gateways(Gateway.id, asked.seen)
    seen_sensors = visible_sensors(asked.seen)
    if asked.warehouse_id is not None:
        there = select(Location.id).where(Location.warehouse_id == asked.warehouse_id)
        seen_sensors = Sensor.location_id.in_(there)
        seen_gateways = Gateway.id.in_(select(Sensor.gateway_id).where(seen_sensors))
    gateways = (await db.scalars(select(Gateway).where(Gateway.status == "active", seen_gateways))).all()
    rows = await db.execute(
        select(Sensor.interval_s, SensorSeries.cadence_ms, SensorSeries.last_recorded_at_ms)
        .outerjoin(SensorSeries, SensorSeries.sensor_id == Sensor.id)
        .where(Sensor.status == "active", seen_sensors)
    )
    now_ms, silent, sensors = clock.now_ms(), 0, 0
    for interval_s, cadence_ms, at_ms in rows.tuples():
        due_ms = expected_ms(interval_s, cadence_ms)
        sensors += 1
        silent += at_ms is not None and due_ms is not None and now_ms - at_ms > due_ms + GRACE_MS
    return Devices(len(gateways), sum(is_online(gateway) for gateway in gateways), sensors, silent)


async def open_alerts(db: AsyncSession, asked: Asked) -> int:
    """Alerts that nobody has answered."""
    its = select(func.count()).select_from(Alert).where(Alert.status == AlertStatus.OPEN, to_be_seen(asked.seen))
    return int(await db.scalar(its.where(_at_place(asked, Alert.location_id))) or 0)


async def excursions_going_on(db: AsyncSession, asked: Asked) -> int:
    """Excursions that have not ended."""
    its = (
        select(func.count())
        .select_from(Excursion)
        .where(Excursion.status.in_(_GOING_ON), Excursion.retracted_at.is_(None))
        .where(asked.seen.locations(Excursion.location_id), _at_place(asked, Excursion.location_id))
    )
    return int(await db.scalar(its) or 0)


def _at_place(asked: Asked, location: object) -> ColumnElement[bool]:
    if asked.warehouse_id is None:
        return true()
    there = select(Location.id).where(Location.warehouse_id == asked.warehouse_id)
    return location.in_(there)  # type: ignore[attr-defined,no-any-return]
