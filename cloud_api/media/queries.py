"""Reusable reads of files."""

import uuid

from sqlalchemy import Select, select

from cloud_api.media.models import Media, MediaAttachment, MediaPart


def listed_media(
    *, entity_type: str | None = None, entity_id: uuid.UUID | None = None, mime: str | None = None
) -> Select[tuple[Media]]:
    """The organisation's files; of one entity, of one kind (`image/` for all pictures)."""
    found = select(Media).where(Media.listed.is_(True))
    if entity_type is not None or entity_id is not None:
        shown = select(MediaAttachment.media_id)
        if entity_type is not None:
            shown = shown.where(MediaAttachment.entity_type == entity_type)
        if entity_id is not None:
            shown = shown.where(MediaAttachment.entity_id == entity_id)
        found = found.where(Media.id.in_(shown))
    if mime is not None:
        found = found.where(Media.mime.startswith(mime, autoescape=True))
    return found


def attachments_of(media_id: uuid.UUID) -> Select[tuple[MediaAttachment]]:
    """What shows a file, the first first."""
    return select(MediaAttachment).where(MediaAttachment.media_id == media_id).order_by(MediaAttachment.id)


def parts_of(upload_id: uuid.UUID) -> Select[tuple[MediaPart]]:
    """The parts that have arrived, in their order."""
    return select(MediaPart).where(MediaPart.upload_id == upload_id).order_by(MediaPart.number)
