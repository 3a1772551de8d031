"""The verbs of customers."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers.models import Customer, CustomerAddress
from cloud_api.customers.schemas import CustomerCreate, CustomerUpdate
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number


async def create_customer(db: AsyncSession, *, new: CustomerCreate) -> Customer:
    """Add a customer with its doors."""
    customer = Customer(
        number=await next_number(db, "CUS"),
        name=new.name,
        phone=new.phone,
        email=new.email or "",
        created_at=clock.now(),
    )
    db.add(customer)
    await db.flush()
    db.add_all(CustomerAddress(customer_id=customer.id, **door.model_dump()) for door in new.addresses)
    await db.flush()
    return customer


async def update_customer(db: AsyncSession, customer_id: uuid.UUID, *, changes: CustomerUpdate) -> Customer:
    """Change a customer's name, phone or e-mail.

    Raises:
        NotFound: when there is no such customer.
    """
    customer = await get_customer(db, customer_id)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(customer, field, value or "")
    return customer


async def deactivate_customer(db: AsyncSession, customer_id: uuid.UUID) -> None:
    """Take no more orders from a customer; the past stays.

    Raises:
        NotFound: when there is no such customer.
    """
    (await get_customer(db, customer_id)).is_active = False


async def get_customer(db: AsyncSession, customer_id: uuid.UUID) -> Customer:
    """One customer.

    Raises:
        NotFound: when there is none.
    """
    customer = await db.get(Customer, customer_id)
    if customer is None:
        raise NotFound(f"no customer with id {customer_id}", field="customer_id")
    return customer


async def get_address(db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID | None) -> CustomerAddress:
    """A door of the customer: the one named, or the first.

    Raises:
        NotFound: when the customer has no such door.
    """
    statement = select(CustomerAddress).where(CustomerAddress.customer_id == customer_id).order_by(CustomerAddress.id)
    if address_id is not None:
        statement = statement.where(CustomerAddress.id == address_id)
    address = (await db.scalars(statement.limit(1))).one_or_none()
    if address is None:
        raise NotFound(f"the customer has no address with id {address_id}", field="address_id")
    return address


async def addresses_of(
    db: AsyncSession, customer_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Sequence[CustomerAddress]]:
    """customer -> its doors, oldest first."""
    doors: dict[uuid.UUID, list[CustomerAddress]] = {customer_id: [] for customer_id in customer_ids}
    rows = await db.scalars(
        select(CustomerAddress).where(CustomerAddress.customer_id.in_(customer_ids)).order_by(CustomerAddress.id)
    )
    for address in rows:
        doors[address.customer_id].append(address)
    return dict(doors)
