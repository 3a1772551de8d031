"""A spool that commits, a cloud that answers, and a disk that is soon full."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.spool.writer import Spool
from tests.gateway.cloud_double import CloudDouble, running_cloud
from tests.gateway.running import running_spool
from tests.services.mosquitto import mosquitto

__all__ = ["cloud", "mosquitto", "small_disk", "spool"]


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    async with running_spool(tmp_path / "data") as spool:
        yield spool


@pytest.fixture
async def cloud() -> AsyncIterator[CloudDouble]:
    async with running_cloud() as cloud:
        yield cloud


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 24 MB; mounting takes root, as installing the servers does."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "coldfleet-test", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
