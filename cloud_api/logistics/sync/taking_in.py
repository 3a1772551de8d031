"""Taking in a part of a phone's log.

A driver's requests are taken one after the other: their keys are locked first. What is new is checked, kept, and done
in the order of its numbers (`turns`, `doing`); what has waited is tried again with it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.json_types import storable
from cloud_api.logistics.events import PhotoArrived
from cloud_api.logistics.sync import clocks, policy
from cloud_api.logistics.sync.chain import WORDS, Chain, Link, Verdict
from cloud_api.logistics.sync.doing import Doer
from cloud_api.logistics.sync.errors import KeyRevoked, KeyUnknown
from cloud_api.logistics.sync.models import PhoneCommand, PhoneKey
from cloud_api.logistics.sync.schemas import EntryResult, SealedCommand, SealedEntry, SyncRequest, SyncResult
from cloud_api.logistics.sync.sealing import PublicKey
from cloud_api.logistics.sync.service import keys_of
from cloud_api.logistics.sync.turns import DONE, WAITING, Place, Turns, settle
from cloud_api.media.models import Media

_SUSPICIOUS = (Verdict.SIGNATURE_WRONG, Verdict.TAMPERED)
#: one warning of one log in that time
_WARNED_EACH = timedelta(hours=1)


async def take_in(db: AsyncSession, part: SyncRequest, *, user_id: uuid.UUID) -> SyncResult:
    """Take in a part of the log of one of somebody's keys; without entries, try again what waits.

    Returns:
        What became of each entry that was sent, in its order, and then of those that had waited.

    Raises:
        KeyUnknown: when they have no such key.
        KeyRevoked: when it was revoked.
    """
    key = await _key(db, part.key_id, user_id=user_id)
    now = clock.now()
    skew = clocks.skew_of(part.sent_at, now)
    key.skew_ms, key.heard_at = round(skew.total_seconds() * 1000), now
    known = await _known(db, key.id, part.entries)
    chain = Chain(PublicKey(key.public_key), ((row.number, Link(row.previous_hash, row.hash)) for row in known))
    rows = {row.number: row for row in known}
    refused: dict[int, Verdict] = {}
    fresh: list[PhoneCommand] = []
    read: dict[Place, SealedCommand] = {}
    for place, entry in enumerate(part.entries):
        verdict = chain.look_at(entry)
        if verdict is Verdict.NEW:
            row, said = _kept(key.id, entry, received_at=now, skew=skew)
            rows[entry.number] = row
            fresh.append(row)
            if said is not None:
                read[key.id, entry.number] = said
        elif verdict is not Verdict.KNOWN:
            refused[place] = verdict
    await _warn(db, key, [(part.entries[place].number, verdict) for place, verdict in refused.items()])
    waited = await _waiting(db, [key.id])
    await _do(db, [*waited, *fresh], user_id=user_id, read=read)
    db.add_all(fresh)
    await db.flush()
    sent = [
        _refusal(entry.number, refused[place]) if place in refused else _told(rows[entry.number])
        for place, entry in enumerate(part.entries)
    ]
    named = {entry.number for entry in part.entries}
    earlier = [_told(row) for row in waited if row.number not in named]
    wanted = [row.waits_for_photo for row in [*waited, *fresh] if row.waits_for_photo]
    return SyncResult(
        results=[*sent, *earlier],
        received_at=now,
        skew_ms=key.skew_ms,
        photos_wanted=list(dict.fromkeys(wanted)),
    )


async def take_up(db: AsyncSession, *, photo_sha256: str) -> int:
    """A picture has arrived: do what waited for it. Returns how many commands waited."""
    waiting = PhoneCommand.waits_for_photo == photo_sha256
    drivers = select(PhoneKey.user_id).join(PhoneCommand, PhoneCommand.key_id == PhoneKey.id).where(waiting).distinct()
    count = 0
    for user_id in sorted((await db.scalars(drivers)).all()):
        keys = await keys_of(db, user_id=user_id)
        rows = await _waiting(db, [key.id for key in keys])
        count += sum(row.waits_for_photo == photo_sha256 for row in rows)
        await _do(db, rows, user_id=user_id, read={})
    return count


async def note_photo(db: AsyncSession, photo_sha256: str) -> None:
    """A picture is being kept: what waits for it is done as soon as that is committed."""
    waiting = select(PhoneCommand.id).where(PhoneCommand.waits_for_photo == photo_sha256).limit(1)
    if (await db.scalars(waiting)).first() is not None:
        outbox.emit(db, PhotoArrived(photo_sha256))


async def _key(db: AsyncSession, key_id: uuid.UUID, *, user_id: uuid.UUID) -> PhoneKey:
    key = {key.id: key for key in await keys_of(db, user_id=user_id)}.get(key_id)
    if key is None:
        raise KeyUnknown(f"you have no phone's key with id {key_id}: register it first", field="key_id")
    if key.revoked_at is not None:
        raise KeyRevoked(
            f"this key was revoked ({key.revoke_reason}): register another one, and seal again what was not sent",
            field="key_id",
        )
    return key


async def _known(db: AsyncSession, key_id: uuid.UUID, entries: Sequence[SealedEntry]) -> Sequence[PhoneCommand]:
    """What is here of these numbers, and of those beside them."""
    numbers = {entry.number + step for entry in entries for step in (-1, 0, 1)}
    wanted = select(PhoneCommand).where(PhoneCommand.key_id == key_id, PhoneCommand.number.in_(numbers))
    return (await db.scalars(wanted)).all() if numbers else []


async def _waiting(db: AsyncSession, key_ids: Sequence[uuid.UUID]) -> Sequence[PhoneCommand]:
    wanted = (
        select(PhoneCommand)
        .where(PhoneCommand.key_id.in_(key_ids), PhoneCommand.result == WAITING)
        .order_by(PhoneCommand.key_id, PhoneCommand.number)
        .execution_options(populate_existing=True)
    )
    return (await db.scalars(wanted)).all()


def _kept(
    key_id: uuid.UUID, entry: SealedEntry, *, received_at: datetime, skew: timedelta
) -> tuple[PhoneCommand, SealedCommand | None]:
    """A new entry, as it is kept, and what it says; what nobody can read is refused for good."""
    row = PhoneCommand(
        key_id=key_id,
        **entry.model_dump(),
        command_id=None,
        kind="",
        target_id=None,
        phone_at=None,
        happened_at=None,
        skew_ms=round(skew.total_seconds() * 1000),
        received_at=received_at,
        result=WAITING,
        code="",
        message="",
        field="",
        waits_for_photo=None,
        answered_at=None,
    )
    try:
        storable(entry.command)
        said = SealedCommand.model_validate_json(entry.command)
    except ValidationError as error:
        first = error.errors()[0]
        settle(row, "refused", "UNREADABLE", str(first["msg"]), ".".join(str(part) for part in first["loc"]))
        return row, None
    except ValueError as error:
        row.command = ""
        settle(row, "refused", "UNREADABLE", f"command {error}", "command")
        return row, None
    row.command_id, row.kind, row.target_id, row.phone_at = said.id, said.kind, said.target_id, said.at
    row.happened_at = clocks.corrected(said.at, skew=skew, not_after=received_at)
    if any(number >= entry.number for number in said.after):
        settle(row, "refused", "UNREADABLE", "an entry builds on earlier ones only", "after")
    return row, said


async def _do(
    db: AsyncSession, rows: Sequence[PhoneCommand], *, user_id: uuid.UUID, read: Mapping[Place, SealedCommand]
) -> None:
    """Do what can be done of these commands, in the order of their numbers.

    Args:
        read: what those say that were just read.
    """
    todo = sorted((row for row in rows if row.result == WAITING), key=lambda row: (row.key_id.bytes, row.number))
    said = {
        (row.key_id, row.number): read.get((row.key_id, row.number)) or SealedCommand.model_validate_json(row.command)
        for row in todo
    }
    targets = {command.target_id for command in said.values() if command.target_id is not None}
    doer = Doer(
        db,
        driver_id=user_id,
        photos_here=await _photos_here(db, said.values()),
        standings=await policy.standings(db, targets, driver_id=user_id),
    )
    turns = Turns(
        said,
        before=await _before(db, said),
        done_ids=await _done_elsewhere(db, [command.id for command in said.values()], user_id=user_id),
    )
    while todo:
        shared = doer.together(turns.ready(todo))
        count = max(1, len(shared))
        these, todo = todo[:count], todo[count:]
        if count > 1 and await doer.do_together(shared):
            for row in these:
                turns.end(row, policy.APPLIED)
            continue
        for row in these:
            task = turns.task(row)
            if task is not None:
                turns.end(row, await doer.do(task))


async def _before(db: AsyncSession, said: Mapping[Place, SealedCommand]) -> dict[Place, PhoneCommand]:
    """What is here of the entries that these commands build on, and is not among them."""
    wanted: dict[uuid.UUID, set[int]] = {}
    for (key_id, _), command in said.items():
        wanted.setdefault(key_id, set()).update(number for number in command.after if (key_id, number) not in said)
    found: dict[Place, PhoneCommand] = {}
    for key_id, numbers in wanted.items():
        if numbers:
            its = select(PhoneCommand).where(PhoneCommand.key_id == key_id, PhoneCommand.number.in_(numbers))
            found |= {(row.key_id, row.number): row for row in await db.scalars(its)}
    return found


async def _done_elsewhere(db: AsyncSession, ids: Sequence[uuid.UUID], *, user_id: uuid.UUID) -> set[uuid.UUID]:
    """Which of these commands were done when they came under another number, or sealed with another key."""
    done = (
        select(PhoneCommand.command_id)
        .join(PhoneKey, PhoneKey.id == PhoneCommand.key_id)
        .where(PhoneKey.user_id == user_id, PhoneCommand.command_id.in_(ids), PhoneCommand.result.in_(DONE))
    )
    return {known for known in await db.scalars(done) if known is not None} if ids else set()


async def _photos_here(db: AsyncSession, said: Iterable[SealedCommand]) -> set[str]:
    hashes = {sha256 for command in said for sha256 in policy.photos_of(command)}
    here = select(Media.sha256).where(Media.sha256.in_(hashes))
    return set((await db.scalars(here)).all()) if hashes else set()


async def _warn(db: AsyncSession, key: PhoneKey, found: Sequence[tuple[int, Verdict]]) -> None:
    """Somebody responsible is told of a log that does not fit together, now and then."""
    suspicious = [(number, verdict) for number, verdict in found if verdict in _SUSPICIOUS]
    now = clock.now()
    if not suspicious or (key.suspected_at is not None and now - key.suspected_at < _WARNED_EACH):
        return
    key.suspected_at = now
    number, verdict = suspicious[0]
    details: dict[str, object] = {"key_id": key.id, "device_id": key.device_id, "number": number, "found": str(verdict)}
    audit.raise_security_event(db, type="phone_log_tampered", severity="high", details=details)


def _refusal(number: int, verdict: Verdict) -> EntryResult:
    return EntryResult(number=number, result="refused", code=verdict.value, message=WORDS[verdict], field="hash")


def _told(row: PhoneCommand) -> EntryResult:
    return EntryResult.model_validate(row, from_attributes=True)
