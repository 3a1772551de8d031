"""A power cut at any instant: what is on the disk then opens, is whole, and holds all that was acknowledged before."""

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from device_sims.load_packets import number_of
from gateway.spool.blocks import unpack_readings
from gateway.spool.store import open_store
from tests.faults.crash_images import Call, Disk, calls, strace
from tests.faults.site import Site, seed

FILES = ("spool.sqlite3", "spool.sqlite3-wal", "spool.sqlite3-journal")


class Acknowledgements:
    """How many messages of each sensor were acknowledged so far, as the log tells it."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self._sensors: dict[str, str] = {}

    def see(self, has_ended: bool, call: Call) -> None:
        if call.name == "recvfrom" and has_ended and call.descriptor not in self._sensors:
            (received,) = call.strings[:1] or (b"",)
            if received[:1] == b"\x10":
                name = received[14:].split(b"\x00")[0].decode()  # behind the packet's fixed and variable heads
                self._sensors[call.descriptor] = f"z2m:sensor-{int(name.split('-')[2]):03d}"
        if call.name == "sendto" and not has_ended and call.descriptor in self._sensors:
            data = call.strings[0]
            assert len(data) % 4 == 0
            self.sent[self._sensors[call.descriptor]] += sum(data[at] == 0x40 for at in range(0, len(data), 4))


def held(folder: Path) -> dict[str, list[int]]:
    """The numbers in a spool, by sensor, in order."""
    store = open_store(folder, max_mb=64)
    try:
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        series = list(store.iter_series())
        numbers: dict[str, list[int]] = {}
        for block in store.blocks("readings", 0, store.last["readings"]):
            columns = unpack_readings(block)
            for which, value in zip(columns.series, columns.values, strict=True):
                numbers.setdefault(series[which][0], []).append(number_of(value))
        return numbers
    finally:
        store.connection.close()


def cut(site: Site, folder: Path, *, messages: int, images: int) -> None:
    chance = random.Random(seed())
    log = folder / "strace.log"
    site.prefix = strace(log)
    site.cloud.ask("go")  # what the cloud had, the spool need not hold
    site.start()
    site.send(rate=400, window=10)
    site.wait_for_messages(messages, timeout_s=30.0 + messages / 100)
    site.kill()
    with log.open() as lines:
        entries = list(calls(lines))
    disk, acknowledged = Disk(site.data_dir), Acknowledgements()
    chosen = set(chance.sample(range(len(entries)), images))
    for index, entry in enumerate(entries):
        if index in chosen:
            survives(disk.images(chance, FILES), acknowledged.sent, folder / "image")
        disk.see(*entry)
        acknowledged.see(*entry)
    assert sum(acknowledged.sent.values()) >= messages  # or the log was not understood


def survives(image: dict[str, bytes], acknowledged: Counter[str], folder: Path) -> None:
    folder.mkdir()
    for name, content in image.items():
        (folder / name).write_bytes(content)
    try:
        numbers = held(folder)
        for sensor, count in acknowledged.items():
            found = numbers.get(sensor, [])
            assert found == list(range(len(found))), f"{sensor}: not in order: {found[:5]} ..."
            assert len(found) >= count, f"{sensor}: {count} were acknowledged, {len(found)} are on the disk"
    except (AssertionError, sqlite3.Error) as problem:
        problem.add_note(f"the image is kept in {folder}")
        raise
    shutil.rmtree(folder)


def test_what_a_power_cut_leaves_holds_all_that_was_acknowledged(site: Site, tmp_path: Path) -> None:
    cut(site, tmp_path, messages=1200, images=150)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_thousand_power_cuts(site: Site, tmp_path: Path) -> None:
    cut(site, tmp_path, messages=12_000, images=5000)
