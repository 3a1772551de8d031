"""The verbs of the allow-list. None of them leaves the caller outside."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.definitions import IP_ALLOWLIST_ENFORCED
from cloud_api.identity.allowlist.errors import WouldLockOut
from cloud_api.identity.allowlist.models import AllowedRange
from cloud_api.kernel import clock
from cloud_api.kernel.addresses import Network, is_within, parse_networks
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.registers import flush_unique


async def ranges_in_force(db: AsyncSession, organization_id: uuid.UUID) -> tuple[Network, ...]:
    """Where its administrators have to come from; empty: from anywhere. Needs a system session.

    An empty list is never in force, whatever the setting says: nobody could repair it.
    """
    if not await configuration.value_for(db, organization_id, IP_ALLOWLIST_ENFORCED):
        return ()
    ranges = await db.scalars(select(AllowedRange.cidr).where(AllowedRange.organization_id == organization_id))
    return parse_networks(ranges.all(), field="cidr")


async def add_range(db: AsyncSession, *, cidr: str, label: str, by: uuid.UUID) -> AllowedRange:
    """Put a range on the list.

    Raises:
        Invalid: when it is none.
        AlreadyExists: when it stands there.
        WouldLockOut: when it is the first of a list that is in force, and not where the caller is.
    """
    networks = parse_networks([cidr], field="cidr")
    if not networks:
        raise Invalid("write 203.0.113.7 or 10.0.0.0/8", field="cidr")
    before = await _locked(db)
    added = AllowedRange(cidr=str(networks[0]), label=label, created_by=by, created_at=clock.now())
    db.add(added)
    await flush_unique(db, f"{added.cidr} stands on the list", field="cidr")
    if await configuration.value(db, IP_ALLOWLIST_ENFORCED):
        _refuse_lockout(db, [*before, added])
    return added


async def remove_range(db: AsyncSession, id: uuid.UUID) -> None:
    """Take a range off the list.

    Raises:
        NotFound: when there is none.
        WouldLockOut: when the list is in force and has no other range for the caller.
    """
    ranges = await _locked(db)
    gone = next((allowed for allowed in ranges if allowed.id == id), None)
    if gone is None:
        raise NotFound(f"no range with id {id}")
    if await configuration.value(db, IP_ALLOWLIST_ENFORCED):
        _refuse_lockout(db, [allowed for allowed in ranges if allowed is not gone])
    await db.delete(gone)


async def guard_setting(db: AsyncSession, values: Mapping[str, object]) -> None:
    """Asked before settings change: whether the list may be put in force.

    Raises:
        WouldLockOut: when it has no range for the caller.
    """
    if values.get(IP_ALLOWLIST_ENFORCED.key) is True:
        _refuse_lockout(db, await _locked(db))


async def _locked(db: AsyncSession) -> Sequence[AllowedRange]:
    """All ranges, locked: two who take away the other's own range at once would both be outside."""
    return (await db.scalars(select(AllowedRange).order_by(AllowedRange.id).with_for_update())).all()


def _refuse_lockout(db: AsyncSession, ranges: Sequence[AllowedRange]) -> None:
    actor = db.sync_session.info.get("actor")
    address = actor.address if actor else ""
    if not is_within(address, parse_networks([allowed.cidr for allowed in ranges], field="cidr")):
        raise WouldLockOut(address)
