"""Where and when a phone has signal."""

import random
from dataclasses import dataclass, field
from typing import Protocol

from device_sims.phone.road import distance_m


class Signal(Protocol):
    """Whether a phone has signal."""

    def there(self, now_ms: int, at: tuple[float, float] | None) -> bool:
        """At this time, in this place (degrees; None: it is not known)."""


class AlwaysSignal:
    """A city without basements."""

    def there(self, now_ms: int, at: tuple[float, float] | None) -> bool:
        """Always."""
        return True


@dataclass
class DeadZones:
    """Stretches of time without signal, drawn from `seed`, and places that never have any.

    Stretches with and without follow each other, each drawn from an exponential distribution. The same seed makes the
    same stretches, however often somebody asks; time must not run backwards.
    """

    seed: int
    #: of all time, what is without signal
    share: float = 0.3
    #: how long a stretch without is on average, in seconds
    mean_s: float = 1200.0
    #: (latitude, longitude, radius in metres)
    places: tuple[tuple[float, float, float], ...] = ()
    _until_ms: int | None = field(default=None, init=False)
    _dead: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"a share of {self.share} is without signal: it must be from 0 to below 1")
        self._dice = random.Random(self.seed)  # noqa: S311 - a simulator's

    def there(self, now_ms: int, at: tuple[float, float] | None) -> bool:
        """Neither in a dead stretch nor in a dead place."""
        if at is not None and any(distance_m(at, (lat, lon)) <= radius_m for lat, lon, radius_m in self.places):
            return False
        if self.share == 0:
            return True
        if self._until_ms is None:
            self._until_ms = now_ms
        while self._until_ms <= now_ms:
            self._dead = not self._dead
            mean_s = self.mean_s if self._dead else self.mean_s * (1 - self.share) / self.share
            self._until_ms += max(1, round(self._dice.expovariate(1 / mean_s) * 1000))
        return not self._dead
