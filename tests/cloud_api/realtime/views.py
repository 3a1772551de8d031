"""A view of what a test says there is, and outlets that keep what they were handed."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel.tenancy import OrganizationScope
from cloud_api.realtime.feeds import Message, Pace, Picture
from tests.services.waiting import until

SCOPE = OrganizationScope(uuid.UUID(int=1))
_PACE = Pace()


@dataclass
class Shelf:
    """What there is to see, and how often it was looked at."""

    things: dict[str, str] = field(default_factory=dict)
    topics: frozenset[str] = frozenset({"shelf"})
    looks: int = 0
    #: raised by the next look
    trouble: Exception | None = None
    #: what happens while it is looked at, after the things were read
    meanwhile: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class ShelfView:
    """The shelf, as somebody sees it."""

    shelf: Shelf = field(hash=False, compare=False)
    rights: str = "all"
    scope: OrganizationScope = SCOPE
    pace: Pace = _PACE

    async def look(self, db: AsyncSession) -> Picture:
        """Everything that the rights show."""
        self.shelf.looks += 1
        trouble, self.shelf.trouble = self.shelf.trouble, None
        if trouble is not None:
            raise trouble
        seen = {id: name for id, name in self.shelf.things.items() if self.rights in ("all", name)}
        items = {id: msgspec.json.encode({"id": id, "name": name}) for id, name in seen.items()}
        meanwhile, self.shelf.meanwhile = self.shelf.meanwhile, lambda: None
        meanwhile()
        await asyncio.sleep(0)
        return Picture(items, self.shelf.topics)


class Kept:
    """An outlet that keeps everything."""

    def __init__(self) -> None:
        self.handed: list[Message] = []
        self.most_behind_bytes = 0

    def push(self, message: Message, *, most_behind_bytes: int) -> None:
        """Keep it."""
        self.handed.append(message)
        self.most_behind_bytes = most_behind_bytes

    async def hears(self, count: int) -> list[Any]:
        """The first so many messages, once they are there."""
        await until(lambda: len(self.handed) >= count, what=f"{count} messages")
        return [msgspec.json.decode(message.data) for message in self.handed]
