"""Customers as they are found. What is private of them, phone and mail, is not in the index."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers.models import Customer
from cloud_api.search.service import Entry

_AT_ONCE = 300


def entry_of(customer: Customer) -> Entry:
    """How a customer is found."""
    return Entry(
        kind="customer",
        id=customer.id,
        title=customer.name,
        code=customer.number,
        text="",
        facets={"status": "active" if customer.is_active else "inactive"},
        permission="customers:read",
    )


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[Entry]:
    """Customers, in the order of their ids."""
    following = select(Customer).order_by(Customer.id).limit(_AT_ONCE)
    if after is not None:
        following = following.where(Customer.id > after)
    return [entry_of(customer) for customer in await db.scalars(following)]
