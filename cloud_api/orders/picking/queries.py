"""Reusable reads of pick lists."""

import uuid

from sqlalchemy import ColumnElement, Select, and_, select

from cloud_api.orders.book.models import CustomerOrder, OrderLine
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.states import OrderStatus
from cloud_api.orders.picking.models import PickList, PickListOrder
from cloud_api.orders.picking.states import ACTIVE

#: lines of which nothing is left to be taken
TAKEN = ("picked", "packed", "shipped", "cancelled")


def visible_lists(seen: VisibleOrders) -> ColumnElement[bool]:
    """Whether a list is of a warehouse that somebody may see. Who orders for themselves sees none."""
    if seen.buyer_id is not None:
        return PickList.id.is_(None)
    return seen.places.warehouses(PickList.warehouse_id)


def orders_on(pick_list_id: uuid.UUID) -> Select[tuple[PickListOrder, CustomerOrder]]:
    """The orders of a list, in the order of loading."""
    return (
        select(PickListOrder, CustomerOrder)
        .join(CustomerOrder, CustomerOrder.id == PickListOrder.order_id)
        .where(PickListOrder.pick_list_id == pick_list_id)
        .order_by(PickListOrder.position)
    )


def active_of(order_ids: list[uuid.UUID]) -> Select[tuple[PickListOrder, PickList]]:
    """The lists on which orders stand now."""
    return (
        select(PickListOrder, PickList)
        .join(PickList, PickList.id == PickListOrder.pick_list_id)
        .where(PickListOrder.order_id.in_(order_ids), PickList.status.in_(ACTIVE))
        .order_by(PickList.id)
    )


def still_to_pick(pick_list_id: uuid.UUID) -> Select[tuple[CustomerOrder]]:
    """Orders of a list of which something is left to be taken; not those that were given up."""
    open_line = and_(OrderLine.order_id == CustomerOrder.id, OrderLine.fulfillment_status.not_in(TAKEN))
    return (
        select(CustomerOrder)
        .join(PickListOrder, PickListOrder.order_id == CustomerOrder.id)
        .where(
            PickListOrder.pick_list_id == pick_list_id,
            CustomerOrder.status == OrderStatus.CONFIRMED,
            select(OrderLine.id).where(open_line).exists(),
        )
        .order_by(PickListOrder.position)
    )


def confirmed_for(warehouse_id: uuid.UUID) -> Select[tuple[CustomerOrder]]:
    """Orders that a warehouse is to pick."""
    return select(CustomerOrder).where(
        CustomerOrder.warehouse_id == warehouse_id, CustomerOrder.status == OrderStatus.CONFIRMED
    )
