"""Which routes and deliveries somebody may see."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select

from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.schemas import DeliveriesQuery, RoutesQuery
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True)
class VisibleRoutes:
    """Which routes, and with them which deliveries, somebody may see."""

    #: that set off from these warehouses
    places: Visible = EVERYWHERE
    #: somebody who may see only what they drive themselves, wherever it sets off; None: every driver's
    driver_id: uuid.UUID | None = None

    def routes(self) -> ColumnElement[bool]:
        """Whether a route is one of them."""
        if self.driver_id is not None:
            return Route.driver_id == self.driver_id
        return self.places.warehouses(Route.warehouse_id)

    def deliveries(self) -> ColumnElement[bool]:
        """Whether a delivery is on one of them; what waits for a route is of the warehouse that its order leaves."""
        on_them = Delivery.route_id.in_(select(Route.id).where(self.routes()))
        if self.driver_id is not None:
            return on_them
        from_there = select(CustomerOrder.id).where(self.places.warehouses(CustomerOrder.warehouse_id))
        return or_(on_them, Delivery.route_id.is_(None) & Delivery.order_id.in_(from_there))


EVERY_ROUTE = VisibleRoutes()


def routes(seen: VisibleRoutes, wanted: RoutesQuery) -> Select[tuple[Route]]:
    """The routes that are asked for."""
    equal = {
        Route.planning_job_id: wanted.planning_job_id,
        Route.vehicle_id: wanted.vehicle_id,
        Route.driver_id: wanted.driver_id,
        Route.warehouse_id: wanted.warehouse_id,
        Route.status: wanted.status,
    }
    statement = select(Route).where(seen.routes(), *_days(wanted))
    return statement.where(*(column == value for column, value in equal.items() if value is not None))


def deliveries(seen: VisibleRoutes, wanted: DeliveriesQuery) -> Select[tuple[Delivery]]:
    """The deliveries that are asked for."""
    equal = {
        Delivery.order_id: wanted.order_id,
        Delivery.route_id: wanted.route_id,
        Delivery.status: wanted.status,
    }
    statement = select(Delivery).where(seen.deliveries())
    if wanted.number is not None:
        statement = statement.where(Delivery.number.in_(wanted.number))
    statement = statement.where(*(column == value for column, value in equal.items() if value is not None))
    driven = [*_days(wanted)]
    if wanted.driver_id is not None:
        driven.append(Route.driver_id == wanted.driver_id)
    if driven:
        statement = statement.join(Route, Route.id == Delivery.route_id).where(*driven)
    if wanted.warehouse_id is not None:
        statement = statement.join(CustomerOrder, CustomerOrder.id == Delivery.order_id)
        statement = statement.where(CustomerOrder.warehouse_id == wanted.warehouse_id)
    return statement


def _days(wanted: RoutesQuery | DeliveriesQuery) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield Route.delivery_date >= wanted.since
    if wanted.until is not None:
        yield Route.delivery_date <= wanted.until
