"""The door of positions: what many phones say at once is written by one statement, and committed once.

Whoever said it is answered after the commit.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.served_together import ServedTogether
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.logistics.tracking import positions
from cloud_api.logistics.tracking.schemas import PositionReport, PositionsRead


@dataclass(frozen=True, slots=True)
class Said:
    """What one phone says."""

    driver_id: uuid.UUID
    #: None: the route under way, or else the driver's own van
    route_id: uuid.UUID | None
    reports: Sequence[PositionReport]


#: whose positions are written together
_Key = tuple[Database, uuid.UUID]


class PositionDoor:
    """What waits in this process."""

    def __init__(self) -> None:
        self._waiting: ServedTogether[_Key, Said, PositionsRead] = ServedTogether(_serve, what="positions")

    async def report(self, database: Database, organization_id: uuid.UUID, said: Said) -> PositionsRead:
        """Keep where a van was; returns once it is committed.

        Raises:
            NotFound: when the driver has no such route.
            NoVehicle: when no route is named, none is under way, and no van is the driver's.
        """
        return await self._waiting.ask((database, organization_id), said)


async def _serve(key: _Key, said: Sequence[Said]) -> Sequence[PositionsRead | AppError]:
    database, organization_id = key
    async with database.unit_of_work(OrganizationScope(organization_id)) as db:
        vans = await positions.vans_of(db, [(one.route_id, one.driver_id) for one in said])
        good = [(van, one.reports) for van, one in zip(vans, said, strict=True) if isinstance(van, positions.Van)]
        kept = iter(await positions.keep_all(db, good))
    return [next(kept) if isinstance(van, positions.Van) else van for van in vans]
