"""When a van is inside a fence, and when it has left it: pure, by its positions alone.

A position that may be off by `accuracy_m` proves that a van is inside only when it lies so much deeper than the line,
and that it is outside only when it lies so much beyond it and a bit more. In between it stays what it was: a phone that
wanders over the line makes no event, however long it does.
"""

from dataclasses import dataclass

from cloud_api.logistics.tracking.geometry import Shape

#: of a phone that does not say how far off it may be
USUAL_ACCURACY_M = 15.0
#: a position that may be farther off proves nothing
WORST_ACCURACY_M = 150.0
#: beyond the line and the accuracy, before a van has left
CLEAR_M = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One position, as far as a fence is concerned."""

    latitude: float
    longitude: float
    accuracy_m: float | None = None

    @property
    def proves_nothing(self) -> bool:
        """Whether it may be too far off."""
        return self.accuracy_m is not None and self.accuracy_m > WORST_ACCURACY_M


def is_inside(shape: Shape, seen: Seen, *, was_inside: bool) -> bool:
    """Whether a van is inside after one more position."""
    if seen.proves_nothing:
        return was_inside
    off_m = USUAL_ACCURACY_M if seen.accuracy_m is None else seen.accuracy_m
    depth_m = shape.depth_m(seen.latitude, seen.longitude)
    if was_inside:
        return depth_m < off_m + CLEAR_M
    return depth_m <= -off_m
