"""Files that arrive in parts: begun, parts by number in any order and as often as need be, put together.

Whoever was interrupted asks which parts are there, and sends the others.
"""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.media import service
from cloud_api.media.content import KINDS, check_name
from cloud_api.media.errors import FileRefused, FileTooLarge, PartsMissing, UploadEnded
from cloud_api.media.events import ObjectsUnneeded
from cloud_api.media.landing import Incoming, Landed
from cloud_api.media.models import Media, MediaPart, MediaUpload
from cloud_api.media.queries import parts_of
from cloud_api.media.schemas import UploadBegin
from cloud_api.media.storage import Files

#: bytes of each part but the last
PART_BYTES = 8 * 2**20
#: an upload is swept away when nothing of it came for so long
KEPT_FOR = timedelta(hours=24)
_NAMED = 10


async def begin_upload(db: AsyncSession, *, new: UploadBegin, by: uuid.UUID, at_most_bytes: int) -> MediaUpload:
    """Announce a file that will come in parts.

    Raises:
        FileRefused: when files of this kind are not kept, or the name does not fit it.
        FileTooLarge: when it is larger than any file may be.
    """
    if new.mime not in KINDS:
        raise FileRefused(f"files of the type {new.mime!r} are not kept: send {', '.join(KINDS)}", field="mime")
    if new.size_bytes > at_most_bytes:
        raise FileTooLarge(f"a file may have at most {at_most_bytes:,} bytes", field="size_bytes")
    now = clock.now()
    upload = MediaUpload(
        **new.model_dump() | {"name": check_name(new.name, new.mime)},
        part_size_bytes=PART_BYTES,
        begun_by=by,
        begun_at=now,
        expires_at=now + KEPT_FOR,
    )
    db.add(upload)
    await db.flush()
    return upload


async def get_upload(db: AsyncSession, upload_id: uuid.UUID, *, locked: bool = False) -> MediaUpload:
    """One upload.

    Raises:
        NotFound: when there is none, or it was swept away.
    """
    wanted = select(MediaUpload).where(MediaUpload.id == upload_id)
    found = (await db.scalars(wanted.with_for_update() if locked else wanted)).one_or_none()
    if found is None:
        raise NotFound(f"no upload with id {upload_id}: begin it again")
    return found


async def parts(db: AsyncSession, upload: MediaUpload) -> Sequence[MediaPart]:
    """The parts that have arrived, in their order."""
    return (await db.scalars(parts_of(upload.id))).all()


def check_part(upload: MediaUpload, number: int, *, size_bytes: int | None = None) -> None:
    """Whether part `number` may come now, and has the size that it must have.

    Raises:
        UploadEnded: when the upload is complete.
        Invalid: when there is no such part, or it is too short or too long.
    """
    if upload.media_id is not None:
        raise UploadEnded("this upload is complete: its file is at /api/v1/media/" + str(upload.media_id))
    if not 1 <= number <= upload.parts_expected:
        raise Invalid(f"there are parts 1 to {upload.parts_expected}", field="part_number")
    expected = upload.size_of_part(number)
    if size_bytes is not None and size_bytes != expected:
        raise Invalid(f"part {number} must have {expected:,} bytes: this has {size_bytes:,}", field="body")


def key_of_part(upload: MediaUpload, number: int) -> str:
    """A place for a part's bytes; another one each time, so that a part that is sent twice disturbs nobody."""
    return f"{upload.prefix}/{number:05}-{new_id().hex}"


async def add_part(db: AsyncSession, upload_id: uuid.UUID, *, number: int, incoming: Incoming, key: str) -> MediaPart:
    """Write down that a part lies in the store; one that was there before is replaced.

    Raises:
        NotFound, UploadEnded, Invalid: as `check_part`.
    """
    upload = await get_upload(db, upload_id, locked=True)
    check_part(upload, number, size_bytes=incoming.size_bytes)
    new = {
        "upload_id": upload_id,
        "number": number,
        "sha256": incoming.sha256,
        "size_bytes": incoming.size_bytes,
        "storage_key": key,
    }
    await insert_missing(db, MediaPart, new)
    part = (await db.scalars(parts_of(upload_id).where(MediaPart.number == number))).one()
    if part.storage_key != key:
        outbox.emit(db, ObjectsUnneeded(keys=[part.storage_key], prefixes=[]))
        part.sha256, part.size_bytes, part.storage_key = incoming.sha256, incoming.size_bytes, key
    upload.expires_at = clock.now() + KEPT_FOR
    return part


async def parts_to_join(db: AsyncSession, upload_id: uuid.UUID) -> tuple[MediaUpload, Sequence[MediaPart]]:
    """An upload and its parts, when all are there.

    Raises:
        NotFound: when there is no such upload.
        PartsMissing: otherwise, naming them.
    """
    upload = await get_upload(db, upload_id)
    there = await parts(db, upload)
    missing = sorted(set(range(1, upload.parts_expected + 1)) - {part.number for part in there})
    if upload.media_id is None and missing:
        named = ", ".join(map(str, missing[:_NAMED])) + (" and more" if len(missing) > _NAMED else "")
        raise PartsMissing(f"{len(missing)} of {upload.parts_expected} parts have not arrived: {named}", field="parts")
    return upload, there


async def joined(files: Files, there: Sequence[MediaPart]) -> AsyncIterator[bytes]:
    """The bytes of all parts, in their order, piece by piece."""
    for part in there:
        async for piece in await files.open(part.storage_key):
            yield piece


async def complete(db: AsyncSession, upload_id: uuid.UUID, *, landed: Landed | None, by: uuid.UUID) -> Media:
    """The file of an upload whose parts were put together; the same again when it is complete.

    Raises:
        NotFound: when there is no such upload (any more).
        UploadEnded: when it was completed and its file has been deleted.
    """
    upload = await get_upload(db, upload_id, locked=True)
    if upload.media_id is not None:
        return await service.get_media(db, upload.media_id)
    if landed is None:
        raise UploadEnded("the file of this upload has been deleted: begin it again")
    media = await service.keep(db, landed, name=upload.name, by=by, listed=True)
    upload.media_id, upload.expires_at = media.id, clock.now() + KEPT_FOR
    outbox.emit(db, ObjectsUnneeded(keys=[], prefixes=[upload.prefix]))
    return media


async def abandon(db: AsyncSession, upload_id: uuid.UUID) -> bool:
    """Let an upload go whose time is over, unless something of it has come meanwhile; whether it went."""
    wanted = select(MediaUpload).where(MediaUpload.id == upload_id, MediaUpload.expires_at < clock.now())
    upload = (await db.scalars(wanted.with_for_update(skip_locked=True))).one_or_none()
    if upload is None:
        return False
    await db.execute(delete(MediaPart).where(MediaPart.upload_id == upload_id))
    await db.delete(upload)
    outbox.emit(db, ObjectsUnneeded(keys=[], prefixes=[upload.prefix]))
    return True
