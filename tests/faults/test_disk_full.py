"""A disk that others fill to the last byte, and that is free again later."""

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.faults.site import Site, open_site
from tests.services.waiting import wait_until

DISK_MB = 24


class FullDisk(Protocol):
    """Something that can be full."""

    def fill(self, site: Site) -> None:
        """From now on nothing more can be written, ..."""

    def free(self, site: Site) -> None:
        """... until now."""


class SmallFileSystem:
    """A file system of its own, with a file on it that takes all the room there is left."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, site: Site) -> None:
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                os.posix_fallocate(file.fileno(), file.tell(), 4096)
                file.seek(4096, os.SEEK_CUR)
        site.wait_for_messages(1000)  # the ballast was laid by for this

    def free(self, site: Site) -> None:
        self._filler.unlink()


class FileLimit:
    """For who may not mount: no file of the gateway can grow. Giving up its ballast does not help it then."""

    def fill(self, site: Site) -> None:
        assert site.gateway is not None
        size = (site.data_dir / "spool.sqlite3").stat().st_size
        self._limit(site, size)

    def free(self, site: Site) -> None:
        self._limit(site, resource.RLIM_INFINITY)

    def _limit(self, site: Site, most_bytes: int) -> None:
        assert site.gateway is not None
        resource.prlimit(site.gateway.pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


@contextlib.contextmanager
def full_disk(folder: Path, kind: str) -> Iterator[tuple[Path, FullDisk]]:
    """Where the data go, and how to fill it."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(disk)]
    if kind == "limit" or subprocess.run(command, check=False, capture_output=True).returncode:
        yield disk, FileLimit()
        return
    try:
        yield disk, SmallFileSystem(disk)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill_until_noticed(disk: FullDisk, site: Site) -> None:
    told = site.said().count("the disk")
    disk.fill(site)
    wait_until(lambda: site.said().count("the disk") > told, what="the gateway says that the disk is full")


@pytest.mark.parametrize("kind", ["file system", "limit"])
def test_a_full_disk_loses_nothing_and_is_left_behind_when_there_is_room_again(tmp_path: Path, kind: str) -> None:
    with full_disk(tmp_path, kind) as (folder, disk), open_site(folder) as site:
        gateway = site.start()
        site.send(rate=4000)
        site.wait_for_messages(1000)
        site.cloud.ask("go")
        for _ in range(2):
            fill_until_noticed(disk, site)
            disk.free(site)
            site.wait_for_messages(2000)
        site.cloud.ask("come")
        site.verdict()
        assert gateway.exit_code is None
