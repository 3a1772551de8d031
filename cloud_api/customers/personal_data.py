"""What this room holds about a person: which customer they sign in for. The customer itself belongs to the books."""

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers.models import Customer, CustomerAccount
from cloud_api.identity.people.models import User
from cloud_api.identity.privacy.holders import Holder


async def tell(db: AsyncSession, user: User) -> JsonValue:
    """For whom they order."""
    customers = await db.scalars(
        select(Customer)
        .join(CustomerAccount, CustomerAccount.customer_id == Customer.id)
        .where(CustomerAccount.user_id == user.id)
    )
    return [
        {"number": customer.number, "name": customer.name, "phone": customer.phone, "email": customer.email}
        for customer in customers
    ]


async def erase(db: AsyncSession, user: User) -> None:
    """They sign in for nobody any more."""
    for account in await db.scalars(select(CustomerAccount).where(CustomerAccount.user_id == user.id)):
        await db.delete(account)


PERSONAL_DATA = Holder("customers", tell, erase)
