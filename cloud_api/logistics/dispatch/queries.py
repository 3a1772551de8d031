"""Reusable reads of what is to be planned, what is planned, and who drives it."""

import uuid
from datetime import date

from sqlalchemy import Select, func, select

from cloud_api.catalog.products.models import Product
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import DeliveryStatus, RouteStatus
from cloud_api.logistics.dispatch.models import PlanningJob, PlanningSolution
from cloud_api.orders.book import queries as order_queries
from cloud_api.orders.book.models import CustomerOrder, OrderLine

#: a route has the order, or brings it back
ON_A_ROUTE = (
    DeliveryStatus.ASSIGNED,
    DeliveryStatus.OUT_FOR_DELIVERY,
    DeliveryStatus.ARRIVED,
    DeliveryStatus.FAILED,
)
OPEN_ROUTES = (RouteStatus.PLANNED, RouteStatus.IN_PROGRESS)


def taken_orders() -> Select[tuple[uuid.UUID]]:
    """Orders that a route has, by their ids."""
    return select(Delivery.order_id).where(Delivery.status.in_(ON_A_ROUTE))


def waiting(day: date, warehouse_id: uuid.UUID) -> Select[tuple[CustomerOrder]]:
    """Packed orders of a day that no route has taken yet."""
    return order_queries.packed_for(day, warehouse_id).where(CustomerOrder.id.not_in(taken_orders()))


def driving_vehicles() -> Select[tuple[uuid.UUID]]:
    """Vans that have a route, planned or under way."""
    return select(Route.vehicle_id).where(Route.status.in_(OPEN_ROUTES))


def open_routes(day: date, warehouse_id: uuid.UUID) -> Select[tuple[Route]]:
    """Routes of a day that are planned or under way."""
    return (
        select(Route)
        .where(Route.delivery_date == day, Route.warehouse_id == warehouse_id, Route.status.in_(OPEN_ROUTES))
        .order_by(Route.id)
    )


def goods_of(
    order_ids: Select[tuple[uuid.UUID]] | list[uuid.UUID],
) -> Select[tuple[uuid.UUID, OrderLine, int, str | None]]:
    """The lines of orders, with what a unit weighs, in grams, and how it is kept."""
    return (
        select(OrderLine.order_id, OrderLine, Product.unit_weight_g, Product.storage_type)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.id)
    )


def failed_attempts(order_ids: list[uuid.UUID]) -> Select[tuple[uuid.UUID, int]]:
    """How often it was tried to bring each of these orders, in vain."""
    return (
        select(Delivery.order_id, func.count())
        .where(
            Delivery.order_id.in_(order_ids),
            Delivery.status.in_((DeliveryStatus.FAILED, DeliveryStatus.RETURNED)),
        )
        .group_by(Delivery.order_id)
    )


def due_job(job_id: uuid.UUID) -> Select[tuple[PlanningJob]]:
    """One job, locked, as it is now."""
    its = select(PlanningJob).where(PlanningJob.id == job_id).with_for_update()
    return its.execution_options(populate_existing=True)


def solution_row(job_id: uuid.UUID) -> Select[tuple[PlanningSolution]]:
    """What a job found; whoever changes it has locked the job."""
    return select(PlanningSolution).where(PlanningSolution.job_id == job_id)
