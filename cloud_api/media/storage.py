"""Where bytes are kept: a folder of this machine, or a bucket that speaks S3.

Keys of an organisation begin with its id. What `put` returned for is durable; an object is there whole or not at all.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from cloud_api.kernel.errors import NotFound, Unavailable
from cloud_api.kernel.settings import Settings

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

_CHUNK_BYTES = 1_000_000
_PART_BYTES = 8 * 2**20


class Files:
    """One store of objects."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        #: where it is a folder
        self._folder = folder

    @classmethod
    def in_folder(cls, folder: Path) -> "Files":
        """Objects as files of `folder`, by their keys."""
        return cls(LocalStore(folder, automatic_cleanup=True, mkdir=True), folder)

    @classmethod
    def of(cls, settings: Settings) -> "Files":
        """The store that the settings name."""
        if not settings.media_bucket:
            return cls.in_folder(settings.media_folder)
        return _bucket(
            settings.media_bucket,
            settings.media_s3_endpoint,
            settings.media_s3_region,
            settings.media_s3_key_id,
            settings.media_s3_secret.get_secret_value(),
        )

    async def put(self, key: str, content: Path | bytes) -> None:
        """Keep an object, instead of one of this key.

        Raises:
            Unavailable: when the store does not take it.
        """
        try:
            await obstore.put_async(self._store, key, content, chunk_size=_PART_BYTES, max_concurrency=2)
        except BaseError as error:
            raise _unavailable(error) from None
        if self._folder is not None:
            await asyncio.to_thread(_make_durable, self._folder / key, self._folder)

    async def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` to `end` (exclusive), piece by piece; the store has answered when this returns.

        Raises:
            NotFound: when there is no such object.
            Unavailable: when the store does not answer.
        """
        options: GetOptions = {"range": {"offset": start} if end is None else (start, end)} if start or end else {}
        try:
            found = await obstore.get_async(self._store, key, options=options)
        except (NotFoundError, FileNotFoundError):
            raise NotFound(f"the bytes of {key} are not in the store") from None
        except BaseError as error:
            raise _unavailable(error) from None
        return _pieces(found)

    async def read(self, key: str) -> bytes:
        """All bytes of a small object.

        Raises:
            NotFound: when there is no such object.
            Unavailable: when the store does not answer.
        """
        return b"".join([piece async for piece in await self.open(key)])

    async def keys(self, prefix: str) -> list[str]:
        """What lies under a prefix.

        Raises:
            Unavailable: when the store does not answer.
        """
        try:
            return [entry["path"] async for batch in obstore.list(self._store, prefix) for entry in batch]
        except BaseError as error:
            raise _unavailable(error) from None

    async def remove(self, key: str) -> None:
        """Take an object away; none there is as good.

        Raises:
            Unavailable: when the store does not answer.
        """
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except BaseError as error:
            raise _unavailable(error) from None

    async def remove_under(self, prefix: str) -> int:
        """Take away all that lies under a prefix; how many objects that was.

        Raises:
            Unavailable: when the store does not answer.
        """
        keys = await self.keys(prefix)
        for key in keys:
            await self.remove(key)
        return len(keys)


@cache
def _bucket(bucket: str, endpoint: str, region: str, key_id: str, secret: str) -> Files:
    """One client a bucket: it keeps its connections."""
    return Files(
        S3Store(
            bucket,
            endpoint=endpoint or None,
            region=region,
            access_key_id=key_id,
            secret_access_key=secret,
            virtual_hosted_style_request=False,
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60s"},
            retry_config={"max_retries": 2},
        )
    )


async def _pieces(found: "GetResult") -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=_CHUNK_BYTES):
        yield bytes(piece)


def _unavailable(error: BaseError) -> Unavailable:
    return Unavailable(f"the store of files does not do it: {str(error).splitlines()[0]:.200}")


def _make_durable(path: Path, folder: Path) -> None:
    """On disk, and in its folders, before anybody is told of it."""
    for place in (path, *path.parents):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if place == folder:
            return
