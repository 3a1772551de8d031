from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from cloud_api.kernel import clock
from tests.factories.grounds import farm, ground
from tests.factories.grounds import mostly_embedded_url as ground_url

__all__ = ["farm", "ground", "ground_url", "wall_clock"]


class WallClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self._now

    def move(self, **ahead: float) -> None:
        """Later, by so much."""
        self._now += timedelta(**ahead)


@pytest.fixture
def wall_clock() -> Iterator[WallClock]:
    """The platform's time, in the test's hand."""
    hand = WallClock()
    clock.use(hand)
    yield hand
    clock.use(None)
