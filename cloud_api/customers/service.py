"""The verbs of customers."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import phones, searchable
from cloud_api.customers.errors import BadPhone, CoordinatesNeeded, LastAddress, NoCustomerAccount, TiedElsewhere
from cloud_api.customers.finding import Located
from cloud_api.customers.models import Customer, CustomerAccount, CustomerAddress
from cloud_api.customers.queries import customer_of
from cloud_api.customers.schemas import AddressConfirm, AddressCreate, AddressUpdate, CustomerCreate, CustomerUpdate
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound, StaleVersion
from cloud_api.kernel.numbers import next_number
from cloud_api.search import service as search

_IN_WORDS = frozenset({"address", "city", "postal_code"})
_COORDINATES = frozenset({"latitude", "longitude"})


async def create_customer(
    db: AsyncSession, *, new: CustomerCreate, number: str | None = None, located: Mapping[int, Located] | None = None
) -> Customer:
    """Add a customer with its doors, under a number that it has elsewhere, or under the next one.

    Args:
        located: number of the address -> where the map says it is.

    Raises:
        BadPhone: when nobody can be called under the phone number.
        CoordinatesNeeded: when nobody says where a door is.
    """
    await _check_phone(db, new.phone)
    doors = [
        _door(door, (located or {}).get(number), within=f"addresses.{number}.")
        for number, door in enumerate(new.addresses)
    ]
    customer = Customer(
        number=number or await next_number(db, "CUS"),
        name=new.name,
        phone=new.phone,
        email=new.email or "",
        locale=new.locale,
        min_remaining_shelf_life_days=new.min_remaining_shelf_life_days,
        created_at=clock.now(),
    )
    db.add(customer)
    await db.flush()
    for door in doors:
        door.customer_id = customer.id
    db.add_all(doors)
    await db.flush()
    await search.put(db, searchable.entry_of(customer))
    return customer


async def update_customer(db: AsyncSession, customer_id: uuid.UUID, *, changes: CustomerUpdate) -> Customer:
    """Change a customer's name, phone, e-mail, language, what they ask of shelf life, or take orders from them again.

    Raises:
        NotFound: when there is no such customer.
        StaleVersion: when `changes` was made of another version than there is now.
        BadPhone: when nobody can be called under the phone number.
    """
    customer = await lock_customer(db, customer_id, seen=changes.version)
    await _check_phone(db, changes.phone)
    sent = changes.model_dump(exclude_unset=True, exclude={"version"})
    told = {field: "" if value is None else value for field, value in sent.items()}
    if any(getattr(customer, field) != value for field, value in told.items()):
        customer.version += 1
    for field, value in told.items():
        setattr(customer, field, value)
    await search.put(db, searchable.entry_of(customer))
    return customer


async def deactivate_customer(db: AsyncSession, customer_id: uuid.UUID) -> None:
    """Take no more orders from a customer; the past stays.

    Raises:
        NotFound: when there is no such customer.
    """
    customer = await lock_customer(db, customer_id)
    customer.version += customer.is_active
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


async def lock_customer(db: AsyncSession, customer_id: uuid.UUID, *, seen: int | None = None) -> Customer:
    """One customer, locked until the unit of work ends: of two who change it or its doors, one comes first.

    Args:
        seen: the version of it that somebody's change was made of; None: whichever it is.

    Raises:
        NotFound: when there is none.
        StaleVersion: when it is another version now.
    """
    its = select(Customer).where(Customer.id == customer_id)
    customer = (await db.scalars(its.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if customer is None:
        raise NotFound(f"no customer with id {customer_id}", field="customer_id")
    if seen not in {None, customer.version}:
        raise StaleVersion(f"customer {customer.number}", seen=seen or 0, current=customer.version)
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


async def find_address(
    db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID | None
) -> CustomerAddress | None:
    """That door of the customer, if it is still there."""
    its = select(CustomerAddress).where(CustomerAddress.id == address_id, CustomerAddress.customer_id == customer_id)
    return (await db.scalars(its)).one_or_none()


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


async def add_address(
    db: AsyncSession, customer_id: uuid.UUID, *, new: AddressCreate, located: Located | None = None
) -> CustomerAddress:
    """Add a door, where it says that it is, or where the map does.

    Raises:
        NotFound: when there is no such customer.
        CoordinatesNeeded: when nobody says where it is.
    """
    address = _door(new, located)
    customer = await lock_customer(db, customer_id)
    customer.version += 1
    address.customer_id = customer_id
    db.add(address)
    await db.flush()
    return address


async def update_address(
    db: AsyncSession,
    customer_id: uuid.UUID,
    address_id: uuid.UUID,
    *,
    changes: AddressUpdate,
    located: Located | None = None,
    seen: int | None = None,
) -> CustomerAddress:
    """Change a door. Orders keep the door that they were taken for.

    Where it reads otherwise and nobody says where it is, it is where the map says; without a map its pin stays, and
    somebody has to confirm it.

    Args:
        seen: the version of the customer that the change was made of; None: whichever it is.

    Raises:
        NotFound: when the customer has no such door.
        StaleVersion: when the customer is another version now.
    """
    customer = await lock_customer(db, customer_id, seen=seen)
    address = await get_address(db, customer_id, address_id)
    sent = changes.model_dump(exclude_unset=True, exclude={"version"})
    reads_otherwise = _reads_otherwise(address, changes)
    customer.version += 1
    for field, value in sent.items():
        setattr(address, field, value)
    if sent.keys() & _COORDINATES:
        address.precision, address.confirmed_at = None, clock.now()
    elif reads_otherwise:
        address.precision, address.confirmed_at = None, None
        if located is not None:
            _pin(address, located)
    return address


async def confirm_address(
    db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID, *, pin: AddressConfirm
) -> CustomerAddress:
    """Somebody has put the pin on the door. The same again changes nothing but the time.

    Raises:
        NotFound: when the customer has no such door.
    """
    customer = await lock_customer(db, customer_id)
    address = await get_address(db, customer_id, address_id)
    customer.version += 1
    address.latitude, address.longitude = pin.latitude, pin.longitude
    address.confirmed_at = clock.now()
    return address


async def address_after(
    db: AsyncSession, address_id: uuid.UUID, *, changes: AddressUpdate
) -> tuple[str, str, str] | None:
    """(address, city, postal code) of a door as `changes` would have it read; None: it stays, or says where it is."""
    address = await db.get(CustomerAddress, address_id)
    sent = changes.model_dump(exclude_unset=True)
    if address is None or sent.keys() & _COORDINATES or not _reads_otherwise(address, changes):
        return None
    return (
        sent.get("address", address.address),
        sent.get("city", address.city),
        sent.get("postal_code", address.postal_code),
    )


def _reads_otherwise(address: CustomerAddress, changes: AddressUpdate) -> bool:
    sent = changes.model_dump(exclude_unset=True, include=set(_IN_WORDS))
    return any(getattr(address, name) != value for name, value in sent.items())


def _door(new: AddressCreate, located: Located | None, *, within: str = "") -> CustomerAddress:
    address = CustomerAddress(**new.model_dump(exclude=set(_COORDINATES)))
    missing = [name for name in sorted(_COORDINATES) if getattr(new, name) is None]
    if not missing:
        address.latitude, address.longitude = new.latitude or 0.0, new.longitude or 0.0
        address.confirmed_at = clock.now()
    elif located is not None:
        _pin(address, located)
    else:
        raise CoordinatesNeeded(
            "nobody says where this address is, and there is no map to look in: send latitude and longitude",
            field=f"{within}{missing[0]}",
        )
    return address


def _pin(address: CustomerAddress, located: Located) -> None:
    address.latitude, address.longitude = located.latitude, located.longitude
    address.precision = located.precision


async def _check_phone(db: AsyncSession, phone: str) -> None:
    if phone and not await phones.callable_number(db, phone):
        raise BadPhone(
            f"nobody can be called under {phone!r}: send it with its country, as +91 98765 43210", field="phone"
        )


async def remove_address(db: AsyncSession, customer_id: uuid.UUID, address_id: uuid.UUID) -> None:
    """Take a door away. Orders hold a copy of theirs, so none of them loses it.

    Raises:
        NotFound: when the customer has no such door.
        LastAddress: when it is the only one.
    """
    # of two doors, two requests at once must not take both
    customer = await lock_customer(db, customer_id)
    address = await get_address(db, customer_id, address_id)
    if len((await addresses_of(db, [customer_id]))[customer_id]) == 1:
        raise LastAddress("this is the only address: add another before you take it away", field="id")
    customer.version += 1
    await db.delete(address)
