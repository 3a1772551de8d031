"""The verbs of saved views."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.saved_views.models import SavedView
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict, NotFound
from cloud_api.kernel.registers import flush_unique

#: of one person
MOST = 200


class TooManyViews(Conflict):
    """Nobody finds anything among more."""

    code = "TOO_MANY_VIEWS"


async def views_of(db: AsyncSession, user_id: uuid.UUID, *, page: str | None = None) -> Sequence[SavedView]:
    """Somebody's views, of one page or of all, by name."""
    theirs = select(SavedView).where(SavedView.user_id == user_id)
    if page is not None:
        theirs = theirs.where(SavedView.page == page)
    return (await db.scalars(theirs.order_by(SavedView.page, SavedView.name))).all()


async def save(db: AsyncSession, *, user_id: uuid.UUID, page: str, name: str, query: str) -> SavedView:
    """Keep a view; one of this name on the page is replaced.

    Raises:
        TooManyViews: when they have too many already.
        AlreadyExists: when it is saved twice at this moment.
    """
    named = (SavedView.user_id == user_id, SavedView.page == page, SavedView.name == name)
    view = (await db.scalars(select(SavedView).where(*named).with_for_update())).one_or_none()
    if view is None:
        kept = await db.scalar(select(func.count()).select_from(SavedView).where(SavedView.user_id == user_id))
        if (kept or 0) >= MOST:
            raise TooManyViews(f"{MOST} views are kept: delete one first", field="name")
        view = SavedView(user_id=user_id, page=page, name=name)
        db.add(view)
    view.query, view.saved_at = query, clock.now()
    await flush_unique(db, "it is being saved at this moment", field="name")
    return view


async def remove(db: AsyncSession, view_id: uuid.UUID, *, user_id: uuid.UUID) -> None:
    """Forget a view.

    Raises:
        NotFound: when they have none of this id.
    """
    view = await db.get(SavedView, view_id)
    if view is None or view.user_id != user_id:
        raise NotFound(f"you have no saved view with id {view_id}")
    await db.delete(view)


async def forget_all(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Forget all of somebody's views."""
    await db.execute(delete(SavedView).where(SavedView.user_id == user_id))
