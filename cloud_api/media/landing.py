"""Bytes on their way in: first into a file of their own here, then, when they are what they should be, to the store.

That happens before the unit of work that writes the row: what a row speaks of is durable, and no transaction waits
for a store. What no row came to speak of is taken away again.
"""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cloud_api.kernel.ids import new_id
from cloud_api.media.content import Looks, look_at
from cloud_api.media.errors import BrokenUpload, FileTooLarge
from cloud_api.media.storage import Files

#: beside the objects: what is arriving
INCOMING = "incoming"
_WRITTEN_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Incoming:
    """Bytes that arrived whole, in a file that goes when this is over."""

    path: Path
    sha256: str
    size_bytes: int


@dataclass
class Landed:
    """Bytes in the store, for a row to speak of."""

    id: uuid.UUID
    key: str
    sha256: str
    size_bytes: int
    looks: Looks
    #: a row of this unit of work speaks of them
    used: bool = field(default=False)


@asynccontextmanager
async def arriving(chunks: AsyncIterable[bytes], *, folder: Path, at_most_bytes: int) -> AsyncIterator[Incoming]:
    """Take bytes in, never all of them in memory.

    Raises:
        FileTooLarge: as soon as there are more than that.
    """
    await asyncio.to_thread((folder / INCOMING).mkdir, parents=True, exist_ok=True)
    path = folder / INCOMING / uuid.uuid4().hex
    digest, size_bytes, waiting = hashlib.sha256(), 0, bytearray()
    try:
        with await asyncio.to_thread(path.open, "wb") as file:
            async for chunk in chunks:
                digest.update(chunk)
                size_bytes += len(chunk)
                if size_bytes > at_most_bytes:
                    raise FileTooLarge(
                        f"at most {at_most_bytes:,} bytes are taken here: send a smaller file, or send it in parts "
                        "(POST /api/v1/media/uploads)"
                    )
                waiting += chunk
                if len(waiting) >= _WRITTEN_AT_ONCE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
        yield Incoming(path, digest.hexdigest(), size_bytes)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


@asynccontextmanager
async def landing(
    files: Files, incoming: Incoming, *, organization_id: uuid.UUID, mime: str, sha256: str | None = None
) -> AsyncIterator[Landed]:
    """Put a file that arrived into the store, for a row to be written.

    Raises:
        BrokenUpload: when the hash is not the one declared: send it again.
        FileRefused: when it is not of the kind declared, or of none that is kept.
    """
    check_hash(incoming.sha256, sha256)
    looks = await asyncio.to_thread(look_at, incoming.path, mime)
    async with stored(files, incoming, organization_id=organization_id, looks=looks) as landed:
        yield landed


@asynccontextmanager
async def stored(
    files: Files, incoming: Incoming, *, organization_id: uuid.UUID, looks: Looks
) -> AsyncIterator[Landed]:
    """The same, of what somebody has looked at."""
    landed_id = new_id()
    key = f"{organization_id.hex}/{incoming.sha256[:2]}/{landed_id.hex}/{incoming.sha256}"
    await files.put(key, incoming.path)
    landed = Landed(landed_id, key, incoming.sha256, incoming.size_bytes, looks)
    try:
        yield landed
    finally:
        # a row that was written may be there even when its commit failed: then the bytes stay
        if not landed.used:
            await files.remove(key)


def check_hash(actual: str, declared: str | None) -> None:
    """Whether bytes are those that the sender sent.

    Raises:
        BrokenUpload: when they are not.
    """
    if declared is not None and declared != actual:
        raise BrokenUpload("the bytes do not have the declared SHA-256: send them again", field="sha256")


async def in_one_piece(content: bytes) -> AsyncIterator[bytes]:
    """Bytes that are here already."""
    yield content
