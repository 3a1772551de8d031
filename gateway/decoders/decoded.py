"""What a decoder makes of one message."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from gateway.contract import Quality, TagRead, TimeSource, Weighing


class DecodeError(ValueError):
    """The message cannot be read; the reason is kept with its bytes."""


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """A reading without its place in the spool; the fields are those of `contract.Reading`."""

    sensor: str
    quantity: str
    value: float
    unit: str
    recorded_at_ms: int
    time_source: TimeSource = "gateway"
    quality: Quality = "good"


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """A tag read; its sequence is 0 until the spool gives one."""

    read: TagRead
    #: the reader's own number of this event, unique for ever, when its maker gives one: repeats are dropped
    identity: str | None = None


#: what earlier messages have told about later ones, kept on disk: names, units, aliases; key -> text
Known = Mapping[str, str]


class Request(msgspec.Struct, frozen=True, gc=False):
    """What the gateway should publish, so that the device tells again what was missed (Sparkplug's rebirth)."""

    topic: str
    payload: bytes


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """All that one message says. Empty when it is no measurement (a control topic, a button)."""

    measurements: tuple[Measurement, ...] = ()
    #: why parts of the message could not be used; its bytes become a dead letter, its good parts are kept
    problems: tuple[str, ...] = ()
    #: the sensor's own number of this message, unique for ever, when its maker gives one: repeats are dropped
    identity: str | None = None
    sightings: tuple[Sighting, ...] = ()
    #: their sequences are 0 until the spool gives them
    weighings: tuple[Weighing, ...] = ()
    #: to be `Known` from now on; committed with the rows. A key begins with the maker's prefix: `sparkplug:`
    learned: Mapping[str, str] = {}
    requests: tuple[Request, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the message makes in the spool."""
        return len(self.measurements) + len(self.sightings) + len(self.weighings)


class Decode(Protocol):
    """A pure function a maker. Raises `DecodeError`, whatever the bytes, and nothing else."""

    def __call__(self, topic: str, payload: bytes, received_at_ms: int) -> Decoded: ...


class LearningDecode(Protocol):
    """The same for makers whose messages cannot be read without earlier ones."""

    def __call__(self, topic: str, payload: bytes, received_at_ms: int, known: Known) -> Decoded: ...
