"""The verbs of privacy: a copy of one's data, and its erasure."""

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.errors import Expired
from cloud_api.identity.people.authority import an_administrator_stays, check_changeable
from cloud_api.identity.people.models import User
from cloud_api.identity.privacy.events import PersonalDataWanted
from cloud_api.identity.privacy.holders import Holder
from cloud_api.identity.privacy.models import ErasureRequest, PersonalDataExport
from cloud_api.identity.privacy.schemas import DocumentRead
from cloud_api.identity.privacy.states import ERASURE, ErasureAction, ErasureStatus
from cloud_api.kernel import clock, outbox
from cloud_api.kernel.errors import Conflict, Forbidden, NotFound
from cloud_api.kernel.permissions import Principal, grants
from cloud_api.kernel.registers import flush_unique

EXPORT_LIFE = timedelta(days=7)


async def request_export(db: AsyncSession, *, subject_id: uuid.UUID, by: Principal) -> PersonalDataExport:
    """Let a copy of all that is kept about somebody be put together, after the commit.

    Raises:
        Forbidden: when it is somebody else, and `by` does not manage privacy.
        NotFound: when there is nobody of this id.
    """
    _check_concerns(subject_id, by)
    await _subject(db, subject_id)
    await forget_expired(db)
    export = PersonalDataExport(
        subject_id=subject_id, requested_by=by.id, created_at=clock.now(), expires_at=clock.now() + EXPORT_LIFE
    )
    db.add(export)
    await db.flush()
    outbox.emit(db, PersonalDataWanted(export.id))
    return export


async def build_export(db: AsyncSession, export_id: uuid.UUID, holders: Sequence[Holder]) -> None:
    """Put the copy together, from every room that holds something."""
    await forget_expired(db)
    export = await db.get(PersonalDataExport, export_id, with_for_update=True)
    if export is None or export.ready_at is not None:
        return
    subject = await _subject(db, export.subject_id)
    data: dict[str, JsonValue] = {holder.name: await holder.tell(db, subject) for holder in holders}
    export.ready_at = clock.now()
    export.document = json.dumps(data)


async def get_export(db: AsyncSession, export_id: uuid.UUID, *, by: Principal) -> PersonalDataExport:
    """A copy that somebody asked for about themselves, or that `by` may hand out.

    Raises:
        NotFound: when there is none that `by` may see.
    """
    export = await db.get(PersonalDataExport, export_id)
    if export is None or not (export.subject_id == export.requested_by == by.id or _manages(by)):
        raise NotFound(f"no export with id {export_id}")
    return export


async def read_document(db: AsyncSession, export_id: uuid.UUID, *, by: Principal) -> DocumentRead:
    """What stands in the copy.

    Raises:
        NotFound: when there is none that `by` may see, or it is not ready yet.
        Expired: after seven days, or when the person was erased.
    """
    export = await get_export(db, export_id, by=by)
    if export.ready_at is None:
        raise NotFound("the copy is not ready yet: ask again in a moment")
    if export.document is None or export.expires_at <= clock.now():
        raise Expired("this copy was removed: ask for a new one")
    return DocumentRead(subject_id=export.subject_id, generated_at=export.ready_at, data=json.loads(export.document))


async def forget_expired(db: AsyncSession) -> None:
    """Remove copies that are older than seven days. Until somebody does, they lie sealed, and nobody gets them."""
    over = select(PersonalDataExport).where(
        PersonalDataExport.expires_at <= clock.now(), PersonalDataExport.document.is_not(None)
    )
    for export in await db.scalars(over):
        export.document = None


async def request_erasure(db: AsyncSession, *, subject_id: uuid.UUID, reason: str, by: Principal) -> ErasureRequest:
    """Ask that somebody's personal data be made unreadable. Asking again changes nothing.

    Raises:
        Forbidden: when it is somebody else, and `by` does not manage privacy.
        NotFound: when there is nobody of this id.
        AlreadyExists: when the same is asked at this moment.
    """
    _check_concerns(subject_id, by)
    await _subject(db, subject_id)
    open_one = select(ErasureRequest).where(
        ErasureRequest.subject_id == subject_id, ErasureRequest.status == ErasureStatus.REQUESTED
    )
    found = (await db.scalars(open_one)).one_or_none()
    if found is not None:
        return found
    made = ErasureRequest(
        subject_id=subject_id,
        requested_by=by.id,
        reason=reason,
        status=ERASURE.initial,
        created_at=clock.now(),
    )
    db.add(made)
    await flush_unique(db, "the same is asked at this moment", field="user_id")
    return made


async def cancel_erasure(db: AsyncSession, request_id: uuid.UUID, *, by: Principal) -> ErasureRequest:
    """Leave the data as it is: the person changed their mind, or the law wants it kept.

    Raises:
        NotFound: when there is no such request that `by` may see.
        InvalidTransition: when it was settled before.
    """
    request = await _request(db, request_id)
    if request.subject_id != by.id and not _manages(by):
        raise NotFound(f"no erasure request with id {request_id}")
    return _settle(request, ErasureAction.CANCEL, by)


async def execute_erasure(
    db: AsyncSession, request_id: uuid.UUID, *, holders: Sequence[Holder], by: Principal
) -> ErasureRequest:
    """Make somebody's personal data unreadable, in every room that holds some. What the books and the trail have stays.

    Doing it again changes nothing.

    Raises:
        NotFound: when there is no such request.
        Conflict: when it is oneself.
        MightierPerson: when they hold more than `by`.
        LastAdministrator: when nobody active would be left who can let people in.
        InvalidTransition: when it was cancelled.
    """
    async with an_administrator_stays(db):
        request = await _request(db, request_id)
        if request.status == ErasureStatus.EXECUTED:
            return request
        if request.subject_id == by.id:
            raise Conflict("nobody erases themselves: ask another administrator")
        subject = await _subject(db, request.subject_id, locked=True)
        await check_changeable(db, subject, by=by)
        _settle(request, ErasureAction.EXECUTE, by)
        await db.flush()
        for holder in holders:
            await holder.erase(db, subject)
        db.expire(subject)
        audit.record(db, action="users.erased", entity="users", entity_id=request.subject_id)
    await db.refresh(request)
    return request


def _settle(request: ErasureRequest, action: ErasureAction, by: Principal) -> ErasureRequest:
    request.status = ERASURE.apply(ErasureStatus(request.status), action)
    request.settled_by, request.settled_at = by.id, clock.now()
    return request


def _check_concerns(subject_id: uuid.UUID, by: Principal) -> None:
    if subject_id != by.id and not _manages(by):
        raise Forbidden("this needs the permission privacy:manage; for yourself name nobody")


def _manages(principal: Principal) -> bool:
    return grants(principal.permissions, "privacy:manage")


async def _request(db: AsyncSession, request_id: uuid.UUID) -> ErasureRequest:
    found = await db.get(ErasureRequest, request_id, with_for_update=True)
    if found is None:
        raise NotFound(f"no erasure request with id {request_id}")
    return found


async def _subject(db: AsyncSession, user_id: uuid.UUID, *, locked: bool = False) -> User:
    """Also somebody who has left: their data may still be there."""
    statement = select(User).where(User.id == user_id)
    found = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if found is None:
        raise NotFound(f"no user with id {user_id}")
    return found
