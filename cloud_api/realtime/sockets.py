"""A websocket that shows a view: who may see it is let in, looked at again, and told why when it ends.

What is sent is JSON: first `{"type": "state", "items": [...]}`, everything there is to see; then, at each change,
`{"type": "change", "items": [...], "gone": [...]}`: the things that are new or other than before, and the ids of those
that are no more. Who connects again begins with everything. What the watcher sends means nothing.
"""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog
from fastapi import FastAPI, WebSocket
from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from cloud_api.kernel.addresses import client_address, neighbourhood
from cloud_api.kernel.errors import AppError, Invalid, Unauthenticated
from cloud_api.kernel.metrics import LIVE_DROPPED, LIVE_VIEWS
from cloud_api.kernel.permissions import TOKEN_SUBPROTOCOL, Principal
from cloud_api.kernel.rate_limits import Budget, RateLimits
from cloud_api.kernel.settings import Settings
from cloud_api.realtime.direct import DIRECT, TOO_SLOW
from cloud_api.realtime.feeds import Feeds, Message, Outlet, View
from cloud_api.realtime.hub import Hub

log = structlog.get_logger(__name__)

NOT_NOW = 1013, "your rights cannot be looked up right now: connect again in a few seconds"
#: a reason has room for so much
_REASON_BYTES = 123
#: HTTP's status n is the socket's 4000 + n
_CODES_FROM = 4000

#: who watches, and what they may see at this moment; raises when they may not
Entitle = Callable[[], Awaitable[tuple[Principal, View]]]


class TooManyViews(AppError):
    """One person has as many live views open as they may."""

    status, code = 429, "TOO_MANY_VIEWS"

    def __init__(self, most: int) -> None:
        super().__init__(f"you have {most} live views open, and more are not possible: close one")


async def follow(socket: WebSocket, entitle: Entitle) -> None:
    """Show a websocket what it is entitled to until it leaves, or is entitled to nothing any more.

    A refusal closes it with 4000 + the status that HTTP would have, and with a reason that names the remedy.
    """
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(TOKEN_SUBPROTOCOL if TOKEN_SUBPROTOCOL in offered else None)
    try:
        principal, view = await _let_in(socket, entitle)
        with _counted(socket, principal):
            await _show(socket, view, entitle)
    except AppError as refusal:
        await close(socket, _CODES_FROM + refusal.status, refusal.message)
    except (SQLAlchemyError, OSError) as error:
        log.warning("live_view_not_opened", error=str(error))
        await close(socket, *NOT_NOW)
    except WebSocketDisconnect:
        return


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Say goodbye, unless the other side has gone."""
    if WebSocketState.DISCONNECTED not in (socket.client_state, socket.application_state):
        await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))


async def _let_in(socket: WebSocket, entitle: Entitle) -> tuple[Principal, View]:
    """Who it is and what they see; the handshake is counted for them, or for their address when it is nobody's."""
    limits: RateLimits = socket.app.state.rate_limits
    try:
        principal, view = await entitle()
    except Unauthenticated:
        await limits.take("anonymous", neighbourhood(client_address(socket)))
        raise
    budget: Budget = "gateway" if principal.kind == "gateway" else "default"
    await limits.take(budget, f"{principal.kind}:{principal.id}")
    return principal, view


@contextmanager
def _counted(socket: WebSocket, principal: Principal) -> Iterator[None]:
    hub: Hub = socket.app.state.hub
    settings: Settings = socket.app.state.settings
    who, shown = f"{principal.kind}:{principal.id}", LIVE_VIEWS.labels(socket.scope["route"].path)
    if hub.open_sockets[who] >= settings.live_views_per_person:
        raise TooManyViews(settings.live_views_per_person)
    hub.open_sockets[who] += 1
    shown.inc()
    try:
        yield
    finally:
        shown.dec()
        hub.open_sockets[who] -= 1
        if not hub.open_sockets[who]:
            del hub.open_sockets[who]


async def _show(socket: WebSocket, view: View, entitle: Entitle) -> None:
    feeds, relay = feeds_of(socket.app), None
    outlet: Outlet | None = socket.scope["extensions"].get(DIRECT, {}).get("outlet")
    if outlet is None:
        outlet = relay = Relay(socket)
    feeds.join(view, outlet)
    try:
        while await _still_there(socket):
            _, now = await entitle()
            if now != view:
                await feeds.leave(view, outlet)
                view = now
                feeds.join(view, outlet)
    finally:
        await feeds.leave(view, outlet)
        if relay is not None:
            await relay.stop()


async def _still_there(socket: WebSocket) -> bool:
    """Wait until who watches has to be looked at again; False: they have left."""
    try:
        async with asyncio.timeout(random.uniform(*socket.app.state.hub.look_again_s)):  # noqa: S311 - spread, no secret
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
    except TimeoutError:
        return True
    return False


def feeds_of(app: FastAPI) -> Feeds:
    """The feeds of an application, on the database that it has now."""
    feeds: Feeds | None = getattr(app.state, "feeds", None)
    if feeds is None or feeds.database is not app.state.database or feeds.hub is not app.state.hub:
        feeds = app.state.feeds = Feeds(app.state.database, app.state.hub)
    return feeds


class Relay:
    """An outlet by ASGI alone, for servers that offer nothing more direct: a task that sends what waits."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._waiting: deque[Message] = deque()
        self._bytes = 0
        self._more = asyncio.Event()
        self._is_slow = False
        self._task = asyncio.create_task(self._run(), name="relay to a websocket")

    def push(self, message: Message, *, most_behind_bytes: int) -> None:
        """Send a message soon."""
        if self._is_slow:
            return
        if self._bytes > most_behind_bytes:
            LIVE_DROPPED.inc()
            self._is_slow = True
            self._waiting.clear()
        else:
            self._waiting.append(message)
            self._bytes += len(message.data)
        self._more.set()

    async def stop(self) -> None:
        """Send no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._is_slow:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                message = self._waiting.popleft()
                await self._socket.send_text(message.text)
                self._bytes -= len(message.data)
        await close(self._socket, *TOO_SLOW)


def id_of(text: str, *, what: str, example: str, field: str) -> uuid.UUID:
    """An id that stands in a live view's address.

    Raises:
        Invalid: when it is none, saying how it looks.
    """
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid(f"name {what} by its id, as in {example}", field=field) from None
