"""Keeping files by their hash.

The bytes are durable before the row is committed (`landing`): a crash in between leaves an object nobody knows, never
a row without its bytes. The same bytes again are the same file. Bytes go after the row has gone.
"""

import uuid
from collections.abc import AsyncIterator, Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database, insert_missing
from cloud_api.kernel.errors import Invalid, NotFound, Unavailable
from cloud_api.media.errors import StillAttached
from cloud_api.media.events import ObjectsUnneeded
from cloud_api.media.landing import Landed
from cloud_api.media.models import Media, MediaAttachment
from cloud_api.media.queries import attachments_of
from cloud_api.media.storage import Files

#: what may show a file
ENTITY_TYPES = (
    "product",
    "lot",
    "item",
    "user",
    "delivery",
    "order",
    "return",
    "stock_movement",
    "excursion",
    "organization",
)
_NAMED = 3


async def get_media(db: AsyncSession, media_id: uuid.UUID, *, listed: bool = False) -> Media:
    """What is known of a file; with `listed` only of those that stand among the organisation's files.

    Raises:
        NotFound: when there is none.
    """
    found = await db.get(Media, media_id)
    if found is None or (listed and not found.listed):
        raise NotFound(f"no file with id {media_id}", field="media_id")
    return found


async def open_stream(files: Files, media: Media, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
    """A file's bytes from `start` to `end` (exclusive), piece by piece. Not for inside a unit of work.

    Raises:
        NotFound: when the store has lost them.
        Unavailable: when the store does not answer.
    """
    return await files.open(media.key, start=start, end=end)


async def attach(db: AsyncSession, *, media_id: uuid.UUID, entity_type: str, entity_id: uuid.UUID) -> Media:
    """Say that something shows a file: it cannot be deleted as long as that stands. Saying it twice is saying it once.

    Raises:
        NotFound: when there is no such file.
        Invalid: when nothing of this type shows files.
    """
    if entity_type not in ENTITY_TYPES:
        raise Invalid(f"nothing of the type {entity_type!r} shows files: one of {', '.join(ENTITY_TYPES)}")
    media = await get_media(db, media_id)
    new = {
        "media_id": media_id,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "attached_at": clock.now(),
    }
    await insert_missing(db, MediaAttachment, new)
    return media


async def attach_all(db: AsyncSession, pictures: Collection[tuple[Media, uuid.UUID]], *, entity_type: str) -> None:
    """Say of several things at once, each by its id, that it shows a file. Whoever says it has locked those things.

    Raises:
        Invalid: when nothing of this type shows files.
    """
    if entity_type not in ENTITY_TYPES:
        raise Invalid(f"nothing of the type {entity_type!r} shows files: one of {', '.join(ENTITY_TYPES)}")
    wanted = dict.fromkeys((media.id, entity_id) for media, entity_id in pictures)
    shown = select(MediaAttachment.media_id, MediaAttachment.entity_id).where(
        MediaAttachment.entity_type == entity_type,
        MediaAttachment.entity_id.in_({entity_id for _, entity_id in wanted}),
    )
    known = set((await db.execute(shown)).tuples())
    now = clock.now()
    db.add_all(
        MediaAttachment(media_id=media_id, entity_type=entity_type, entity_id=entity_id, attached_at=now)
        for media_id, entity_id in wanted
        if (media_id, entity_id) not in known
    )


async def detach(db: AsyncSession, *, media_id: uuid.UUID, entity_type: str, entity_id: uuid.UUID) -> None:
    """Say that something does not show a file any more."""
    its = select(MediaAttachment).where(
        MediaAttachment.media_id == media_id,
        MediaAttachment.entity_type == entity_type,
        MediaAttachment.entity_id == entity_id,
    )
    for attachment in await db.scalars(its):
        await db.delete(attachment)
    await db.flush()


async def let_go(db: AsyncSession, *, media_id: uuid.UUID, entity_type: str, entity_id: uuid.UUID) -> None:
    """The same; a file that nothing shows any more, and that nobody put among the organisation's, is deleted."""
    await detach(db, media_id=media_id, entity_type=entity_type, entity_id=entity_id)
    wanted = select(Media).where(Media.id == media_id, Media.listed.is_(False)).with_for_update()
    media = (await db.scalars(wanted)).one_or_none()
    if media is not None and not await attached_to(db, media_id):
        await _delete(db, media)


async def attached_to(db: AsyncSession, media_id: uuid.UUID) -> Sequence[MediaAttachment]:
    """What shows a file."""
    return (await db.scalars(attachments_of(media_id))).all()


async def keep(
    db: AsyncSession, landed: Landed, *, name: str = "", by: uuid.UUID | None = None, listed: bool = False
) -> Media:
    """Write the row of bytes that have landed; the row that is there when the same bytes were sent before.

    Args:
        listed: they stand among the organisation's files from now on.

    Raises:
        Unavailable: when the same file is being deleted at this moment.
    """
    await insert_missing(
        db,
        Media,
        {
            "id": landed.id,
            "sha256": landed.sha256,
            "mime": landed.looks.mime,
            "size_bytes": landed.size_bytes,
            "name": name,
            "width": landed.looks.width,
            "height": landed.looks.height,
            "storage_key": landed.key,
            "listed": listed,
            "uploaded_by": by,
            "received_at": clock.now(),
        },
    )
    kept = await find(db, landed.sha256, locked=True)
    if kept is None:
        raise Unavailable("the same file was just being deleted: send it again")
    landed.used = kept.id == landed.id
    if listed and not kept.listed:
        kept.listed, kept.name = True, kept.name or name
        kept.width, kept.height = landed.looks.width, landed.looks.height
    return kept


async def find(db: AsyncSession, sha256: str, *, locked: bool = False) -> Media | None:
    """The file with this hash, if it arrived."""
    wanted = select(Media).where(Media.sha256 == sha256)
    return (await db.scalars(wanted.with_for_update() if locked else wanted)).one_or_none()


async def delete_media(db: AsyncSession, media_id: uuid.UUID) -> None:
    """Delete one of the organisation's files; its bytes follow.

    Raises:
        NotFound: when there is none.
        StillAttached: when something shows it, naming what.
    """
    wanted = select(Media).where(Media.id == media_id, Media.listed.is_(True)).with_for_update()
    media = (await db.scalars(wanted)).one_or_none()
    if media is None:
        raise NotFound(f"no file with id {media_id}")
    shown_by = await attached_to(db, media_id)
    if shown_by:
        named = ", ".join(f"{by.entity_type} {by.entity_id}" for by in shown_by[:_NAMED])
        more = f" and {len(shown_by) - _NAMED} more" if len(shown_by) > _NAMED else ""
        raise StillAttached(f"the file is shown by {named}{more}: take it away there first", field="media_id")
    await _delete(db, media)


async def _delete(db: AsyncSession, media: Media) -> None:
    await db.delete(media)
    outbox.emit(db, ObjectsUnneeded(keys=[media.key], prefixes=[media.derived_prefix]))


async def remove_unneeded(
    files: Files, _database: Database, _organization_id: uuid.UUID, what: ObjectsUnneeded
) -> None:
    """Take objects out of the store that no row speaks of any more."""
    for key in what.keys:
        await files.remove(key)
    for prefix in what.prefixes:
        await files.remove_under(prefix)
