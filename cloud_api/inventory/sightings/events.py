"""What sightings tell themselves: what was seen is followed up after the batch that told of it is safe."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class TagsSeen:
    """A gateway has told of tags: its sightings from one sequence to another, both included."""

    gateway_id: uuid.UUID
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True)
class PassageReady:
    """A tag has passed a portal whose rule says that it is booked at once."""

    passage_id: uuid.UUID
