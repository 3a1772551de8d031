"""Telling one's own people from a template: each in their language, by the ways they want, once."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people.models import User
from cloud_api.notifications import audience, service, templates
from cloud_api.notifications.models import Notification
from cloud_api.notifications.pacing import ONCE, take_turn
from cloud_api.notifications.schemas import Category, Channel


async def tell(
    db: AsyncSession,
    user_ids: Collection[uuid.UUID],
    *,
    template: str,
    values: Mapping[str, str],
    severity: str,
    subject: str,
    category: Category = "delivery",
    channels: Collection[Channel] = ("in_app", "push"),
    urgent: bool = False,
    collapse_key: str = "",
    turn: str = "",
    at_most_every: timedelta = ONCE,
    data: Mapping[str, str] | None = None,
) -> Sequence[Notification]:
    """Tell those of these people who are active; preferences and quiet hours are theirs, as `service.notify` says.

    Args:
        template: a key of `wording.KINDS`, of those for staff.
        values: what stands in it, all that the kind names.
        collapse_key: of one matter: the newest takes the place of what was told before.
        turn: each person is told under it at most once in `at_most_every`; empty: each telling is one.

    Raises:
        UnknownTemplate: when there is no such kind.
        ValueError: when the kind is not for staff, or a value is missing.
    """
    here = await audience.active(db, user_ids)
    if turn:
        # in key order: two tellings to the same people wait for each other, and for nobody else
        turns = [(one, f"user:{one}:{turn}") for one in sorted(here)]
        here = [one for one, key in turns if await take_turn(db, key, at_most_every=at_most_every)]
    spoken = defaultdict[str, list[uuid.UUID]](list)
    rows = await db.execute(select(User.id, User.locale).where(User.id.in_(here)).order_by(User.id))
    for user_id, locale in rows:
        spoken[locale].append(user_id)
    told: list[Notification] = []
    for locale, readers in sorted(spoken.items()):
        said = await templates.render(db, template, locale, "push", values)
        told += await service.notify(
            db,
            title=said.subject,
            message=said.body,
            severity=severity,
            category=category,
            subject=subject,
            user_ids=readers,
            channels=channels,
            urgent=urgent,
            collapse_key=collapse_key,
            data=data,
        )
    return told
