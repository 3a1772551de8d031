"""The model of a disk that loses its power, on a program small enough to know the answer, and on a log by hand."""

import random
import subprocess
import sys
from pathlib import Path

from tests.faults.crash_images import SECTOR, Disk, calls, strace

PROGRAM = """
import os, sys, threading
file = os.open(sys.argv[1] + "/file", os.O_RDWR | os.O_CREAT)
os.pwrite(file, b"a" * 2048, 0)
thread = threading.Thread(target=os.fdatasync, args=(file,))
thread.start()
thread.join()
os.pwrite(file, b"b" * 2048, 1024)
os.ftruncate(file, 2048)
"""
FILE = "/data/file"


def images(lines: list[str], *, many: int = 200) -> set[bytes]:
    """What may be left of the file, at the end."""
    disk = Disk(Path("/data"))
    for entry in calls(lines):
        disk.see(*entry)
    chance = random.Random(1)
    return {disk.images(chance, ["file"]).get("file", b"") for _ in range(many)}


def line(call: str, *, thread: int = 1) -> str:
    return f"{thread} {call}"


def hexadecimal(data: bytes) -> str:
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def write(data: bytes, offset: int) -> str:
    return line(f"pwrite64(3<{FILE}>, {hexadecimal(data)}, {len(data)}, {offset}) = {len(data)}")


SYNC = line(f"fdatasync(3<{FILE}>) = 0")


def test_what_was_synced_is_there_and_what_was_not_may_be() -> None:
    assert images([write(b"old", 0), SYNC, write(b"new", 0)]) == {b"old", b"new"}


def test_a_long_write_may_be_torn_between_sectors() -> None:
    left = images([write(b"a" * 2 * SECTOR, 0), SYNC, write(b"b" * 2 * SECTOR, 0)])
    parts = (b"a" * SECTOR, b"b" * SECTOR)
    assert left == {one + other for one in parts for other in parts}


def test_later_writes_may_survive_earlier_ones() -> None:
    left = images([write(b"a" * SECTOR, 0), write(b"b" * SECTOR, SECTOR)])
    assert bytes(SECTOR) + b"b" * SECTOR in left


def test_a_sync_covers_only_what_had_been_written_when_it_began() -> None:
    begun = line(f"fdatasync(3<{FILE}> <unfinished ...>", thread=2)
    ended = line("<... fdatasync resumed>) = 0", thread=2)
    assert images([write(b"old", 0), begun, write(b"new", 0), ended]) == {b"old", b"new"}
    assert images([write(b"old", 0), begun, write(b"new", 0)]) == {b"", b"old", b"new"}


def test_a_sync_that_failed_covers_nothing() -> None:
    assert b"" in images([write(b"old", 0), line(f"fdatasync(3<{FILE}>) = -1 EIO (Input/output error)")])


def test_a_truncation_may_be_lost_too() -> None:
    cut = line(f"ftruncate(3<{FILE}>, 1) = 0")
    assert images([write(b"old", 0), SYNC, cut]) == {b"o", b"old"}
    assert images([write(b"old", 0), SYNC, cut, SYNC]) == {b"o"}


def test_a_file_that_was_renamed_or_deleted_stays_so() -> None:
    renamed = line(f"rename({hexadecimal(b'/data/new')}, {hexadecimal(FILE.encode())}) = 0")
    made = write(b"new", 0).replace(FILE, "/data/new")
    assert images([made, SYNC.replace(FILE, "/data/new"), renamed]) == {b"new"}
    assert images([write(b"old", 0), line(f"unlink({hexadecimal(FILE.encode())}) = 0")]) == {b""}


def test_a_real_programs_log_is_understood(tmp_path: Path) -> None:
    log = tmp_path / "log"
    subprocess.run([*strace(log), sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, timeout=60)
    disk, ends = Disk(tmp_path), set()
    with log.open() as lines:
        for entry in calls(lines):
            disk.see(*entry)
    chance = random.Random(1)
    for _ in range(100):
        ends.add(disk.images(chance, ["file"])["file"])
    assert b"a" * 2048 in ends
    assert b"a" * 1024 + b"b" * 1024 in ends
    assert all(end[:1024] == b"a" * 1024 for end in ends)
