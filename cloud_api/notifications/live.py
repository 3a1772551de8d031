"""`/ws/notifications/{user_id}`: one's own unread notifications as they come and go."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import msgspec
from fastapi import APIRouter, WebSocket
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.permissions import TOKEN_SUBPROTOCOL, DutyFirst, Principal, identify
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.notifications import queries, service
from cloud_api.notifications.models import Notification
from cloud_api.realtime.feeds import Pace, Picture
from cloud_api.realtime.sockets import follow

live = APIRouter()

_PACE = Pace()
#: as many as a screen shows
_NEWEST = 100


class LiveNotification(msgspec.Struct, frozen=True, gc=False):
    """One that its person has not read."""

    id: uuid.UUID
    title: str
    message: str
    severity: str
    category: str
    subject: str
    data: dict[str, object]
    created_at: datetime


@dataclass(frozen=True)
class UnreadView:
    """The newest that one person has not read."""

    scope: OrganizationScope
    user_id: uuid.UUID
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Each by its id, newest first."""
        newest = queries.listed(self.user_id, unread=True).order_by(Notification.id.desc()).limit(_NEWEST)
        items = {
            str(one.id): msgspec.json.encode(
                LiveNotification(
                    one.id, one.title, one.message, one.severity, one.category, one.subject, one.data, one.created_at
                )
            )
            for one in await db.scalars(newest)
        }
        return Picture(items, frozenset({service.topic(self.scope.organization_id, self.user_id)}))


@live.websocket("/ws/notifications/{user_id}")
async def follow_notifications(socket: WebSocket, user_id: str) -> None:
    """What one has not read, and each change. The id is one's own.

    The token is the second subprotocol, after `bearer`. What is sent, and how a refusal looks, `realtime.sockets` says.
    """

    async def entitle() -> tuple[Principal, UnreadView]:
        principal = await _who(socket)
        if principal.kind != "user" or str(principal.id) != user_id.lower():
            raise Forbidden("only your own notifications: put your own id into the address")
        return principal, UnreadView(principal.scope, principal.id)

    await follow(socket, entitle)


async def _who(socket: WebSocket) -> Principal:
    """Whoever is signed in; it takes no permission to read what was written to oneself."""
    offered = socket.scope.get("subprotocols", [])
    token = offered[1] if len(offered) == 2 and offered[0] == TOKEN_SUBPROTOCOL else ""
    principal = await identify(socket, token)
    if principal.duty is not None:
        raise DutyFirst(principal.duty)
    return principal
