"""A site for each story."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.site import Site, open_site
from tests.services.mosquitto import mosquitto

__all__ = ["mosquitto", "site"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as opened:
        yield opened
