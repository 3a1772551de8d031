"""Where an order goes, from where, and how its customer is reached: copied into it, and it does not move with them."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import definitions
from cloud_api.configuration import service as configuration
from cloud_api.customers import phones
from cloud_api.customers import service as customers
from cloud_api.customers.models import Customer, CustomerAddress
from cloud_api.orders.book.errors import AddressNotConfirmed, WarehouseNeeded
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.places import service as places
from cloud_api.places.models import Warehouse
from cloud_api.places.queries import Visible


def copy_door(order: CustomerOrder, door: CustomerAddress) -> None:
    """Send the order to a door of its customer."""
    order.address_id = door.id
    order.address = ", ".join(part for part in (door.address, door.postal_code, door.city) if part)
    order.latitude, order.longitude = door.latitude, door.longitude
    order.address_is_sure = door.is_sure


async def copy_contact(db: AsyncSession, order: CustomerOrder, customer: Customer) -> None:
    """How whoever opens the door is reached; a number that is none is left out."""
    order.customer_name = customer.name
    order.customer_phone = await phones.callable_number(db, customer.phone)
    order.customer_email = customer.email
    order.locale = customer.locale


async def make_sure(db: AsyncSession, order: CustomerOrder) -> None:
    """Refuse to promise an order whose door nobody is certain of; one confirmed since is copied again.

    Raises:
        AddressNotConfirmed: saying how to confirm it.
    """
    if order.address_is_sure:
        return
    door = await customers.find_address(db, order.customer_id, order.address_id)
    if door is None or not door.is_sure:
        raise AddressNotConfirmed(
            f"the map is not certain where {order.address!r} is: put the pin on the door with "
            "POST /customers/{id}/addresses/{address_id}/confirm, or send the order to another address",
            field="address_id",
        )
    copy_door(order, door)


async def warehouse_for(db: AsyncSession, wanted: uuid.UUID | None, *, seen: Visible) -> uuid.UUID:
    """From where an order comes: the warehouse that it names, the organisation's default, or the only one.

    Raises:
        NotFound: when the named one is not to be seen.
        WarehouseNeeded: when none is named, and there is no such one.
    """
    if wanted is not None:
        return (await places.get_warehouse(db, wanted, seen=seen)).id
    usable = select(Warehouse).where(Warehouse.is_active, seen.warehouses(Warehouse.id)).order_by(Warehouse.id)
    code = await configuration.value(db, definitions.ORDER_WAREHOUSE)
    if code:
        default = (await db.scalars(usable.where(Warehouse.code == code))).one_or_none()
        if default is not None:
            return default.id
    found = (await db.scalars(usable.limit(2))).all()
    if len(found) != 1:
        there_are = "more than one warehouse" if found else "no warehouse"
        raise WarehouseNeeded(
            f"there is {there_are} that the order may come from: send warehouse_id, "
            "or set orders.default_warehouse to a warehouse's code",
            field="warehouse_id",
        )
    return found[0].id
