"""A day to plan: a store with packed orders, and vans with their drivers."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from tests.factories.orders import Depot, day_in, hire_driver, in_this_process, make_depot, make_van, order_from, pack
from tests.platform_under_test import Platform, Tenant


@dataclass(frozen=True)
class DayToPlan:
    """Tomorrow, at a store."""

    platform: Platform
    depot: Depot
    van_ids: Sequence[str]
    order_ids: Sequence[str]

    @property
    def tenant(self) -> Tenant:
        """Whose it is."""
        return self.depot.tenant

    @property
    def address(self) -> str:
        """Its board."""
        return f"/console/dispatch?{urlencode({'warehouse_id': self.depot.warehouse_id, 'date': day_in(1)})}"

    async def queued(self, **fields: object) -> str:
        """A job that waits for the planner; its id."""
        wanted = {"warehouse_id": self.depot.warehouse_id, "delivery_date": day_in(1), "time_limit_s": 1, **fields}
        return str((await self.tenant.post("/api/v1/dispatch/jobs", wanted))["id"])

    async def planned(self, **fields: object) -> str:
        """A job that has found something; its id."""
        job_id = await self.queued(**{"vehicle_ids": list(self.van_ids), **fields})
        await in_this_process(self.platform, self.tenant, job_id)
        return job_id


async def make_day(platform: Platform, *, vans: int, doors: int) -> DayToPlan:
    """So many vans, and so many packed orders for them."""
    depot = await make_depot(platform.tenant, quantity="1000.000")
    van_ids = []
    for _ in range(vans):
        driver_id, _driver = await hire_driver(platform, platform.tenant)
        van_ids.append(str((await make_van(platform.tenant, driver_id=driver_id))["id"]))
    order_ids = []
    for door in range(doors):
        order = await order_from(depot, latitude=12.93 + door / 300, longitude=77.61 + (door % 3) / 200)
        await pack(platform.tenant, order["id"])
        order_ids.append(str(order["id"]))
    return DayToPlan(platform, depot, van_ids, order_ids)


@pytest.fixture
async def day(sqlite_platform: Platform) -> DayToPlan:
    """Two vans and three orders."""
    return await make_day(sqlite_platform, vans=2, doors=3)
