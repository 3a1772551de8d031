"""One reading for all who see the same: a feed looks at a view when its topics change, and hands out what is new.

However many websockets watch, a change costs one reading of the database and one encoding; each socket is handed the
same bytes. Who sees the same is what a view says by being equal: it carries the organisation and the rights it is read
with, so that nobody is ever handed what was read for others.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from websockets.frames import Frame, Opcode

from cloud_api.kernel.db import Database
from cloud_api.kernel.metrics import LIVE_READINGS
from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.realtime.hub import Hub, Watch

log = structlog.get_logger(__name__)

#: views that are read at a time in one process: the others of the database's connections are for requests
_READ_AT_ONCE = 3
#: sockets that are written to before requests have their turn
_WRITTEN_AT_ONCE = 250
_RETRY_S = 1.0
_MOST_REST_S = 1.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What there is to see at one moment."""

    #: each thing as JSON, by its id, in the order they are shown
    items: Mapping[str, bytes]
    #: what may change it
    topics: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pace:
    """How soon, and how often, a view is looked at."""

    #: changes within so many seconds are one reading
    gather_s: float = 0.002
    #: looked at without being told, too: signals get lost, and silence is none
    look_every_s: float = 30.0


class View(Protocol):
    """What somebody may see. Equal views are read once: a frozen dataclass of everything that decides what is seen."""

    @property
    def scope(self) -> OrganizationScope:
        """Whose it is."""

    @property
    def pace(self) -> Pace:
        """How often it is looked at."""

    async def look(self, db: AsyncSession) -> Picture:
        """What there is to see now."""


@dataclass(frozen=True)
class Message:
    """What every socket of a feed is handed: encoded once."""

    data: bytes

    @cached_property
    def text(self) -> str:
        """As ASGI has it."""
        return self.data.decode()

    @cached_property
    def frame(self) -> bytes:
        """As it stands on the wire: a server's frames are not masked, and so are the same for all."""
        return Frame(Opcode.TEXT, self.data).serialize(mask=False)


class Outlet(Protocol):
    """A socket, as far as a feed is concerned."""

    def push(self, message: Message, *, most_behind_bytes: int) -> None:
        """Hand over a message at once; one that has not read that much of what it was handed before is ended."""


#: what may wait for a socket, at least
_MOST_BEHIND_BYTES = 256 * 1024


class Feed:
    """One view, and the sockets that show it."""

    def __init__(self, view: View, database: Database, hub: Hub, turns: asyncio.Semaphore) -> None:
        self._view = view
        self._database = database
        self._hub = hub
        self._turns = turns
        self._picture: Picture | None = None
        #: all of it as a message, once somebody has asked for it, and how much that is
        self._state: Message | None = None
        self._state_bytes = 0
        self._outlets: set[Outlet] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._outlets)

    def join(self, outlet: Outlet) -> None:
        """The outlet is handed everything there is to see, as soon as it is known, and then each change."""
        self._outlets.add(outlet)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"feed of {type(self._view).__name__}")
        if self._picture is not None:
            self._hand(outlet, self._whole(self._picture))

    def leave(self, outlet: Outlet) -> None:
        """The outlet is handed nothing any more."""
        self._outlets.discard(outlet)

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pace, loop = self._view.pace, asyncio.get_running_loop()
        with Watch(self._hub) as watch:
            while True:
                watch.changed.clear()
                began_s = loop.time()
                picture = await self._look()
                if picture is None:
                    await asyncio.sleep(_RETRY_S)
                    continue
                if watch.follow(picture.topics):
                    watch.changed.set()
                await self._show(picture)
                # never more than half of the time, however much changes
                await asyncio.sleep(min(loop.time() - began_s, _MOST_REST_S))
                with suppress(TimeoutError):
                    async with asyncio.timeout(pace.look_every_s):
                        await watch.changed.wait()
                await asyncio.sleep(pace.gather_s)

    async def _look(self) -> Picture | None:
        LIVE_READINGS.labels(type(self._view).__name__).inc()
        try:
            async with self._turns, self._database.unit_of_work(self._view.scope, read_only=True) as db:
                return await self._view.look(db)
        except (SQLAlchemyError, OSError) as error:
            log.warning("live_view_not_read", view=type(self._view).__name__, error=str(error))
            return None

    async def _show(self, picture: Picture) -> None:
        before, self._picture = self._picture, picture
        self._state_bytes = sum(map(len, picture.items.values()))
        if before is None:
            message = self._whole(picture)
        else:
            changed = [item for id, item in picture.items.items() if before.items.get(id) != item]
            gone = [f'"{id}"'.encode() for id in before.items if id not in picture.items]
            if not changed and not gone:
                return
            self._state = None
            message = Message(b'{"type":"change","items":[%b],"gone":[%b]}' % (b",".join(changed), b",".join(gone)))
        for written, outlet in enumerate(tuple(self._outlets), start=1):
            if outlet in self._outlets:
                self._hand(outlet, message)
            if written % _WRITTEN_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _whole(self, picture: Picture) -> Message:
        if self._state is None:
            self._state = Message(b'{"type":"state","items":[%b]}' % b",".join(picture.items.values()))
        return self._state

    def _hand(self, outlet: Outlet, message: Message) -> None:
        outlet.push(message, most_behind_bytes=_MOST_BEHIND_BYTES + self._state_bytes)


class Feeds:
    """The feeds of this process, while somebody watches them."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self.database = database
        self.hub = hub
        self._turns = asyncio.Semaphore(_READ_AT_ONCE)
        self._feeds: dict[View, Feed] = {}

    def join(self, view: View, outlet: Outlet) -> None:
        """Show the view to the outlet until it leaves."""
        feed = self._feeds.get(view)
        if feed is None:
            feed = self._feeds[view] = Feed(view, self.database, self.hub, self._turns)
        feed.join(outlet)

    async def leave(self, view: View, outlet: Outlet) -> None:
        """Show it no more; what nobody watches is not looked at."""
        feed = self._feeds[view]
        feed.leave(outlet)
        if not feed.watched:
            del self._feeds[view]
            await feed.close()
