from collections.abc import Iterator

import pytest

from tests.cloud_api.cold_chain.alerts.alarms import Hands
from tests.factories.grounds import farm, ground, ground_url, store

__all__ = ["farm", "ground", "ground_url", "store"]


@pytest.fixture
def hands() -> Iterator[Hands]:
    """A clock that stands where it is put, for the whole process."""
    with Hands() as clock:
        yield clock
