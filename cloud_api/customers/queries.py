"""Reusable reads of customers."""

import uuid

from sqlalchemy import Select, select

from cloud_api.customers.models import CustomerAccount


def customer_of(user_id: uuid.UUID) -> Select[tuple[uuid.UUID]]:
    """The key of the customer that a person is tied to; no row when there is none."""
    return select(CustomerAccount.customer_id).where(CustomerAccount.user_id == user_id)
