"""What the listener remembers for its clients: subscriptions, what they have not acknowledged, and kept messages.

All of it is in memory: it outlives a connection, not the gateway. A client is told so in the words of the standard:
its CONNACK says that no session is present, and it subscribes again.
"""

import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.sources import topics
from gateway.sources.mqtt_packets import Wish
from gateway.sources.topics import Levels

MAX_SUBSCRIPTIONS = 64
#: QoS 1 messages that wait for one client; the oldest go first
MAX_WAITING = 100
MAX_WAITING_BYTES = 1 << 18
#: how long a session outlives its connection, whatever the client wants
MAX_SESSION_S = 24 * 3600
MAX_RETAINED = 256
MAX_RETAINED_BYTES = 1 << 20


class Outgoing(NamedTuple):
    """A message of the gateway to its clients."""

    topic: str
    payload: bytes
    retain: bool


class Subscription(NamedTuple):
    levels: Levels
    qos: int
    retain_as_published: bool


@dataclass(slots=True)
class Session:
    """What is kept for one client."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    #: sent with QoS 1 and not acknowledged, in the order of sending
    in_flight: dict[int, Outgoing] = field(default_factory=dict)
    #: QoS 1, not sent yet
    waiting: deque[Outgoing] = field(default_factory=deque)
    _waiting_bytes: int = 0
    _last_packet_id: int = 0

    def subscribe(self, wish: Wish) -> bool:
        """Whether the subscription is a new one. There must be room: see `has_room`."""
        is_new = wish.topic_filter not in self.subscriptions
        told = Subscription(topics.levels(wish.topic_filter), min(wish.qos, 1), wish.retain_as_published)
        self.subscriptions[wish.topic_filter] = told
        return is_new

    def has_room(self, wish: Wish) -> bool:
        return wish.topic_filter in self.subscriptions or len(self.subscriptions) < MAX_SUBSCRIPTIONS

    def wants(self, topic: Levels) -> tuple[int, bool] | None:
        """With which QoS the client gets this topic, and with the retain flag as published or not; None: not at all."""
        matching = [told for told in self.subscriptions.values() if topics.covers(told.levels, topic)]
        if not matching:
            return None
        return max(told.qos for told in matching), any(told.retain_as_published for told in matching)

    def queue(self, message: Outgoing) -> int:
        """Let a QoS 1 message wait; returns how many had to go for it."""
        self.waiting.append(message)
        self._waiting_bytes += len(message.payload)
        gone = 0
        while len(self.waiting) > MAX_WAITING or (self._waiting_bytes > MAX_WAITING_BYTES and len(self.waiting) > 1):
            self._waiting_bytes -= len(self.waiting.popleft().payload)
            gone += 1
        return gone

    def next_in_flight(self) -> tuple[int, Outgoing]:
        """Take the oldest that waits, under a packet identifier that is free."""
        message = self.waiting.popleft()
        self._waiting_bytes -= len(message.payload)
        packet_id = self._last_packet_id
        while True:
            packet_id = packet_id % 0xFFFF + 1
            if packet_id not in self.in_flight:
                break
        self._last_packet_id = packet_id
        self.in_flight[packet_id] = message
        return packet_id, message


#: the user and the client's id: nobody takes another user's place
Key = tuple[str | None, str]


class KeptSessions:
    """Of clients that are away."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._kept: OrderedDict[Key, tuple[Session, float]] = OrderedDict()

    def keep(self, key: Key, session: Session, for_s: float) -> None:
        """Until the client is back, the time is over, or too many others are away.

        A session without subscriptions is none.
        """
        self._kept.pop(key, None)
        if session.subscriptions and for_s > 0:
            self._kept[key] = session, time.monotonic() + min(for_s, MAX_SESSION_S)
            if len(self._kept) > self._at_most:
                self._kept.popitem(last=False)

    def take(self, key: Key) -> Session | None:
        """What was kept; it is forgotten here."""
        session, ends_at_s = self._kept.pop(key, (None, 0.0))
        return session if ends_at_s > time.monotonic() else None

    def living(self) -> list[Session]:
        """All whose time is not over."""
        now_s = time.monotonic()
        for key in [key for key, (_, ends_at_s) in self._kept.items() if ends_at_s <= now_s]:
            del self._kept[key]
        return [session for session, _ in self._kept.values()]


class Retained:
    """The last message of each topic that the gateway wants kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._bytes = 0

    def keep(self, topic: str, payload: bytes) -> bool:
        """Keep it instead of the one before, or, when it is empty, forget that one. False: there is no room."""
        self._bytes -= len(self._kept.pop(topic, b""))
        if not payload:
            return True
        if len(self._kept) >= MAX_RETAINED or self._bytes + len(payload) > MAX_RETAINED_BYTES:
            return False
        self._kept[topic] = payload
        self._bytes += len(payload)
        return True

    def matching(self, topic_filter: str) -> list[Outgoing]:
        wide = topics.levels(topic_filter)
        return [
            Outgoing(topic, payload, retain=True)
            for topic, payload in self._kept.items()
            if topics.covers(wide, topics.levels(topic))
        ]
