"""The pictures of a return: who may add them when, and until when one may be taken away."""

import uuid
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.errors import NotFound
from cloud_api.media import service as media
from cloud_api.media.landing import Landed
from cloud_api.media.models import Media
from cloud_api.orders.book.queries import EVERY_ORDER, VisibleOrders
from cloud_api.returns import queries, service
from cloud_api.returns.errors import PictureStands, ReturnClosed, TooManyPictures
from cloud_api.returns.models import CustomerReturn, ReturnedGoods, ReturnPicture
from cloud_api.returns.schemas import ReturnPictureRead
from cloud_api.returns.states import OPEN, ReturnStatus

#: more than anybody looks at before they decide
MOST_PICTURES = 40
_ENTITY = "return"


async def add(
    db: AsyncSession,
    return_id: uuid.UUID,
    *,
    landed: Landed,
    line_id: uuid.UUID | None,
    sent_by: uuid.UUID,
    seen: VisibleOrders = EVERY_ORDER,
) -> ReturnPicture:
    """Keep a picture of what comes back. The same bytes again are the same picture.

    Args:
        line_id: what it shows; None: all of it.

    Raises:
        NotFound: when there is no such return to be seen, or it has no such line.
        ReturnClosed: when nothing is decided about it any more, by who sends it.
        TooManyPictures: when it cannot have more.
    """
    one, _ = await service.lock_return(db, return_id, seen=seen)
    # the customer shows why they ask; the store what came, and how it was found
    if one.status not in (OPEN if seen.buyer_id is None else (ReturnStatus.REQUESTED,)):
        raise ReturnClosed(f"{one.number} is {one.status}: no more pictures of it are taken")
    lines = (await queries.lines_of(db, [one.id]))[one.id]
    if line_id is not None and line_id not in {line.id for line in lines}:
        raise NotFound(f"the return has no line {line_id}", field="line_id")
    there = {picture.media_id: picture for picture in await queries.pictures_of(db, one.id)}
    known = await media.find(db, landed.sha256)
    if known is not None and known.id in there:
        return there[known.id]
    if len(there) >= MOST_PICTURES:
        raise TooManyPictures(f"a return has at most {MOST_PICTURES} pictures: take one away first")
    kept = await media.keep(db, landed, by=sent_by)
    await media.attach(db, media_id=kept.id, entity_type=_ENTITY, entity_id=one.id)
    picture = ReturnPicture(
        return_id=one.id, return_line_id=line_id, media_id=kept.id, sent_by=sent_by, sent_at=clock.now()
    )
    db.add(picture)
    await db.flush()
    return picture


async def remove(
    db: AsyncSession, return_id: uuid.UUID, picture_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER
) -> None:
    """Take a picture away by which nothing was decided; its bytes go when nothing else shows them.

    Raises:
        NotFound: when there is none to be seen.
        PictureStands: when something was decided since it was sent.
    """
    one, _ = await service.lock_return(db, return_id, seen=seen)
    picture = await _picture(db, one, picture_id, seen)
    if _stands(picture, one, await queries.goods_of(db, one.id)):
        raise PictureStands("something was decided by this picture: it stays")
    await db.delete(picture)
    await db.flush()
    await media.let_go(db, media_id=picture.media_id, entity_type=_ENTITY, entity_id=one.id)


async def file_of(
    db: AsyncSession, return_id: uuid.UUID, picture_id: uuid.UUID, *, seen: VisibleOrders = EVERY_ORDER
) -> Media:
    """What is known of a picture's bytes.

    Raises:
        NotFound: when there is no such picture to be seen.
    """
    one = await service.get_return(db, return_id, seen=seen)
    return await media.get_media(db, (await _picture(db, one, picture_id, seen)).media_id)


def told(picture: ReturnPicture, one: CustomerReturn, goods: Sequence[ReturnedGoods]) -> ReturnPictureRead:
    """A picture as it travels, of a return and what came back by it."""
    columns = {name: getattr(picture, name) for name in ReturnPictureRead.model_fields if name != "stands"}
    return ReturnPictureRead(**columns, stands=_stands(picture, one, goods))


def _stands(picture: ReturnPicture, one: CustomerReturn, goods: Sequence[ReturnedGoods]) -> bool:
    """Whether something was decided since it was sent: about the return, its goods, or its money."""
    moments = (one.decided_at, *(row.disposed_at for row in goods))
    return one.refund_minor is not None or any(at is not None and picture.sent_at <= at for at in moments)


async def _picture(db: AsyncSession, one: CustomerReturn, picture_id: uuid.UUID, seen: VisibleOrders) -> ReturnPicture:
    for picture in await queries.pictures_of(db, one.id, seen=seen):
        if picture.id == picture_id:
            return picture
    raise NotFound(f"{one.number} has no picture {picture_id}")
