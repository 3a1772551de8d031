"""The verbs of customers."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import searchable
from cloud_api.customers.errors import LastAddress, NoCustomerAccount, TiedElsewhere
from cloud_api.customers.models import Customer, CustomerAccount, CustomerAddress
from cloud_api.customers.queries import customer_of
from cloud_api.customers.schemas import AddressCreate, AddressUpdate, CustomerCreate, CustomerUpdate
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.numbers import next_number
from cloud_api.search import service as search


async def create_customer(db: AsyncSession, *, new: CustomerCreate, number: str | None = None) -> Customer:
    """Add a customer with its doors, under a number that it has elsewhere, or under the next one."""
    customer = Customer(
        number=number or await next_number(db, "CUS"),
        name=new.name,
        phone=new.phone,
        email=new.email or "",
        min_remaining_shelf_life_days=new.min_remaining_shelf_life_days,
        created_at=clock.now(),
    )
    db.add(customer)
    await db.flush()
    db.add_all(CustomerAddress(customer_id=customer.id, **door.model_dump()) for door in new.addresses)
    await db.flush()
    await search.put(db, searchable.entry_of(customer))
    return customer


async def update_customer(db: AsyncSession, customer_id: uuid.UUID, *, changes: CustomerUpdate) -> Customer:
    """Change a customer's name, phone, e-mail, or what they ask of shelf life.

    Raises:
        NotFound: when there is no such customer.
    """
    customer = await get_customer(db, customer_id)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(customer, field, "" if value is None else value)
    await search.put(db, searchable.entry_of(customer))
    return customer


async def deactivate_customer(db: AsyncSession, customer_id: uuid.UUID) -> None:
    """Take no more orders from a customer; the past stays.

    Raises:
        NotFound: when there is no such customer.
    """
    customer = await get_customer(db, customer_id)
    customer.is_active = False
    await search.put(db, searchable.entry_of(customer))


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


async def tie_account(db: AsyncSession, customer_id: uuid.UUID, *, user_id: uuid.UUID) -> CustomerAccount:
    """Let a person sign in as a customer. The same again changes nothing.

    Raises:
        NotFound: when the customer or the person is not there.
        TiedElsewhere: when the person acts for another customer.
    """
    await get_customer(db, customer_id)
    await people.get_user(db, user_id, locked=True)
    account = (await db.scalars(select(CustomerAccount).where(CustomerAccount.user_id == user_id))).one_or_none()
    if account is None:
        account = CustomerAccount(user_id=user_id, customer_id=customer_id)
        db.add(account)
        await db.flush()
    if account.customer_id != customer_id:
        raise TiedElsewhere("this person acts for another customer: untie them there first", field="user_id")
    return account


async def untie_accounts(db: AsyncSession, customer_id: uuid.UUID, *, user_id: uuid.UUID | None) -> None:
    """Let a person, or when none is named everybody, sign in as the customer no more.

    Raises:
        NotFound: when the customer is not there.
    """
    await get_customer(db, customer_id)
    statement = select(CustomerAccount).where(CustomerAccount.customer_id == customer_id)
    if user_id is not None:
        statement = statement.where(CustomerAccount.user_id == user_id)
    for account in (await db.scalars(statement.order_by(CustomerAccount.id))).all():
        await db.delete(account)


async def own_customer(db: AsyncSession, user_id: uuid.UUID) -> uuid.UUID:
    """The customer that a person signs in as.

    Raises:
        NoCustomerAccount: when there is none.
    """
    customer_id = await db.scalar(customer_of(user_id))
    if customer_id is None:
        raise NoCustomerAccount
    return customer_id


async def add_address(db: AsyncSession, customer_id: uuid.UUID, *, new: AddressCreate) -> CustomerAddress:
    """Add a door."""
    address = CustomerAddress(customer_id=customer_id, **new.model_dump())
    db.add(address)
    await db.flush()
    return address


async def update_address(
    db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID, *, changes: AddressUpdate
) -> CustomerAddress:
    """Change a door. Orders keep the door that they were taken for.

    Raises:
        NotFound: when the customer has no such door.
    """
    address = await get_address(db, customer_id, address_id)
    for field, value in changes.model_dump(exclude_unset=True).items():
        setattr(address, field, value)
    return address


async def remove_address(db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID) -> None:
    """Take a door away. Orders hold a copy of theirs, so none of them loses it.

    Raises:
        NotFound: when the customer has no such door.
        LastAddress: when it is the only one.
    """
    # of two doors, two requests at once must not take both
    await db.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    address = await get_address(db, customer_id, address_id)
    if len((await addresses_of(db, [customer_id]))[customer_id]) == 1:
        raise LastAddress("this is the only address: add another before you take it away", field="id")
    await db.delete(address)
