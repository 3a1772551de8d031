"""Keeping files by their hash.

The bytes are on disk before the row is committed: a crash in between leaves a file nobody knows, never a row without
its file. The same bytes again are the same file.
"""

import asyncio
import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.media.models import Media

#: what a photo's first bytes must be
_SIGNATURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
#: what an operation that takes a photo says of its body, for the OpenAPI document
PHOTO_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": dict.fromkeys(_SIGNATURES, _BYTES)}}


class BrokenUpload(Invalid):
    """The bytes are not what the sender says they are."""

    code = "BROKEN_UPLOAD"


async def keep_photo(db: AsyncSession, folder: Path, *, content: bytes, mime: str, sha256: str) -> Media:
    """Keep a photo that arrived whole.

    Raises:
        BrokenUpload: when the hash or the kind is not the one declared: send it again.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BrokenUpload("the bytes do not have the declared SHA-256: send the photo again", field="sha256")
    if mime not in _SIGNATURES or not content.startswith(_SIGNATURES[mime]):
        raise BrokenUpload("send a photo as image/jpeg or image/png", field="Content-Type")
    scope = db.sync_session.info["scope"]
    await asyncio.to_thread(_write, _path(folder, scope.organization_id, sha256), content)
    new = {"sha256": sha256, "mime": mime, "size_bytes": len(content), "received_at": clock.now()}
    await insert_missing(db, Media, new)
    return (await db.scalars(select(Media).where(Media.sha256 == sha256))).one()


async def is_kept(db: AsyncSession, sha256: str) -> bool:
    """Whether a file with this hash arrived."""
    return (await db.scalar(select(Media.id).where(Media.sha256 == sha256))) is not None


async def read(db: AsyncSession, folder: Path, sha256: str) -> tuple[Media, bytes]:
    """A file and what is known of it.

    Raises:
        NotFound: when there is none.
    """
    media = (await db.scalars(select(Media).where(Media.sha256 == sha256))).one_or_none()
    if media is None:
        raise NotFound(f"no file with hash {sha256}")
    return media, await asyncio.to_thread(_path(folder, media.organization_id, sha256).read_bytes)


async def get_media(db: AsyncSession, media_id: uuid.UUID) -> Media:
    """What is known of a file.

    Raises:
        NotFound: when there is none.
    """
    found = (await db.scalars(select(Media).where(Media.id == media_id))).one_or_none()
    if found is None:
        raise NotFound(f"no file with id {media_id}")
    return found


def _path(folder: Path, organization_id: uuid.UUID, sha256: str) -> Path:
    return folder / organization_id.hex / sha256[:2] / sha256


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{uuid.uuid4().hex}")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
