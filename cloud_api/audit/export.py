"""The trail as a file: JSON lines that `verify` can check, or a table for a spreadsheet, which nothing can check.

Both are written piece by piece, each piece read in a short transaction of its own: the trail only grows, so the pieces
belong together, and an export of any length needs little memory and holds no lock.
"""

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from cloud_api.audit import queries, verify
from cloud_api.audit.models import AuditChain, AuditEntry, AuditSeal
from cloud_api.audit.sealer import FIELDS, entry_fields
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope

_CHUNK = 500
#: what a spreadsheet would take for a formula
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Stretch:
    """A part of a chain: sequences, the digest before the first and that of the last."""

    first: int
    last: int
    previous: str
    head: str


async def json_lines(
    database: Database,
    scope: OrganizationScope,
    key: bytes,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AsyncIterator[str]:
    """The chain's stretch that covers a time, without a gap; what has no seal yet is not in it.

    A first line with the organisation, the sequences from and to, the digest before the first and the last one; a line
    for each entry; a closing line. Written by one who has the key, so that a stretch is as checkable as the whole.
    """
    part = await stretch(database, scope, since, until)
    opening: dict[str, object] = {
        "format": verify.FORMAT,
        "organization_id": str(scope.organization_id),
        "from_sequence": part.first,
        "to_sequence": part.last,
        "previous": part.previous,
        "head": part.head,
    }
    yield verify.canonical(opening) + "\n"
    written = part.first - 1
    while written < part.last:
        links = queries.links(scope.organization_id, after=written, through=part.last).limit(_CHUNK)
        async with database.unit_of_work(scope, read_only=True) as db:
            chunk = (await db.execute(links)).all()
        for seal, entry in chunk:
            fields = entry_fields(entry) if entry is not None else None
            yield verify.canonical({"sequence": seal.sequence, "digest": seal.digest, "entry": fields}) + "\n"
            written = seal.sequence
        if not chunk:  # seals were taken away: the check of the file will say from where
            break
    count = part.last - part.first + 1
    closing = {"count": count, "digest": part.head}
    signed = verify.close(key, opening=opening, count=count, digest=part.head)
    yield verify.canonical({**closing, "hmac": signed}) + "\n"


async def stretch(
    database: Database, scope: OrganizationScope, since: datetime | None, until: datetime | None
) -> Stretch:
    """What of the chain covers a time; all of it without one. With nothing sealed the last comes before the first."""
    async with database.unit_of_work(scope, read_only=True) as db:
        if since is None and until is None:
            chain = (await db.scalars(select(AuditChain))).one_or_none()
            return Stretch(1, chain.sequence, verify.FIRST, chain.digest) if chain else Stretch(1, 0, "", "")
        first, last = (await db.execute(queries.stretch(since, until))).one()
        if first is None or last is None:
            return Stretch(1, 0, verify.FIRST, verify.FIRST)
        ends = await db.execute(
            select(AuditSeal.sequence, AuditSeal.digest).where(AuditSeal.sequence.in_((first - 1, last)))
        )
        digests = {sequence: digest for sequence, digest in ends}
        return Stretch(first, last, digests.get(first - 1, verify.FIRST), digests.get(last, verify.FIRST))


async def table(
    database: Database, scope: OrganizationScope, statement: Select[tuple[AuditEntry]]
) -> AsyncIterator[str]:
    """The entries of `statement`, newest first, as CSV with a line of names."""
    yield _row(list(FIELDS))
    before: uuid.UUID | None = None
    while True:
        piece = statement if before is None else statement.where(AuditEntry.id < before)
        async with database.unit_of_work(scope, read_only=True) as db:
            chunk = (await db.scalars(piece.order_by(AuditEntry.id.desc()).limit(_CHUNK))).all()
        if not chunk:
            return
        yield "".join(_row([_cell(value) for value in entry_fields(entry).values()]) for entry in chunk)
        before = chunk[-1].id


def _cell(value: object) -> str:
    """As text; what a spreadsheet would run as a formula is quoted."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _row(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
