"""`/ws/admin/security-events`."""

import uuid
from contextlib import aclosing
from datetime import datetime, timedelta

from fastapi import APIRouter, WebSocket, status

from cloud_api.audit import queries
from cloud_api.audit.models import SecurityEvent
from cloud_api.audit.schemas import SecurityEventRead
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import AppError
from cloud_api.kernel.permissions import TOKEN_SUBPROTOCOL, Principal, watcher
from cloud_api.realtime.hub import topic_of
from cloud_api.realtime.live import changes

live = APIRouter()

#: an event that is committed later than others of its time is still found
_OVERLAP = timedelta(minutes=1)
#: events in one reading of the database
_AT_ONCE = 200


@live.websocket("/ws/admin/security-events")
async def follow_security_events(socket: WebSocket) -> None:
    """Each security event that is raised from now on, as `GET /api/v1/admin/security/events` shows it.

    The token is the second subprotocol, after `bearer`. It is looked at again before each event is sent: who may not
    see them any more is disconnected.
    """
    try:
        principal = await watcher(socket, "security:read")
        fresh = _Fresh(socket.app.state.database, principal)
        await fresh.read()
    except AppError as error:
        await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
        return
    await socket.accept(TOKEN_SUBPROTOCOL if TOKEN_SUBPROTOCOL in socket.scope.get("subprotocols", []) else None)
    topic = topic_of("security", principal.organization_id, principal.organization_id)
    async with aclosing(changes(socket, topic)) as changed:
        async for _ in changed:
            try:
                await watcher(socket, "security:read")
            except AppError as error:
                await socket.close(status.WS_1008_POLICY_VIOLATION, error.message)
                return
            for raised in await fresh.read():
                await socket.send_text(SecurityEventRead.model_validate(raised).model_dump_json())


class _Fresh:
    """Reads what was raised since the last reading; each event once."""

    def __init__(self, database: Database, principal: Principal) -> None:
        self._database = database
        self._principal = principal
        #: raised in the last minute, and when
        self._seen: dict[uuid.UUID, datetime] = {}
        self._until = clock.now()

    async def read(self) -> list[SecurityEvent]:
        """Oldest first."""
        since = self._until - _OVERLAP
        statement = queries.security_events(since=since).order_by(SecurityEvent.id).limit(_AT_ONCE)
        found: list[SecurityEvent] = []
        async with self._database.unit_of_work(self._principal.scope, read_only=True) as db:
            events = (await db.scalars(statement)).all()
            while events:
                found += [event for event in events if event.id not in self._seen]
                events = (await db.scalars(statement.where(SecurityEvent.id > events[-1].id))).all()
        self._seen |= {event.id: event.occurred_at for event in found}
        self._until = max([self._until, *self._seen.values()])
        self._seen = {id: at for id, at in self._seen.items() if at >= self._until - _OVERLAP}
        return found
