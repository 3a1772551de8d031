"""Which routes and deliveries somebody may see."""

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from cloud_api.logistics.deliveries.models import Delivery, Route
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
