"""`/ws/tracking/{route_id}`: a route as it is driven."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.db import Database
from cloud_api.kernel.permissions import Principal, watcher
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.deliveries.visibility import visible_routes
from cloud_api.logistics.tracking.following import last_on, stops_of
from cloud_api.logistics.tracking.models import RouteWatch
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.sockets import follow, id_of

live = APIRouter()

_PACE = Pace()


class LiveRoute(msgspec.Struct, frozen=True, tag="route", tag_field="kind"):
    """The route, and where its van is."""

    id: uuid.UUID
    number: str
    status: str
    latitude: float | None
    longitude: float | None
    speed_kmh: float | None
    heading_deg: float | None
    recorded_at: datetime | None
    silent_since: datetime | None


class LiveStop(msgspec.Struct, frozen=True, tag="stop", tag_field="kind"):
    """One of its doors, and when the van comes; `id` is the delivery's."""

    id: uuid.UUID
    order_id: uuid.UUID
    sequence: int | None
    status: str
    stops_before: int | None
    p50_at: datetime | None
    p90_at: datetime | None
    near_since: datetime | None
    arrived_by_fence_at: datetime | None


@dataclass(frozen=True)
class RouteView:
    """A route with its doors, for those who see the same routes."""

    scope: OrganizationScope
    route_id: uuid.UUID
    seen: VisibleRoutes
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """The route first, then its doors in order; nothing when it is theirs no more."""
        topics = frozenset({topic_of("route", self.scope.organization_id, self.route_id)})
        its = select(Route).where(Route.id == self.route_id, self.seen.routes())
        route = (await db.scalars(its)).one_or_none()
        if route is None:
            return Picture({}, topics)
        items = {str(route.id): msgspec.json.encode(await _route(db, route))}
        moving = {stop.delivery_id: stop for stop in await stops_of(db, route.id)}
        for row in await deliveries.deliveries_of(db, route.id):
            stop = moving.get(row.id)
            shown = LiveStop(
                row.id,
                row.order_id,
                row.sequence,
                row.status,
                stop.stops_before if stop else None,
                stop.eta.p50_at if stop and stop.eta else None,
                stop.eta.p90_at if stop and stop.eta else None,
                stop.near_since if stop else None,
                stop.arrived_by_fence_at if stop else None,
            )
            items[str(row.id)] = msgspec.json.encode(shown)
        return Picture(items, topics)


async def _route(db: AsyncSession, route: Route) -> LiveRoute:
    last = await last_on(db, route)
    watch = (await db.scalars(select(RouteWatch).where(RouteWatch.route_id == route.id))).one_or_none()
    return LiveRoute(
        route.id,
        route.number,
        route.status,
        last.latitude if last else None,
        last.longitude if last else None,
        last.speed_kmh if last else None,
        last.heading_deg if last else None,
        last.recorded_at if last else None,
        watch.silent_since if watch and route.status == RouteStatus.IN_PROGRESS else None,
    )


@live.websocket("/ws/tracking/{route_id}")
async def follow_route(socket: WebSocket, route_id: str) -> None:
    """A route: where its van is, and how far each of its doors; at once, and each change.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, RouteView]:
        principal = await watcher(socket, "deliveries:read")
        database: Database = socket.app.state.database
        async with database.unit_of_work(principal.scope, read_only=True) as db:
            seen = await visible_routes(db, principal, "deliveries:read")
            route = await deliveries.get_route(
                db, id_of(route_id, what="a route", example="/ws/tracking/0198...", field="route_id"), seen=seen
            )
        return principal, RouteView(principal.scope, route.id, seen)

    await follow(socket, entitle)
