"""`/api/v1/customers`."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import service
from cloud_api.customers.models import Customer
from cloud_api.customers.schemas import AddressRead, CustomerCreate, CustomerRead, CustomerUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/customers", tags=["customers"], route_class=ApiRoute)


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
            addresses=[AddressRead.model_validate(door) for door in doors[customer.id]],
        )
        for customer in customers
    ]
