"""Who is watching what, in this process: live views are woken, and read the state for themselves.

What travels is only that a topic has changed, never data: a watcher reads it with its own rights.
"""

import asyncio
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager


class Hub:
    """The watchers of this process."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        #: tells other processes; on PostgreSQL `worker` puts its wake-ups here
        self.announce: Callable[[str], None] = self.wake
        #: how many websockets each person or machine has open here
        self.open_sockets: Counter[str] = Counter()
        #: who watches is looked at again after so many seconds: at least, at most; each at a time of its own
        self.look_again_s = (40.0, 55.0)

    def wake(self, topic: str) -> None:
        """A topic has changed: whoever watches it reads again. Many changes may be one waking."""
        for watcher in self._watchers.get(topic, ()):
            watcher.set()

    def announce_all(self, topics: Collection[str]) -> None:
        """Some topics have changed, here: tell everybody."""
        for topic in topics:
            self.announce(topic)

    def wake_all(self) -> None:
        """Any topic may have changed while nobody told us."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.set()

    @contextmanager
    def watching(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set at each change while the context is open."""
        with Watch(self) as watch:
            watch.follow({topic})
            yield watch.changed

    def add(self, topic: str, changed: asyncio.Event) -> None:
        """Set `changed` at each change of the topic from now on."""
        self._watchers[topic].add(changed)

    def discard(self, topic: str, changed: asyncio.Event) -> None:
        """Set it no more."""
        self._watchers[topic].discard(changed)
        if not self._watchers[topic]:
            del self._watchers[topic]


class Watch:
    """One watcher of topics that may become others while it watches."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.topics: frozenset[str] = frozenset()
        #: set at each change of any of them
        self.changed = asyncio.Event()

    def follow(self, topics: Collection[str]) -> bool:
        """Watch these from now on, and no others. Returns whether one is new: what it was before may be old by now."""
        wanted = frozenset(topics)
        fresh = wanted - self.topics
        for topic in fresh:
            self._hub.add(topic, self.changed)
        for topic in self.topics - wanted:
            self._hub.discard(topic, self.changed)
        self.topics = wanted
        return bool(fresh)

    def __enter__(self) -> "Watch":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Watch nothing."""
        self.follow(())


def topic_of(kind: str, organization_id: uuid.UUID, id: uuid.UUID) -> str:
    """The topic of one thing of one organisation."""
    return f"{kind}:{organization_id}:{id}"
