"""Taking in a part of a phone's log.

A driver's requests are taken one after the other: their keys are locked first. What is new is checked, kept, and done
in the order of its numbers, each command in a savepoint of its own; what has waited is tried again with it. A command
waits for those that it names (`after`), and for pictures that have not arrived; nothing else holds it up.
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
from cloud_api.media.models import Media

WAITING = "waiting"
#: results after which a command is not done again
SETTLED = ("applied", "duplicate", "refused", "conflict")
_DONE = ("applied", "duplicate")
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
    for place, entry in enumerate(part.entries):
        verdict = chain.look_at(entry)
        if verdict is Verdict.NEW:
            fresh.append(_kept(key.id, entry, received_at=now, skew=skew))
            rows[entry.number] = fresh[-1]
        elif verdict is not Verdict.KNOWN:
            refused[place] = verdict
    await _warn(db, key, [(part.entries[place].number, verdict) for place, verdict in refused.items()])
    waited = await _waiting(db, [key.id])
    await _do(db, [*waited, *fresh], user_id=user_id)
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
        await _do(db, rows, user_id=user_id)
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


def _kept(key_id: uuid.UUID, entry: SealedEntry, *, received_at: datetime, skew: timedelta) -> PhoneCommand:
    """A new entry, as it is kept; what nobody can read is refused for good."""
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
        _settle(row, "refused", "UNREADABLE", str(first["msg"]), ".".join(str(part) for part in first["loc"]))
        return row
    except ValueError as error:
        row.command = ""
        _settle(row, "refused", "UNREADABLE", f"command {error}", "command")
        return row
    row.command_id, row.kind, row.target_id, row.phone_at = said.id, said.kind, said.target_id, said.at
    row.happened_at = clocks.corrected(said.at, skew=skew, not_after=received_at)
    if any(number >= entry.number for number in said.after):
        _settle(row, "refused", "UNREADABLE", "an entry builds on earlier ones only", "after")
    return row


async def _do(db: AsyncSession, rows: Sequence[PhoneCommand], *, user_id: uuid.UUID) -> None:
    """Do what can be done of these commands, in the order of their numbers."""
    todo = sorted((row for row in rows if row.result == WAITING), key=lambda row: (row.key_id.bytes, row.number))
    said = {(row.key_id, row.number): SealedCommand.model_validate_json(row.command) for row in todo}
    before = await _before(db, said)
    done_ids = await _done_elsewhere(db, [command.id for command in said.values()], user_id=user_id)
    targets = {command.target_id for command in said.values() if command.target_id is not None}
    doer = Doer(
        db,
        driver_id=user_id,
        photos_here=await _photos_here(db, said.values()),
        standings=await policy.standings(db, targets, driver_id=user_id),
    )
    for row in todo:
        command = said[row.key_id, row.number]
        earlier = {number: before.get((row.key_id, number)) for number in command.after}
        missing = [number for number, known in earlier.items() if known is None or known.result == WAITING]
        if missing:
            row.waits_for_photo = None
            row.code, row.message = "EARLIER_MISSING", f"waits for entry {missing[0]}"
            row.field = "after"
        elif command.id in done_ids:
            _settle(row, "duplicate", "ALREADY_SENT", "this command was done when it was sent before", "id")
        else:
            moments = [known.happened_at for known in earlier.values() if known and known.happened_at]
            assert row.happened_at is not None  # noqa: S101 - of what could be read it is known
            row.happened_at = min(max([row.happened_at, *moments]), row.received_at)
            skew = timedelta(milliseconds=row.skew_ms)
            outcome = await doer.do(command, at=row.happened_at, skew=skew, received_at=row.received_at)
            row.waits_for_photo = outcome.photo
            if outcome.result == WAITING:
                row.code, row.message, row.field = outcome.code, outcome.message, outcome.field
            else:
                _settle(row, outcome.result, outcome.code, outcome.message, outcome.field)
        if row.result in _DONE:
            done_ids.add(command.id)
        before[row.key_id, row.number] = row


def _settle(row: PhoneCommand, result: str, code: str, message: str, field: str) -> None:
    row.result, row.code, row.message, row.field = result, code, message, field
    row.answered_at = clock.now()
    row.waits_for_photo = None
    if row.kind == "position_batch":
        row.command = ""


async def _before(
    db: AsyncSession, said: Mapping[tuple[uuid.UUID, int], SealedCommand]
) -> dict[tuple[uuid.UUID, int], PhoneCommand]:
    """What is here of the entries that these commands build on, and is not among them."""
    wanted: dict[uuid.UUID, set[int]] = {}
    for (key_id, _), command in said.items():
        wanted.setdefault(key_id, set()).update(number for number in command.after if (key_id, number) not in said)
    found: dict[tuple[uuid.UUID, int], PhoneCommand] = {}
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
        .where(PhoneKey.user_id == user_id, PhoneCommand.command_id.in_(ids), PhoneCommand.result.in_(_DONE))
    )
    return {known for known in await db.scalars(done) if known is not None} if ids else set()


async def _photos_here(db: AsyncSession, said: Iterable[SealedCommand]) -> set[str]:
    hashes = {sha256 for command in said for sha256 in photos_of(command)}
    here = select(Media.sha256).where(Media.sha256.in_(hashes))
    return set((await db.scalars(here)).all()) if hashes else set()


def photos_of(command: SealedCommand) -> list[str]:
    """The pictures that a command names, by their SHA-256."""
    named = (command.payload.get(field) for field in ("photo_sha256", "signature_sha256"))
    return [sha256 for sha256 in named if isinstance(sha256, str)]


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
