"""Small files of `data_dir`: who the gateway is, what the cloud has told it, what it was asked to do.

They are not in the spool, so that a spool that the disk has spoilt costs readings, and not the gateway's identity. Each
is JSON, readable by the gateway's user alone, and replaced as a whole: after a power cut there is the old content or
the new one.
"""

import asyncio
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from gateway.errors import StateError

T = TypeVar("T", bound=msgspec.Struct)


class StateFile(Generic[T]):
    """One file, of one kind of struct."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self._kind = kind

    def load(self) -> T | None:
        """What was saved last; None when nothing ever was.

        Raises:
            StateError: the disk has spoilt it, or another version of the gateway has written it.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=self._kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"{self.path} cannot be used ({error})") from None

    async def save(self, content: T) -> None:
        """Replace it; done when it is on disk. One at a time; who is cancelled meanwhile waits for it all the same.

        Raises:
            OSError: the disk does not take it; the old content is still there.
        """
        saving = asyncio.get_running_loop().run_in_executor(None, self.save_now, content)
        try:
            await asyncio.shield(saving)
        except asyncio.CancelledError:
            await asyncio.wait([saving])
            raise

    def save_now(self, content: T) -> None:
        """The same, before there is an event loop."""
        replace_durably(self.path, msgspec.json.encode(content))


def replace_durably(path: Path, content: bytes) -> None:
    """Replace a file (mode 0600) so that neither a reader nor a power cut finds half of it.

    Raises:
        OSError: the disk does not take it; the old content is still there.
    """
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # otherwise a power cut may bring the old name back
    finally:
        os.close(folder)


def facts_of_old_spool(data_dir: Path) -> Mapping[str, str]:
    """What a spool of version 0.1 kept of its gateway: `gateway_id`, `secret`, `config`; empty without one."""
    path = data_dir / "spool.sqlite3"
    if not path.is_file():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT key, value FROM meta WHERE key IN ('gateway_id', 'secret', 'config')")
            return dict(found.fetchall())
    except sqlite3.Error:
        return {}  # spoilt, or never begun: then there is nothing to be had
