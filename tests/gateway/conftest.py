"""A spool that commits, and a cloud that answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.spool import Spool
from tests.gateway.cloud_double import CloudDouble, running_cloud
from tests.gateway.running import running_spool
from tests.services.mosquitto import mosquitto

__all__ = ["cloud", "mosquitto", "spool"]


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    async with running_spool(tmp_path / "data") as spool:
        yield spool


@pytest.fixture
async def cloud() -> AsyncIterator[CloudDouble]:
    async with running_cloud() as cloud:
        yield cloud
