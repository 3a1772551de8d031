"""What the cold chain tells the rooms above it."""

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class ExcursionOpened:
    """A place is outside its limits, and what lies in it is held."""

    excursion_id: uuid.UUID
    location_id: uuid.UUID


@dataclass(frozen=True)
class ExcursionRecovered:
    """The place is well again; its goods stay held until somebody decides."""

    excursion_id: uuid.UUID
    location_id: uuid.UUID


@dataclass(frozen=True)
class ExcursionClosed:
    """Somebody decided about the goods."""

    excursion_id: uuid.UUID
    disposition: str


@dataclass(frozen=True)
class AlertAcknowledged:
    """Somebody answers for an alert, and so for everything that raised it."""

    alert_id: uuid.UUID
    #: `excursion:<id>`, `sensor:<id>:silent`, ...
    subjects: tuple[str, ...]
    user_id: uuid.UUID
    comment: str


@dataclass(frozen=True)
class RuleEnded:
    """A rule was disabled or deleted: what it has raised is over."""

    rule_id: uuid.UUID
