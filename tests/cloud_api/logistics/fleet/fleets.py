"""Vans, drivers and shifts to test with."""

import itertools
import uuid
from datetime import date
from typing import Any

from cloud_api.logistics.fleet import service
from cloud_api.logistics.fleet.service import Fleet, Van
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

_numbers = itertools.count(1)
VEHICLES = "/api/v1/warehouse/fleet/vehicles"
SHIFTS = "/api/v1/warehouse/fleet/shifts"
MAINTENANCE = "/api/v1/warehouse/fleet/maintenance"
#: a Monday
DAY = date(2027, 3, 1)


async def make_van(tenant: Tenant, **fields: Any) -> Any:
    """A van as the API answers it."""
    return await tenant.post(VEHICLES, {"number": f"KA-{next(_numbers)}", "capacity_g": 900_000, **fields})


async def hire(farm: Platform) -> str:
    """A driver's id."""
    return str(await id_of(await make_person(farm, farm.tenant, "delivery_personnel")))


async def make_shift(tenant: Tenant, user_id: str, **fields: Any) -> Any:
    """Mondays, from eight to six, unless `fields` say otherwise."""
    rule = {} if "on_date" in fields else {"weekday": 0}
    return await tenant.post(SHIFTS, {"user_id": user_id, **rule, **fields})


async def look(farm: Platform, warehouse_id: str, *vehicle_ids: str, day: date = DAY, **more: Any) -> Fleet:
    """Which vans may drive that day."""
    wanted = [uuid.UUID(one) for one in vehicle_ids]
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        return await service.survey(db, day=day, warehouse_id=uuid.UUID(warehouse_id), vehicle_ids=wanted, **more)


async def only(farm: Platform, warehouse_id: str, *vehicle_ids: str, **more: Any) -> Van:
    """The one that may."""
    [van] = (await look(farm, warehouse_id, *vehicle_ids, **more)).vans
    return van
