"""`/ws/edge/status`: which gateways are online, and what waits in them."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.gateways.service import is_online
from cloud_api.devices.models import Gateway
from cloud_api.devices.queries import visible_gateways
from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.places import service as places
from cloud_api.places.queries import Visible
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow

live = APIRouter()

#: heartbeats come all the time; that one does not come is announced by nobody
_PACE = Pace(gather_s=0.25, look_every_s=5.0)


class GatewayStatus(msgspec.Struct, frozen=True, gc=False):
    """How a gateway is, as far as it has said."""

    id: uuid.UUID
    name: str
    status: str
    online: bool
    software_version: str | None
    last_seen_at: datetime | None
    #: rows on its disk, and the oldest of them, as its last heartbeat said; None: it has said nothing
    backlog_rows: int | None
    oldest_unsent_at: datetime | None


@dataclass(frozen=True)
class GatewaysView:
    """The gateways to be seen."""

    scope: OrganizationScope
    seen: Visible
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Each that was not taken out of service, by its id."""
        in_service = select(Gateway).where(Gateway.status != "decommissioned", visible_gateways(Gateway.id, self.seen))
        gateways = await db.scalars(in_service.order_by(Gateway.name))
        items = {str(gateway.id): msgspec.json.encode(_status(gateway)) for gateway in gateways}
        organization_id = self.scope.organization_id
        return Picture(items, frozenset({topic_of("gateways", organization_id, organization_id)}))


def _status(gateway: Gateway) -> GatewayStatus:
    return GatewayStatus(
        gateway.id,
        gateway.name,
        gateway.status,
        is_online(gateway),
        gateway.software_version,
        gateway.last_seen_at,
        gateway.backlog_rows,
        gateway.oldest_unsent_at,
    )


@live.websocket("/ws/edge/status")
async def follow_gateways(socket: WebSocket) -> None:
    """Every gateway to be seen: whether it is online, when it was last heard, and what waits in it.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, GatewaysView]:
        principal = await watcher(socket, "devices:read")
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            return principal, GatewaysView(principal.scope, await places.visible_to(db, principal))

    await follow(socket, entitle)
