"""The verbs of portal rules: make, change, remove."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.readers.service import get_reader
from cloud_api.inventory.sightings.portals import queries
from cloud_api.inventory.sightings.portals.models import PortalRule
from cloud_api.inventory.sightings.portals.schemas import PortalRuleCreate, PortalRuleUpdate
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


async def create_rule(db: AsyncSession, *, new: PortalRuleCreate, seen: Visible = EVERYWHERE) -> PortalRule:
    """Say what is booked when a tag passes. What has passed already stays as it was settled.

    Raises:
        NotFound: when the reader or a place is not there.
        AlreadyExists: when there is a rule for this direction there.
    """
    if new.reader_id is not None:
        await get_reader(db, new.reader_id, seen=seen)
    for location_id in (new.location_id, new.to_location_id):
        if location_id is not None:
            await places.get_location(db, location_id, seen=seen)
    rule = PortalRule(**new.model_dump(), applies_to=new.reader_id or new.location_id, created_at=clock.now())
    db.add(rule)
    await flush_unique(
        db, f"there is a rule for direction {new.direction} there: change it with PUT", field="direction"
    )
    return rule


async def update_rule(
    db: AsyncSession, rule_id: uuid.UUID, *, facts: PortalRuleUpdate, seen: Visible = EVERYWHERE
) -> PortalRule:
    """Say anew what is booked.

    Raises:
        NotFound: when there is no such rule, or the place is not there.
        StaleVersion: when `facts` was made of another version than there is now.
    """
    rule = await get_rule(db, rule_id, seen=seen)
    await versions.count(db, rule, seen=facts.version, what="the portal rule")
    if facts.to_location_id is not None:
        await places.get_location(db, facts.to_location_id, seen=seen)
    for name, value in facts.model_dump().items():
        setattr(rule, name, value)
    await db.flush()
    return rule


async def remove_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Book nothing any more.

    Raises:
        NotFound: when there is no such rule.
    """
    await db.delete(await get_rule(db, rule_id, seen=seen))
    await db.flush()


async def get_rule(db: AsyncSession, rule_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> PortalRule:
    """One rule.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(PortalRule).where(PortalRule.id == rule_id, queries.visible_rules(seen))
    rule = (await db.scalars(its)).one_or_none()
    if rule is None:
        raise NotFound(f"no portal rule with id {rule_id}")
    return rule
