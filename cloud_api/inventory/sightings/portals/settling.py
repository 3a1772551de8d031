"""What is to become of a passage: nothing, a proposal, or a booking at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.sightings.events import PassageReady
from cloud_api.inventory.sightings.portals.models import Passage, PortalRule
from cloud_api.inventory.sightings.portals.readers import KnownReader, known_readers
from cloud_api.inventory.sightings.portals.spans import Span
from cloud_api.inventory.sightings.portals.states import PASSAGE, PassageAction, PassageStatus
from cloud_api.inventory.sightings.tags import service as tags
from cloud_api.inventory.sightings.tags.models import OF_GOODS, Tag
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.db import Database
from cloud_api.kernel.loops import keep_looking, while_full
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope

_POLL_S = 1.0
#: settled in one unit of work
_AT_ONCE = 200
_ACTOR = Actor("worker", None, "portals")
#: the clocks of gateways and ours may differ by so much
_SKEW = timedelta(seconds=60)


def span_of(passage: Passage) -> Span:
    """What is known of it so far."""
    return Span(**{name: getattr(passage, name) for name in Span.__slots__})


async def settle(db: AsyncSession, reader: KnownReader, passages: Sequence[Passage]) -> None:
    """Say of locked, open passages of a reader what becomes of them, but of those that may still go on."""
    now = clock.now()
    over = [passage for passage in passages if passage.due_at <= now or not reader.tells_by_order]
    bound = await tags.find_all(db, {passage.epc for passage in over})
    for passage in over:
        passage.direction = reader.direction_of(span_of(passage))
        rule, tag = reader.rule_for(passage.direction), bound.get(passage.epc)
        if tag is not None and tag.bound_at > passage.ended_at + _SKEW:
            tag = None
        _settle(db, passage, tag, rule, now)
    await db.flush()


async def settle_due(database: Database) -> int:
    """Settle passages that are over: a step for a loop. Any number may run beside each other. Returns how many."""
    now = clock.now()
    due = select(Passage).where(Passage.status == PassageStatus.OPEN, Passage.due_at <= now)
    async with database.unit_of_work(SystemScope("find passages that are over"), read_only=True) as db:
        organization_ids = (await db.scalars(due.with_only_columns(Passage.organization_id).distinct())).all()
    settled = 0
    for organization_id in organization_ids:
        async with database.unit_of_work(OrganizationScope(organization_id), actor=_ACTOR) as db:
            claimed = due.order_by(Passage.id).limit(_AT_ONCE).with_for_update(skip_locked=True)
            passages = (await db.scalars(claimed)).all()
            readers = await known_readers(db, {passage.reader_id for passage in passages})
            for reader in readers.values():
                await settle(db, reader, [passage for passage in passages if passage.reader_id == reader.id])
            settled += len(passages)
    return settled


class PortalWatch:
    """Settles passages when they are over. Any number may run beside each other."""

    def __init__(self, database: Database, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        await keep_looking(self._all_due, every_s=self._poll_s, failure="portal_watch_failed")

    async def _all_due(self) -> None:
        await while_full(lambda: settle_due(self._database), at_once=_AT_ONCE)


def _settle(db: AsyncSession, passage: Passage, tag: Tag | None, rule: PortalRule | None, now: datetime) -> None:
    why_not = _why_not(tag, rule, passage.direction)
    if why_not is not None or tag is None or rule is None:
        passage.reason, passage.message = why_not or ("", "")
        passage.status = PASSAGE.apply(PassageStatus(passage.status), PassageAction.SKIP)
        return
    passage.tag_id, passage.action, passage.to_location_id = tag.id, rule.action, rule.to_location_id
    passage.from_location_id = tag.goods_location_id
    if rule.mode == "automatic" and passage.ended_at < now - timedelta(seconds=rule.max_age_s):
        passage.reason = "TOO_OLD"
        passage.message = f"it was told of more than {rule.max_age_s} s after it was seen"
    if rule.mode == "propose" or passage.reason:
        passage.status = PASSAGE.apply(PassageStatus(passage.status), PassageAction.PROPOSE)
        return
    passage.status = PASSAGE.apply(PassageStatus(passage.status), PassageAction.MAKE_READY)
    outbox.emit(db, PassageReady(passage.id))


def _why_not(tag: Tag | None, rule: PortalRule | None, direction: str) -> tuple[str, str] | None:
    """Why nothing is to be booked of a passage: a code, and in words."""
    if tag is None:
        return "UNBOUND", "nobody has said what this tag is on"
    if rule is None and direction == "unknown":
        return "DIRECTION_UNKNOWN", "its antennas do not tell which way it went"
    if rule is None or rule.action == "ignore":
        return "IGNORED", "no rule of this portal says what to book"
    if tag.entity_type in OF_GOODS or (tag.entity_type == "item" and rule.to_location_id is not None):
        return None
    return "NO_GOODS", f"nothing is booked of a tag on a {tag.entity_type}"
