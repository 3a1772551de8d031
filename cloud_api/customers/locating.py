"""What routes ask for before their unit of work begins: where the doors are that came without coordinates."""

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request

from cloud_api.customers import phones
from cloud_api.customers.finding import AddressFinder, Located, Sought
from cloud_api.customers.schemas import AddressCreate, AddressUpdate, CustomerCreate, DoorUpdate
from cloud_api.customers.service import address_after
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import CurrentPrincipal, Principal


def finder_of(request: Request) -> AddressFinder:
    """The map's server."""
    finder: AddressFinder = request.app.state.address_finder
    return finder


Finder = Annotated[AddressFinder, Depends(finder_of)]


async def country_of(request: Request, principal: CurrentPrincipal) -> str:
    """The country in which addresses of the caller's organisation are looked for."""
    database: Database = request.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        return await phones.region_of(db)


async def _find(request: Request, principal: Principal, sought: Sought) -> Located:
    return await finder_of(request).find(sought, country=await country_of(request, principal))


def _lacks_coordinates(door: AddressCreate) -> bool:
    return door.latitude is None and door.longitude is None


async def locate_doors(request: Request, principal: CurrentPrincipal, body: CustomerCreate) -> Mapping[int, Located]:
    """Number of the address -> where the map says it is; of those with coordinates nothing is asked."""
    if not finder_of(request).is_configured:
        return {}
    return {
        number: await _find(
            request, principal, Sought(door.address, door.city, door.postal_code, f"addresses.{number}.")
        )
        for number, door in enumerate(body.addresses)
        if _lacks_coordinates(door)
    }


async def locate_door(request: Request, principal: CurrentPrincipal, body: AddressCreate) -> Located | None:
    """Where the map says one new address is."""
    if not finder_of(request).is_configured or not _lacks_coordinates(body):
        return None
    return await _find(request, principal, Sought(body.address, body.city, body.postal_code))


async def locate_moved_door(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, body: AddressUpdate
) -> Located | None:
    """Where the map says an address is that is to read otherwise, when nobody says where it is."""
    return await _find_moved(request, principal, id, body)


async def locate_moved_customer_door(
    request: Request, principal: CurrentPrincipal, address_id: uuid.UUID, body: DoorUpdate
) -> Located | None:
    """The same, of a customer's door."""
    return await _find_moved(request, principal, address_id, body)


async def _find_moved(
    request: Request, principal: Principal, address_id: uuid.UUID, body: AddressUpdate
) -> Located | None:
    if not finder_of(request).is_configured:
        return None
    database: Database = request.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        after = await address_after(db, address_id, changes=body)
    return None if after is None else await _find(request, principal, Sought(*after))


LocatedDoors = Annotated[Mapping[int, Located], Depends(locate_doors)]
LocatedDoor = Annotated[Located | None, Depends(locate_door)]
LocatedMove = Annotated[Located | None, Depends(locate_moved_door)]
LocatedCustomerMove = Annotated[Located | None, Depends(locate_moved_customer_door)]
Country = Annotated[str, Depends(country_of)]
