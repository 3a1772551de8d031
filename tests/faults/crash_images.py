"""What a power cut could have left on the disk, out of a log of the system calls that a program made.

kill -9 is too kind: the kernel still writes what the program gave it. A power cut keeps what an fdatasync had covered,
and of what was written since any part, in any order, torn within a page. `Disk` replays a log of strace and draws such
images. The model: a sector of 512 bytes is written whole or not at all; a file's later writes and truncations survive
or not each by itself; a file that is created, renamed or deleted stays so (a journalling file system may undo the
latest of these; the spool's files are made once, before anything is promised). Memory-mapped writes are not seen: the
spool's index (`-shm`) is the only file with such, and SQLite builds it anew after a crash.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
SYSTEM_CALLS = (
    "openat,pwrite64,write,ftruncate,fdatasync,fsync,rename,renameat,renameat2,unlink,unlinkat,recvfrom,sendto"
)

_LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")
_FILE = re.compile(r"^(-?\d+|AT_FDCWD)<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_RESULT = re.compile(r"\) += (-?\d+)")


def strace(log: Path) -> list[str]:
    """The command before the command, so that `calls` can read the log."""
    return [
        "strace",
        "-f",
        "-y",
        "-xx",
        "-s",
        "1000000",
        "--seccomp-bpf",
        "-e",
        f"trace={SYSTEM_CALLS}",
        "-o",
        str(log),
    ]


@dataclass
class Call:
    """One system call. It appears twice in order: when it begins and when it has ended."""

    name: str
    arguments: str
    #: below zero when it failed; None as long as it goes on
    result: int | None = None

    @property
    def path(self) -> str:
        """Of the file or socket that its first argument is."""
        found = _FILE.match(self.arguments)
        return "" if found is None else _plain(found[2])

    @property
    def descriptor(self) -> str:
        """With what it is open on, so that a number that is used again is another one."""
        return self.arguments.partition(",")[0]

    @property
    def strings(self) -> list[bytes]:
        """The strings among its arguments."""
        found = []
        for string in _STRING.finditer(self.arguments):
            assert not string[2], "strace has cut a string short"
            found.append(bytes.fromhex(string[1].replace("\\x", "")))
        return found

    @property
    def numbers(self) -> list[int]:
        """What comes after the first argument or after the string, as far as it is numbers."""
        rest = self.arguments.rpartition('"')[2] if '"' in self.arguments else self.arguments.partition(">")[2]
        return [int(number) for number in re.findall(r"-?\b\d+\b", rest.partition(")")[0])]


def calls(lines: Iterable[str]) -> Iterator[tuple[bool, Call]]:
    """(whether it has ended, call), in the order in which the program's threads came by."""
    open_calls: dict[str, Call] = {}
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        thread, _, rest, name, begun = found.groups()
        if name is not None:
            call = Call(name, begun.removesuffix(" <unfinished ...>"))
            yield False, call
            if begun.endswith(" <unfinished ...>"):
                open_calls[thread] = call
                continue
        elif thread not in open_calls:
            continue
        else:
            call = open_calls.pop(thread)
            call.arguments += rest
        result = _RESULT.search(call.arguments)
        call.result = int(result[1]) if result else -1
        yield True, call


@dataclass
class _Change:
    """A write at an offset, or, without data, a truncation to it."""

    offset: int
    data: bytes | None
    call: Call


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    #: what came since, oldest first
    volatile: list[_Change] = field(default_factory=list)
    #: of an fdatasync under way: so many of the changes were complete when it began
    covered: int = 0


class Disk:
    """The files below a folder, as a log tells of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._files: dict[str, _File] = {}
        self._appended: dict[str, int] = {}

    def see(self, has_ended: bool, call: Call) -> None:
        """One entry of `calls`."""
        if call.name.startswith(("rename", "unlink")):
            if has_ended and call.result == 0:
                self._move(call)
        elif call.name == "openat":
            if has_ended and (call.result or 0) >= 0 and "O_TRUNC" in call.arguments:
                self._files[self._opened(call)] = _File()
                self._appended[self._opened(call)] = 0
        elif call.path.startswith(self._folder):
            self._change(has_ended, call, self._files.setdefault(call.path, _File()))

    def images(self, chance: random.Random, names: Iterable[str]) -> dict[str, bytes]:
        """The content of files after a power cut now; those that do not exist are left out."""
        mood = chance.choice(("none", "all", "prefix", "sectors", "sectors"))
        image = {}
        for name in names:
            file = self._files.get(f"{self._folder}/{name}")
            if file is not None:
                image[name] = bytes(_survivors(file, mood, chance))
        return image

    def _opened(self, call: Call) -> str:
        """`openat` names the file's path behind its result."""
        return _plain(call.arguments.rpartition("<")[2].rstrip(">"))

    def _change(self, has_ended: bool, call: Call, file: _File) -> None:
        if call.name in ("fdatasync", "fsync"):
            if not has_ended:
                file.covered = sum(1 for _ in _complete(file.volatile))
            elif call.result == 0:
                for change in file.volatile[: file.covered]:
                    _apply(file.durable, change)
                del file.volatile[: file.covered]
        elif call.name in ("pwrite64", "write", "ftruncate") and not has_ended:
            file.volatile.append(self._written(call))

    def _written(self, call: Call) -> _Change:
        if call.name == "ftruncate":
            return _Change(call.numbers[0], None, call)
        data = call.strings[0]
        if call.name == "pwrite64":
            return _Change(call.numbers[-1], data, call)
        offset = self._appended.get(call.path, 0)
        self._appended[call.path] = offset + len(data)
        return _Change(offset, data, call)

    def _move(self, call: Call) -> None:
        paths = [string.decode() for string in call.strings]
        file = self._files.pop(paths[0], None)
        if call.name.startswith("rename") and file is not None:
            self._files[paths[1]] = file


def _plain(told: str) -> str:
    """A path as -xx tells it, or as it is."""
    return bytes.fromhex(told.replace("\\x", "")).decode() if told.startswith("\\x") else told


def _complete(changes: Iterable[_Change]) -> Iterator[_Change]:
    """The first changes, as far as their calls have returned."""
    for change in changes:
        if change.call.result is None:
            return
        yield change


def _apply(content: bytearray, change: _Change) -> None:
    if change.data is None:
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data


def _survivors(file: _File, mood: str, chance: random.Random) -> bytearray:
    content = bytearray(file.durable)
    count = {"none": 0, "all": len(file.volatile), "prefix": chance.randint(0, len(file.volatile))}
    for change in file.volatile[: count.get(mood, len(file.volatile))]:
        if mood != "sectors":
            _apply(content, change)
            continue
        if change.data is None:
            if chance.random() < 0.5:
                _apply(content, change)
            continue
        share = chance.random()
        for start in range(0, len(change.data), SECTOR):
            if chance.random() < share:
                sector = change.data[start : start + SECTOR]
                _apply(content, _Change(change.offset + start, sector, change.call))
    return content
