"""Chaining the trail, behind the work: each organisation's entries get their place and their digest here.

Work that writes an entry takes no lock for it. What waits stands in `audit_unsealed`, written with the entry; so an
entry that commits late, with an older id than others that are sealed already, is sealed like any other. The order of
the chain is the order of sealing; within what was found at once, that of the ids.

One sealer works on an organisation at a time: it holds the lock on the end of the chain (SQLite: the writer's lock).
"""

import asyncio
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import verify
from cloud_api.audit.models import AuditChain, AuditEntry, AuditSeal, UnsealedEntry
from cloud_api.audit.recording import plain
from cloud_api.kernel import clock
from cloud_api.kernel.db import DATABASE_FAILURES, Database, insert_missing
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope

log = structlog.get_logger(__name__)

_POLL_S = 1.0
#: entries of one organisation in one unit of work
_BATCH = 500
#: organisations looked at in one round
_ROUND = 100
_SEALER = Actor("worker", None, "audit.sealer")


class Sealer:
    """Seals whatever has no seal yet. Any number may run beside each other."""

    def __init__(self, database: Database, key: str, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._key = key.encode()
        self._poll_s = poll_s

    async def run(self) -> None:
        """Seal until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                sealed = await self.seal_due()
            except DATABASE_FAILURES as error:
                log.warning("audit_sealer_failed", error=str(error))
                sealed = 0
            if sealed == 0:
                await asyncio.sleep(self._poll_s)

    async def seal_due(self) -> int:
        """Seal what waits, a batch of each organisation. Returns how many entries that were."""
        sealed = 0
        for organization_id in await self._waiting():
            try:
                sealed += await self._seal(organization_id)
            except SQLAlchemyError as error:  # a chain that somebody broke must not hold up the others
                log.warning("audit_chain_failed", organization_id=str(organization_id), error=str(error))
        return sealed

    async def _waiting(self) -> Sequence[uuid.UUID]:
        async with self._database.unit_of_work(SystemScope("find unsealed audit entries"), read_only=True) as db:
            waiting = select(UnsealedEntry.organization_id).distinct().limit(_ROUND)
            return (await db.scalars(waiting)).all()

    async def _seal(self, organization_id: uuid.UUID) -> int:
        async with self._database.unit_of_work(OrganizationScope(organization_id), actor=_SEALER) as db:
            await insert_missing(db, AuditChain, {"sequence": 0, "digest": verify.FIRST})
            locked = select(AuditChain).with_for_update(skip_locked=True)
            chain = (await db.scalars(locked)).one_or_none()
            if chain is None:  # another sealer is at it
                return 0
            # only now that the chain is ours: what the sealer before us did is seen
            waiting = await _next_entries(db)
            for entry in waiting:
                chain.sequence += 1
                chain.digest = verify.seal(
                    self._key, sequence=chain.sequence, previous=chain.digest, entry=entry_fields(entry)
                )
                db.add(_seal_of(entry, chain))
            await db.execute(delete(UnsealedEntry).where(UnsealedEntry.id.in_([entry.id for entry in waiting])))
            return len(waiting)


async def _next_entries(db: AsyncSession) -> Sequence[AuditEntry]:
    statement = (
        select(AuditEntry).join(UnsealedEntry, UnsealedEntry.id == AuditEntry.id).order_by(AuditEntry.id).limit(_BATCH)
    )
    return (await db.scalars(statement)).all()


def _seal_of(entry: AuditEntry, chain: AuditChain) -> AuditSeal:
    return AuditSeal(
        id=new_id(),
        organization_id=entry.organization_id,
        sequence=chain.sequence,
        entry_id=entry.id,
        digest=chain.digest,
        sealed_at=clock.now(),
    )


#: names of what is sealed of an entry: all of it
FIELDS = (
    "id",
    "organization_id",
    "occurred_at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "request_id",
    "action",
    "entity",
    "entity_id",
    "old",
    "new",
    "note",
)


def entry_fields(entry: AuditEntry) -> dict[str, object]:
    """What is sealed of an entry, as an export shows it."""
    return {name: plain(getattr(entry, name)) for name in FIELDS}
