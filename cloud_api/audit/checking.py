"""Checking one organisation's chain where it stands, for those who look after its security."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, func, select

from cloud_api.audit import export, queries, verify
from cloud_api.audit.models import AuditEntry, AuditSeal, Fault
from cloud_api.audit.sealer import entry_fields
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope

_CHUNK = 1_000
Links = Sequence[Row[tuple[AuditSeal, AuditEntry]]]


@dataclass(frozen=True)
class Checked:
    """What was found in a stretch of the chain."""

    #: sequence of the first entry that was looked at; with `to_sequence` below it there is none
    from_sequence: int
    to_sequence: int
    #: the first place where the seals do not hold; None: they hold
    broken_at: int | None = None
    fault: Fault | None = None

    @property
    def intact(self) -> bool:
        """Whether every seal holds."""
        return self.fault is None

    @property
    def count(self) -> int:
        """How many entries stand in the stretch."""
        return max(0, self.to_sequence - self.from_sequence + 1)


async def check(
    database: Database,
    scope: OrganizationScope,
    key: bytes,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Checked:
    """Compute every seal of the chain again, or those of the stretch that covers a time.

    Read piece by piece, each in a short transaction of its own: the chain only grows, and no lock is held. What has
    no seal yet is not looked at.
    """
    # before the end: a sealer may be at work
    async with database.unit_of_work(scope, read_only=True) as db:
        newest = await db.scalar(select(func.max(AuditSeal.sequence))) or 0
    stretch = await export.stretch(database, scope, since, until)
    place, previous = stretch.first, stretch.previous
    while place <= stretch.last:
        links = queries.links(scope.organization_id, after=place - 1, through=stretch.last).limit(_CHUNK)
        async with database.unit_of_work(scope, read_only=True) as db:
            chunk = (await db.execute(links)).all()
        if not chunk:
            return Checked(stretch.first, stretch.last, place, "end_missing")
        place, previous, fault = await asyncio.to_thread(_first_break, chunk, key, place, previous)
        if fault is not None:
            return Checked(stretch.first, stretch.last, place, fault)
    beyond = since is None and until is None and newest > stretch.last
    if beyond or previous != stretch.head:
        return Checked(stretch.first, stretch.last, stretch.last, "end_differs")
    return Checked(stretch.first, stretch.last)


def _first_break(chunk: Links, key: bytes, place: int, previous: str) -> tuple[int, str, Fault | None]:
    """(the place after the last seal that holds, its digest, what is wrong there)."""
    for seal, entry in chunk:
        if seal.sequence != place:
            return place, previous, "missing"
        if entry is None:
            return place, previous, "entry_gone"
        digest = verify.seal(key, sequence=place, previous=previous, entry=entry_fields(entry))
        if not hmac.compare_digest(digest, seal.digest):
            return place, previous, "changed"
        place, previous = place + 1, digest
    return place, previous, None
