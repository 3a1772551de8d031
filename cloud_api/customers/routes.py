"""`/api/v1/customers`, and `/api/v1/auth/me/addresses`: the doors of whoever signs in as a customer."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import service
from cloud_api.customers.models import Customer, CustomerAccount, CustomerAddress
from cloud_api.customers.schemas import (
    AccountRead,
    AccountTie,
    AddressCreate,
    AddressRead,
    AddressUpdate,
    CustomerCreate,
    CustomerRead,
    CustomerUpdate,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/customers", tags=["customers"], route_class=ApiRoute)
own = APIRouter(prefix="/auth/me/addresses", tags=["customers"], route_class=ApiRoute)


async def own_customer(db: Db, principal: CurrentPrincipal) -> uuid.UUID:
    """The customer that the caller signs in as; without one there is nothing here for them."""
    return await service.own_customer(db, principal.id)


OwnCustomer = Annotated[uuid.UUID, Depends(own_customer, scope="function")]


@router.get("", response_model=list[CustomerRead], dependencies=[require("customers:read")])
async def list_customers(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[CustomerRead]:
    """Newest first, with their doors."""
    rows = await page(db, select(Customer), Customer.id, query)
    return Page(await _read(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=CustomerRead, status_code=201, dependencies=[require("customers:write")])
async def create_customer(db: Db, body: CustomerCreate) -> CustomerRead:
    """A customer with at least one door and its coordinates."""
    return (await _read(db, [await service.create_customer(db, new=body)]))[0]


@router.get("/{id}", response_model=CustomerRead, dependencies=[require("customers:read")])
async def get_customer(db: Db, id: uuid.UUID) -> CustomerRead:
    """One customer."""
    return (await _read(db, [await service.get_customer(db, id)]))[0]


@router.put("/{id}", response_model=CustomerRead, dependencies=[require("customers:write")])
async def update_customer(db: Db, id: uuid.UUID, body: CustomerUpdate) -> CustomerRead:
    """Change name, phone or e-mail."""
    return (await _read(db, [await service.update_customer(db, id, changes=body)]))[0]


@router.delete("/{id}", status_code=204, dependencies=[require("customers:write")])
async def deactivate_customer(db: Db, id: uuid.UUID) -> None:
    """Take no more orders from this customer."""
    await service.deactivate_customer(db, id)


@router.put("/{id}/account", response_model=AccountRead, dependencies=[require("customers:write")])
async def tie_customer_account(db: Db, id: uuid.UUID, body: AccountTie) -> CustomerAccount:
    """Let a person sign in as this customer."""
    return await service.tie_account(db, id, user_id=body.user_id)


@router.delete("/{id}/account", status_code=204, dependencies=[require("customers:write")])
async def untie_customer_account(db: Db, id: uuid.UUID, user_id: uuid.UUID | None = None) -> None:
    """Let that person sign in as this customer no more; without `user_id`, everybody."""
    await service.untie_accounts(db, id, user_id=user_id)


@own.get("", response_model=list[AddressRead])
async def get_own_addresses(
    db: Db, customer_id: OwnCustomer, query: Annotated[PageQuery, Depends()]
) -> Page[CustomerAddress]:
    """One's own doors, newest first."""
    doors = select(CustomerAddress).where(CustomerAddress.customer_id == customer_id)
    return await page(db, doors, CustomerAddress.id, query)


@own.post("", response_model=AddressRead, status_code=201)
async def add_own_address(db: Db, customer_id: OwnCustomer, body: AddressCreate) -> CustomerAddress:
    """One more door."""
    return await service.add_address(db, customer_id, new=body)


@own.put("/{id}", response_model=AddressRead)
async def update_own_address(db: Db, customer_id: OwnCustomer, id: uuid.UUID, body: AddressUpdate) -> CustomerAddress:
    """Change a door; orders keep the one they were taken for."""
    return await service.update_address(db, customer_id, id, changes=body)


@own.delete("/{id}", status_code=204)
async def remove_own_address(db: Db, customer_id: OwnCustomer, id: uuid.UUID) -> None:
    """Take a door away, unless it is the only one."""
    await service.remove_address(db, customer_id, id)


async def _read(db: AsyncSession, customers: Sequence[Customer]) -> list[CustomerRead]:
    doors = await service.addresses_of(db, [customer.id for customer in customers])
    return [
        CustomerRead(
            id=customer.id,
            number=customer.number,
            name=customer.name,
            phone=customer.phone,
            email=customer.email,
            is_active=customer.is_active,
            min_remaining_shelf_life_days=customer.min_remaining_shelf_life_days,
            addresses=[AddressRead.model_validate(door) for door in doors[customer.id]],
        )
        for customer in customers
    ]
