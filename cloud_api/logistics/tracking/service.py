"""The verbs of tracking: positions come in; where a route is goes out.

What other rooms call stands here: `report_positions`, `van_of`, `write_down`, `last_positions`, `etas`,
`learned_service_s`, `link_for`, `promise_eta`, `track`.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.errors import ClockImplausible
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.tracking import positions
from cloud_api.logistics.tracking.arrivals import etas as etas
from cloud_api.logistics.tracking.eta import Eta as Eta
from cloud_api.logistics.tracking.following import last_positions as last_positions
from cloud_api.logistics.tracking.following import track as track
from cloud_api.logistics.tracking.learning import learned_service_s as learned_service_s
from cloud_api.logistics.tracking.links import link_for as link_for
from cloud_api.logistics.tracking.positions import Van as Van
from cloud_api.logistics.tracking.positions import van_of as van_of
from cloud_api.logistics.tracking.positions import write_down as write_down
from cloud_api.logistics.tracking.promises import promise_eta as promise_eta
from cloud_api.logistics.tracking.schemas import PositionReport, PositionsRead


async def report_positions(
    db: AsyncSession, route_id: uuid.UUID | None, *, driver_id: uuid.UUID, reports: Sequence[PositionReport]
) -> PositionsRead:
    """Keep where a van was: of a driver's route, of the one under way, or of the driver's own van.

    Each position is answered by itself: what the phone's clock cannot have seen is refused, what is known a duplicate.

    Raises:
        NotFound: when the driver has no such route.
        NoVehicle: when no route is named, none is under way, and no van is the driver's.
    """
    return await positions.keep(db, await positions.van_of(db, route_id, driver_id=driver_id), reports)


async def report_position(
    db: AsyncSession, delivery_id: uuid.UUID, *, driver_id: uuid.UUID, report: PositionReport
) -> None:
    """Keep where the van is, on its way to a delivery.

    Raises:
        NotFound: when the driver has no such delivery.
        ClockImplausible: when the phone's clock cannot be right.
    """
    delivery = await deliveries.get_delivery(db, delivery_id, seen=VisibleRoutes(driver_id=driver_id))
    van = await positions.van_of(db, delivery.route_id, driver_id=driver_id)
    [result] = (await positions.keep(db, van, [report])).results
    if result.status == "refused":
        raise ClockImplausible(result.message or "", field="recorded_at")
