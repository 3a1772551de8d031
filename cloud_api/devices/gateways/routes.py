"""`/api/v1/edge/gateways`: which there are, and what they are called."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.devices import queries
from cloud_api.devices.gateways import service
from cloud_api.devices.gateways.schemas import GatewayRead, GatewayUpdate
from cloud_api.devices.models import Gateway
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/edge/gateways", tags=["devices"], route_class=ApiRoute)


@router.get("", response_model=list[GatewayRead], dependencies=[require("devices:read")])
async def list_gateways(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[RowsQuery, Depends()],
    status: Literal["pending", "active", "decommissioned"] | None = None,
) -> Page[GatewayRead]:
    """Newest first, each with whether it is online, what waits on its disk, and what became of its configuration."""
    mine = select(Gateway).where(queries.visible_gateways(Gateway.id, seen))
    if status is not None:
        mine = mine.where(Gateway.status == status)
    rows = await page(db, mine, Gateway.id, query)
    return Page([_read(gateway) for gateway in rows.items], rows.limit, rows.next_cursor)


@router.get("/{id}", response_model=GatewayRead, dependencies=[require("devices:read")])
async def get_gateway(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> GatewayRead:
    """One gateway."""
    return _read(await service.get_gateway(db, id, seen=seen))


@router.put("/{id}", response_model=GatewayRead, dependencies=[require("devices:write")])
async def update_gateway(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: GatewayUpdate) -> GatewayRead:
    """Call it something else."""
    return _read(await service.rename_gateway(db, id, changes=body, seen=seen))


def _read(gateway: Gateway) -> GatewayRead:
    shown = {name: getattr(gateway, name) for name in GatewayRead.model_fields if name != "online"}
    return GatewayRead(online=service.is_online(gateway), **shown)
