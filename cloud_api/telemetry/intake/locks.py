"""The rows that are locked while batches are stored: a gateway's, and with it its lanes and series."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.devices.models import Gateway
from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel.db import insert_missing
from cloud_api.telemetry.intake.memory import Versions
from cloud_api.telemetry.intake.reading_rows import SEQUENCES
from cloud_api.telemetry.models import LaneCursor

#: (gateway, epoch, lane)
LaneKey = tuple[uuid.UUID, str, str]


@dataclass(frozen=True, slots=True)
class LockedGateway:
    """What its row said when it was locked."""

    id: uuid.UUID
    organization_id: uuid.UUID
    #: and its organisation is let in
    in_service: bool
    #: those that open something: its secret, and the next one
    secrets_sha256: frozenset[str]
    config_version: int
    versions: Versions


@dataclass(frozen=True, slots=True)
class LockedLane:
    """A lane's cursor."""

    id: uuid.UUID
    number: int
    acked_through: int

    @property
    def base(self) -> int:
        """What is added to its sequences to store them."""
        return self.number * SEQUENCES


async def lock_gateways(db: AsyncSession, gateway_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, LockedGateway]:
    """The gateways, locked in the order of their keys until the unit of work ends: their batches come one at a time.

    What points at them may be added meanwhile; what is known of their sensors may not change (`hold_facts`).
    """
    welcome = select(Organization.is_active).where(Organization.id == Gateway.organization_id)
    columns = (
        Gateway.id,
        Gateway.organization_id,
        Gateway.status,
        Gateway.secret_sha256,
        Gateway.next_secret_sha256,
        Gateway.config_version,
        Gateway.facts_version,
        Gateway.batches,
        welcome.scalar_subquery().label("welcome"),
    )
    theirs = select(*columns).where(Gateway.id.in_(gateway_ids)).order_by(Gateway.id)
    locked = theirs.with_for_update(of=Gateway, key_share=True)
    return {
        row.id: LockedGateway(
            row.id,
            row.organization_id,
            row.status != "decommissioned" and row.welcome,
            frozenset(filter(None, (row.secret_sha256, row.next_secret_sha256))),
            row.config_version,
            Versions(row.facts_version, row.batches),
        )
        for row in await db.execute(locked)
    }


async def find_lanes(db: AsyncSession, wanted: Sequence[LaneKey]) -> dict[LaneKey, LockedLane]:
    """Lanes of gateways that are locked; made when they are new."""
    found = await _lanes(db, wanted)
    for gateway_id, epoch, lane in wanted:
        if (gateway_id, epoch, lane) in found:
            continue
        last = await db.scalar(select(func.max(LaneCursor.number)).where(LaneCursor.gateway_id == gateway_id))
        new = {"gateway_id": gateway_id, "epoch": epoch, "lane": lane, "number": (last or 0) + 1, "acked_through": 0}
        await insert_missing(db, LaneCursor, {**new, "accepted": 0, "duplicates": 0, "refused": 0})
    return found if len(found) == len(wanted) else await _lanes(db, wanted)


async def _lanes(db: AsyncSession, wanted: Sequence[LaneKey]) -> dict[LaneKey, LockedLane]:
    key = (LaneCursor.gateway_id, LaneCursor.epoch, LaneCursor.lane)
    columns = (*key, LaneCursor.id, LaneCursor.number, LaneCursor.acked_through)
    return {
        (row.gateway_id, row.epoch, row.lane): LockedLane(row.id, row.number, row.acked_through)
        for row in await db.execute(select(*columns).where(tuple_(*key).in_(wanted)))
    }
