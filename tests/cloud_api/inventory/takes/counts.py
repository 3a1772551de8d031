"""Stock takes as tests hold them."""

from typing import Any

from tests.factories.farms import make_person
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant

TAKES = "/api/v1/warehouse/stock/takes"


async def begin(store: ColdStore, tenant: Tenant | None = None, **fields: Any) -> Any:
    """A stock take of the store's warehouse."""
    return await (tenant or store.tenant).post(TAKES, {"warehouse_id": store.warehouse_id, **fields})


def counted(store: ColdStore, lot_id: str | None, quantity: str | None, **fields: Any) -> dict[str, Any]:
    """So much of a lot in the cold room."""
    return {"lot_id": lot_id, "location_id": store.room_id, "quantity": quantity, **fields}


async def enter(person: Tenant, take: Any, *counts: dict[str, Any]) -> Any:
    """Write counts down."""
    return await person.post(f"{TAKES}/{take['id']}/counts", {"counts": list(counts)})


async def do(person: Tenant, take: Any, verb: str, body: object = None) -> Any:
    """What can be done with a take."""
    return await person.post(f"{TAKES}/{take['id']}/{verb}", body)


async def lines(person: Tenant, take: Any) -> list[Any]:
    """What a person is told of its lines."""
    told: list[Any] = (await person.get(f"{TAKES}/{take['id']}"))["details"]
    return told


async def approve_and_complete(farm: Platform, store: ColdStore, take: Any) -> Any:
    """Somebody who has not counted approves, and it is booked."""
    manager = await make_person(farm, store.tenant, "warehouse_manager")
    await do(manager, take, "approve")
    return await do(store.tenant, take, "complete")
