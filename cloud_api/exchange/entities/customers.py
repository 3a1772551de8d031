"""Customers with one door a row: the customer is recognised by its number, the door by its label."""

import re
import uuid
from collections.abc import AsyncIterator, Mapping

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import service as customers
from cloud_api.customers.models import Customer, CustomerAddress
from cloud_api.customers.schemas import AddressCreate, AddressUpdate, CustomerCreate, CustomerUpdate
from cloud_api.exchange.entities.kinds import (
    By,
    Column,
    Entity,
    Outcome,
    RowRefused,
    Values,
    measure,
    refused,
    text,
)
from cloud_api.exchange.values import Cell
from cloud_api.kernel.errors import Detail

_AT_ONCE = 500
_OF_DOOR = ("label", "address", "city", "postal_code", "latitude", "longitude")
#: numbers that are counted here: those of another system must not stand in their way
_OURS = re.compile(r"CUS-\d{4}-\d+")

COLUMNS = (
    Column("number", text, "C-1001", required=True, aliases=("customer number", "customer no")),
    Column("name", text, "Green Kitchen", aliases=("customer name",)),
    Column("phone", text, "+91 98765 43210"),
    Column("email", text, "orders@green.example"),
    Column("label", text, "main"),
    Column("address", text, "12 Market Street"),
    Column("city", text, "Bengaluru"),
    Column("postal_code", text, "560034", aliases=("pin", "pin code", "zip")),
    Column("latitude", measure, "12.93"),
    Column("longitude", measure, "77.61"),
)


def check(values: Values) -> None:
    """Whether each field can be so, by itself.

    Raises:
        RowRefused: when one cannot.
    """
    number = str(values["number"])
    if len(number) > 40:
        raise RowRefused([Detail("number", "a number has at most 40 characters")])
    try:
        CustomerUpdate.model_validate(_of_customer(values))
        AddressUpdate.model_validate(_of_door(values))
    except ValidationError as error:
        raise refused(error) from None


async def apply(db: AsyncSession, values: Values, _by: By) -> Outcome:
    """Add the customer with its door, or change what the row says of them."""
    number = str(values["number"])
    customer = (await db.scalars(select(Customer).where(Customer.number == number))).one_or_none()
    try:
        if customer is None:
            if _OURS.fullmatch(number):
                raise RowRefused([Detail("number", f"{number} would be counted here, and is not: give it another")])
            door = AddressCreate.model_validate(_of_door(values))
            new = CustomerCreate.model_validate({**_of_customer(values), "addresses": [door]})
            await customers.create_customer(db, new=new, number=number)
            return Outcome.CREATED
        changed = await _change(db, customer, values)
        changed = await _change_door(db, customer, values) or changed
    except ValidationError as error:
        raise refused(error) from None
    return Outcome.UPDATED if changed else Outcome.UNCHANGED


async def export(db: AsyncSession, _by: By) -> AsyncIterator[Mapping[str, Cell]]:
    """Every customer's every door, oldest customers first."""
    after: uuid.UUID | None = None
    while True:
        following = select(Customer).order_by(Customer.id).limit(_AT_ONCE)
        if after is not None:
            following = following.where(Customer.id > after)
        rows = (await db.scalars(following)).all()
        doors = await customers.addresses_of(db, [customer.id for customer in rows])
        for customer in rows:
            for door in doors[customer.id]:
                yield {
                    column.name: _cell(door if column.name in _OF_DOOR else customer, column.name) for column in COLUMNS
                }
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].id


def _cell(row: Customer | CustomerAddress, name: str) -> Cell:
    value: Cell | float = getattr(row, name)
    return repr(value) if isinstance(value, float) else value


async def _change(db: AsyncSession, customer: Customer, values: Values) -> bool:
    said = _of_customer(values)
    if all(getattr(customer, name) == value for name, value in said.items()):
        return False
    await customers.update_customer(db, customer.id, changes=CustomerUpdate.model_validate(said))
    return True


async def _change_door(db: AsyncSession, customer: Customer, values: Values) -> bool:
    said = _of_door(values)
    if not said.keys() - {"label"}:
        return False
    label = said.get("label", "main")
    doors = (await customers.addresses_of(db, [customer.id]))[customer.id]
    door = next((one for one in doors if one.label == label), None)
    if door is None:
        await customers.add_address(db, customer.id, new=AddressCreate.model_validate(said))
        return True
    if all(getattr(door, name) == value for name, value in said.items()):
        return False
    await customers.update_address(db, customer.id, door.id, changes=AddressUpdate.model_validate(said))
    return True


def _of_customer(values: Values) -> dict[str, object]:
    return {name: values[name] for name in ("name", "phone", "email") if name in values}


def _of_door(values: Values) -> dict[str, object]:
    return {name: values[name] for name in _OF_DOOR if name in values}


CUSTOMERS = Entity(
    name="customers",
    columns=COLUMNS,
    key=("number", "label"),
    read_permission="customers:read",
    write_permission="customers:write",
    check=check,
    apply=apply,
    export=export,
    said_by={"addresses": "address"},
)
