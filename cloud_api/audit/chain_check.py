"""Checking the chains where they stand, in the database."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import queries, verify
from cloud_api.audit.models import AuditChain, AuditEntry, AuditSeal
from cloud_api.audit.sealer import entry_fields
from cloud_api.kernel import clock

#: an entry that waits longer for its seal is reported
PATIENCE = timedelta(minutes=1)
_CHUNK = 1_000
#: of one organisation; more of the same helps nobody
_AT_MOST = 100


async def problems(db: AsyncSession, key: bytes) -> list[str]:
    """One sentence for each thing that is wrong in any organisation's chain. Needs a system session.

    Entries older than a minute that have no seal, seals whose entry is gone, gaps in the sequence, digests that do
    not follow from the entry and the one before, and a chain that ends elsewhere than its seals do.
    """
    # the organisations of both: a chain's row may have been taken away, too
    known = select(AuditEntry.organization_id).union(select(AuditChain.organization_id))
    organizations = sorted((await db.scalars(known)).all())
    return [line for organization_id in organizations for line in await _of_one(db, organization_id, key)]


async def _of_one(db: AsyncSession, organization_id: uuid.UUID, key: bytes) -> list[str]:
    before = clock.now() - PATIENCE
    unsealed = await db.scalars(queries.unsealed(organization_id, before=before).limit(_AT_MOST))
    found = [f"entry {entry.id} ({entry.action}) of {entry.occurred_at:%F %T} has no seal" for entry in unsealed]
    sequence, digest, wrong = await _end(db, organization_id)
    found += wrong
    expected, previous = 1, verify.FIRST
    while len(found) < _AT_MOST:
        links = queries.links(organization_id, after=expected - 1, through=sequence).limit(_CHUNK)
        chunk = (await db.execute(links)).all()
        if not chunk:
            break
        for seal, entry in chunk:
            found += _wrong_with(seal, entry, key, expected=expected, previous=previous)
            expected, previous = seal.sequence + 1, seal.digest
        db.expunge_all()
    else:  # enough is wrong already
        return [f"organisation {organization_id}: {line}" for line in found[:_AT_MOST]]
    if expected <= sequence:
        found.append(f"seals {expected} to {sequence} are missing")
    elif previous != digest and not wrong:
        found.append(f"the chain's end does not have the digest of seal {sequence}")
    return [f"organisation {organization_id}: {line}" for line in found[:_AT_MOST]]


async def _end(db: AsyncSession, organization_id: uuid.UUID) -> tuple[int, str, list[str]]:
    """The chain's end, and what is wrong with it. A sealer may be at work: what it adds meanwhile is not looked at."""
    last = await db.scalar(select(func.max(AuditSeal.sequence)).where(AuditSeal.organization_id == organization_id))
    statement = select(AuditChain).where(AuditChain.organization_id == organization_id)
    chain = (await db.scalars(statement)).one_or_none()
    sequence, digest = (chain.sequence, chain.digest) if chain else (0, verify.FIRST)
    if sequence >= (last or 0):
        return sequence, digest, []
    return last or 0, digest, [f"the chain ends at {sequence}, its seals at {last}"]


def _wrong_with(
    seal: AuditSeal, entry: AuditEntry | None, key: bytes, *, expected: int, previous: str
) -> Iterator[str]:
    if seal.sequence != expected:
        yield f"seals {expected} to {seal.sequence - 1} are missing"
    if entry is None:
        yield f"seal {seal.sequence} has lost its entry {seal.entry_id}"
    elif seal.sequence == expected:
        fields = entry_fields(entry)
        if verify.seal(key, sequence=seal.sequence, previous=previous, entry=fields) != seal.digest:
            yield f"seal {seal.sequence} does not fit its entry {entry.id} ({entry.action})"
