"""`/api/v1/customers`; `/api/v1/auth/me/addresses`, the doors of whoever signs in as a customer; where doors are."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.customers import queries, service
from cloud_api.customers.finding import Sought
from cloud_api.customers.locating import Country, Finder, LocatedCustomerMove, LocatedDoor, LocatedDoors, LocatedMove
from cloud_api.customers.models import Customer, CustomerAccount, CustomerAddress
from cloud_api.customers.schemas import (
    AccountRead,
    AccountTie,
    AddressConfirm,
    AddressCreate,
    AddressRead,
    AddressUpdate,
    CandidateRead,
    CustomerCreate,
    CustomerFilter,
    CustomerRead,
    CustomerUpdate,
    DoorUpdate,
    GeocodeRequest,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, RowsQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.sorting import sorted_page
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/customers", tags=["customers"], route_class=ApiRoute)
own = APIRouter(prefix="/auth/me/addresses", tags=["customers"], route_class=ApiRoute)
geocoding = APIRouter(prefix="/dispatch/geocode", tags=["dispatch"], route_class=ApiRoute)

#: of what the map matched; anything coarser is low
_CONFIDENCES = {"building": "high", "street": "medium"}


async def own_customer(db: Db, principal: CurrentPrincipal) -> uuid.UUID:
    """The customer that the caller signs in as; without one there is nothing here for them."""
    return await service.own_customer(db, principal.id)


OwnCustomer = Annotated[uuid.UUID, Depends(own_customer, scope="function")]


@router.get("", response_model=list[CustomerRead], dependencies=[require("customers:read")])
async def list_customers(
    db: Db, query: Annotated[RowsQuery, Depends()], wanted: Annotated[CustomerFilter, Depends()]
) -> Page[CustomerRead]:
    """Newest first, or as `sort` says, with their doors. A page's cursor goes on with the same `sort`."""
    found = await queries.matching(db, wanted)
    rows = await sorted_page(db, found, Customer.id, query, sort=wanted.sort, columns={"name": Customer.name})
    return Page(await _read(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=CustomerRead, status_code=201, dependencies=[require("customers:write")])
async def create_customer(located: LocatedDoors, db: Db, body: CustomerCreate) -> CustomerRead:
    """A customer with at least one door. A door without coordinates is looked for on the map."""
    return (await _read(db, [await service.create_customer(db, new=body, located=located)]))[0]


@router.get("/{id}", response_model=CustomerRead, dependencies=[require("customers:read")])
async def get_customer(db: Db, id: uuid.UUID) -> CustomerRead:
    """One customer."""
    return (await _read(db, [await service.get_customer(db, id)]))[0]


@router.put("/{id}", response_model=CustomerRead, dependencies=[require("customers:write")])
async def update_customer(db: Db, id: uuid.UUID, body: CustomerUpdate) -> CustomerRead:
    """Change name, phone, e-mail, language, what is asked of shelf life, or take orders again."""
    return (await _read(db, [await service.update_customer(db, id, changes=body)]))[0]


@router.delete("/{id}", status_code=204, dependencies=[require("customers:write")])
async def deactivate_customer(db: Db, id: uuid.UUID) -> None:
    """Take no more orders from this customer."""
    await service.deactivate_customer(db, id)


@router.post("/{id}/addresses", response_model=AddressRead, status_code=201, dependencies=[require("customers:write")])
async def add_customer_address(located: LocatedDoor, db: Db, id: uuid.UUID, body: AddressCreate) -> CustomerAddress:
    """One more door of a customer. Without coordinates it is looked for on the map."""
    return await service.add_address(db, id, new=body, located=located)


@router.put("/{id}/addresses/{address_id}", response_model=AddressRead, dependencies=[require("customers:write")])
async def update_customer_address(
    located: LocatedCustomerMove, db: Db, id: uuid.UUID, address_id: uuid.UUID, body: DoorUpdate
) -> CustomerAddress:
    """Change a door; orders keep the one they were taken for."""
    return await service.update_address(db, id, address_id, changes=body, located=located, seen=body.version)


@router.delete("/{id}/addresses/{address_id}", status_code=204, dependencies=[require("customers:write")])
async def remove_customer_address(db: Db, id: uuid.UUID, address_id: uuid.UUID) -> None:
    """Take a door away, unless it is the only one; orders keep their copy of it."""
    await service.remove_address(db, id, address_id)


@router.post(
    "/{id}/addresses/{address_id}/confirm", response_model=AddressRead, dependencies=[require("customers:write")]
)
async def confirm_address(db: Db, id: uuid.UUID, address_id: uuid.UUID, body: AddressConfirm) -> CustomerAddress:
    """Somebody has put the pin on the door: from now on its coordinates are certain."""
    return await service.confirm_address(db, id, address_id, pin=body)


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
async def add_own_address(
    located: LocatedDoor, db: Db, customer_id: OwnCustomer, body: AddressCreate
) -> CustomerAddress:
    """One more door. Without coordinates it is looked for on the map."""
    return await service.add_address(db, customer_id, new=body, located=located)


@own.put("/{id}", response_model=AddressRead)
async def update_own_address(
    located: LocatedMove, db: Db, customer_id: OwnCustomer, id: uuid.UUID, body: AddressUpdate
) -> CustomerAddress:
    """Change a door; orders keep the one they were taken for."""
    return await service.update_address(db, customer_id, id, changes=body, located=located)


@own.delete("/{id}", status_code=204)
async def remove_own_address(db: Db, customer_id: OwnCustomer, id: uuid.UUID) -> None:
    """Take a door away, unless it is the only one."""
    await service.remove_address(db, customer_id, id)


@geocoding.post("", response_model=list[CandidateRead], dependencies=[require("dispatch:read")])
async def geocode_address(finder: Finder, country: Country, body: GeocodeRequest) -> list[CandidateRead]:
    """What an address may be, likeliest first. Nothing is kept of it here."""
    found = await finder.candidates(Sought(body.address, body.city, body.postal_code), country=country)
    return [
        CandidateRead.model_validate(
            {
                "address": one.address,
                "latitude": one.latitude,
                "longitude": one.longitude,
                "precision": one.precision,
                "confidence": _CONFIDENCES.get(one.precision, "low"),
            }
        )
        for one in found
    ]


async def _read(db: AsyncSession, customers: Sequence[Customer]) -> list[CustomerRead]:
    doors = await service.addresses_of(db, [customer.id for customer in customers])
    return [
        CustomerRead(
            id=customer.id,
            number=customer.number,
            name=customer.name,
            phone=customer.phone,
            email=customer.email,
            locale=customer.locale,
            is_active=customer.is_active,
            min_remaining_shelf_life_days=customer.min_remaining_shelf_life_days,
            version=customer.version,
            addresses=[AddressRead.model_validate(door) for door in doors[customer.id]],
        )
        for customer in customers
    ]
