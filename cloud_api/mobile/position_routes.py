"""`/api/v1/mobile/positions`: where the driver's van was, many at once."""

from fastapi import APIRouter, Request

from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.rate_limits import budget
from cloud_api.kernel.unit_of_work import KeyedDb
from cloud_api.logistics.tracking import service
from cloud_api.logistics.tracking.door import PositionDoor, Said
from cloud_api.logistics.tracking.schemas import PositionReports, PositionsRead

router = APIRouter(prefix="/mobile", tags=["mobile"], route_class=ApiRoute)


@router.post("/positions", response_model=PositionsRead, dependencies=[require("deliveries:update_status")])
@budget("driver")
async def report_positions(
    request: Request, db: KeyedDb, principal: CurrentPrincipal, body: PositionReports
) -> PositionsRead:
    """Where the van was, up to 500 positions in any order; each is answered by itself, and may come again."""
    if db is not None:
        return await service.report_positions(db, body.route_id, driver_id=principal.id, reports=body.positions)
    door: PositionDoor = request.app.state.position_door
    said = Said(principal.id, body.route_id, body.positions)
    return await door.report(request.app.state.database, principal.organization_id, said)
