"""Who is watching what, in this process: live views are woken, and read the state for themselves.

What travels is only that a topic has changed, never data: a watcher reads it with its own rights.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Hub:
    """The watchers of this process."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        #: tells other processes; on PostgreSQL `main` puts NOTIFY here
        self.announce: Callable[[str], None] = self.wake

    def wake(self, topic: str) -> None:
        """A topic has changed: whoever watches it reads again. Many changes may be one waking."""
        for watcher in self._watchers.get(topic, ()):
            watcher.set()

    @contextmanager
    def watching(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set at each change while the context is open."""
        changed = asyncio.Event()
        self._watchers[topic].add(changed)
        try:
            yield changed
        finally:
            self._watchers[topic].discard(changed)
            if not self._watchers[topic]:
                del self._watchers[topic]


def topic_of(kind: str, organization_id: uuid.UUID, id: uuid.UUID) -> str:
    """The topic of one thing of one organisation."""
    return f"{kind}:{organization_id}:{id}"
