"""Reusable reads of customers."""

import uuid

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import phones
from cloud_api.customers.models import FOUND_BY_A_VAN, Customer, CustomerAccount, CustomerAddress
from cloud_api.customers.schemas import CustomerFilter
from cloud_api.search import finding

#: after every digit
_LAST = ":"


def customer_of(user_id: uuid.UUID) -> Select[tuple[uuid.UUID]]:
    """The key of the customer that a person is tied to; no row when there is none."""
    return select(CustomerAccount.customer_id).where(CustomerAccount.user_id == user_id)


def called(ending: str) -> ColumnElement[bool]:
    """Whether a customer's number ends so; `ending` as `phones.end_of` has it."""
    return and_(Customer.phone_backwards >= ending, Customer.phone_backwards < ending + _LAST)


async def matching(db: AsyncSession, wanted: CustomerFilter) -> Select[tuple[Customer]]:
    """Customers as `wanted` says."""
    found = select(Customer)
    if wanted.search:
        named = await finding.having_words(db, "customer", Customer.id, wanted.search)
        ending = phones.end_of(wanted.search)
        found = found.where(or_(named, called(ending)) if ending else named)
    if wanted.is_active is not None:
        found = found.where(Customer.is_active == wanted.is_active)
    if wanted.is_sure is not None:
        vague = or_(CustomerAddress.precision.is_(None), CustomerAddress.precision.not_in(FOUND_BY_A_VAN))
        doubtful = select(CustomerAddress.customer_id).where(CustomerAddress.confirmed_at.is_(None), vague)
        found = found.where(Customer.id.not_in(doubtful) if wanted.is_sure else Customer.id.in_(doubtful))
    return found
