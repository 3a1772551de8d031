"""`/ws/tracking/{route_id}`."""

import uuid
from contextlib import aclosing

from fastapi import APIRouter, WebSocket, status

from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.permissions import TOKEN_SUBPROTOCOL, Principal, watcher
from cloud_api.logistics.deliveries.visibility import visible_routes
from cloud_api.logistics.tracking import service
from cloud_api.logistics.tracking.schemas import TrackRead
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.live import changes

live = APIRouter()


@live.websocket("/ws/tracking/{route_id}")
async def follow_route(socket: WebSocket, route_id: uuid.UUID) -> None:
    """What `track_route` answers, at once and again at each change.

    The token is the second subprotocol, after `bearer`. It is looked at again before each answer.
    """
    try:
        principal, _ = await _look(socket, route_id)
    except AppError as error:
        await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
        return
    await socket.accept(TOKEN_SUBPROTOCOL)
    topic = topic_of("route", principal.organization_id, route_id)
    async with aclosing(changes(socket, topic)) as changed:
        async for _ in changed:
            try:
                _, track = await _look(socket, route_id)
            except AppError as error:  # signed out, or somebody else drives it by now
                await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
                return
            await socket.send_text(track.model_dump_json())


async def _look(socket: WebSocket, route_id: uuid.UUID) -> tuple[Principal, TrackRead]:
    """Who watches, and the route as they may see it at this moment."""
    principal = await watcher(socket, "deliveries:read")
    database: Database = socket.app.state.database
    async with database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await visible_routes(db, principal, "deliveries:read")
        return principal, await service.track(db, route_id, seen=seen)
