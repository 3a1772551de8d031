"""On-call lists: who answers now, and who is next."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import Detail, Invalid, NotFound
from cloud_api.kernel.registers import flush_unique
from cloud_api.notifications import audience, rota
from cloud_api.notifications.models import OnCallList, OnCallMember
from cloud_api.notifications.schemas import MemberEntry, MemberRead, OnCallListCreate, OnCallListRead, OnCallListUpdate


async def create_list(db: AsyncSession, *, new: OnCallListCreate) -> OnCallList:
    """Add a list.

    Raises:
        Invalid: naming who is not there.
        AlreadyExists: when the name is taken.
    """
    made = OnCallList(name=new.name, timezone=new.timezone, created_at=clock.now())
    db.add(made)
    await flush_unique(db, f"another on-call list is called {new.name!r}", field="name")
    await _put_members(db, made, new.members)
    return made


async def update_list(db: AsyncSession, list_id: uuid.UUID, *, changes: OnCallListUpdate) -> OnCallList:
    """Change what is sent; members are replaced as a whole.

    Raises:
        NotFound: when there is no such list.
        StaleVersion: when `changes` was made of another version than there is now.
        Invalid: naming who is not there.
        AlreadyExists: when the name is taken.
    """
    changed = await get_list(db, list_id, locked=True)
    await versions.count(db, changed, seen=changes.version, what=f"on-call list {changed.name!r}")
    for field in changes.model_fields_set & {"name", "timezone"}:
        setattr(changed, field, getattr(changes, field))
    await flush_unique(db, f"another on-call list is called {changed.name!r}", field="name")
    if "members" in changes.model_fields_set:
        for member in await _members(db, [list_id]):
            await db.delete(member)
        await db.flush()
        await _put_members(db, changed, changes.members)
    return changed


async def delete_list(db: AsyncSession, list_id: uuid.UUID) -> None:
    """Take a list away. What names it still tells everybody who may answer instead.

    Raises:
        NotFound: when there is no such list.
    """
    gone = await get_list(db, list_id, locked=True)
    for member in await _members(db, [list_id]):
        await db.delete(member)
    await db.flush()
    await db.delete(gone)


async def get_list(db: AsyncSession, list_id: uuid.UUID, *, locked: bool = False) -> OnCallList:
    """One list.

    Raises:
        NotFound: when there is none.
    """
    its = select(OnCallList).where(OnCallList.id == list_id)
    found = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if found is None:
        raise NotFound(f"no on-call list with id {list_id}", field="list_id")
    return found


async def exists(db: AsyncSession, list_id: uuid.UUID) -> bool:
    """Whether there is such a list."""
    return await db.get(OnCallList, list_id) is not None


async def on_call_now(db: AsyncSession, list_id: uuid.UUID | None = None) -> Sequence[uuid.UUID]:
    """Who of a list is on call at this moment, in the order in which they are told; of the organisation's first list
    when none is named. Nobody where there is no such list.
    """
    its = select(OnCallList).order_by(OnCallList.id).limit(1)
    found = (await db.scalars(its if list_id is None else its.where(OnCallList.id == list_id))).one_or_none()
    if found is None:
        return []
    line = _line(found, await _members(db, [found.id]), await audience.zone_of_organization(db))
    return await audience.active(db, line)


async def read_lists(db: AsyncSession, lists: Sequence[OnCallList]) -> list[OnCallListRead]:
    """These lists with their people, and who is on call now."""
    of_list = defaultdict[uuid.UUID, list[OnCallMember]](list)
    for member in await _members(db, [one.id for one in lists]):
        of_list[member.list_id].append(member)
    here = set(await audience.active(db, {member.user_id for members in of_list.values() for member in members}))
    usual = await audience.zone_of_organization(db)
    return [
        OnCallListRead(
            id=one.id,
            name=one.name,
            timezone=one.timezone,
            version=one.version,
            created_at=one.created_at,
            members=[MemberRead.of(member) for member in of_list[one.id]],
            on_call_now=[user_id for user_id in _line(one, of_list[one.id], usual) if user_id in here],
        )
        for one in lists
    ]


async def read_list(db: AsyncSession, one: OnCallList) -> OnCallListRead:
    """The same of one."""
    [read] = await read_lists(db, [one])
    return read


async def leave_all(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Take somebody off every list."""
    for member in await db.scalars(select(OnCallMember).where(OnCallMember.user_id == user_id)):
        await db.delete(member)
    await db.flush()


def _line(one: OnCallList, members: Sequence[OnCallMember], usual: ZoneInfo) -> list[uuid.UUID]:
    hours = [
        (msgspec.convert(member.shifts, list[rota.Shift]), msgspec.convert(member.rota, list[rota.Duty]))
        for member in members
    ]
    zone = ZoneInfo(one.timezone) if one.timezone else usual
    return [members[place].user_id for place in rota.order(hours, clock.now(), zone)]


async def _members(db: AsyncSession, list_ids: Collection[uuid.UUID]) -> Sequence[OnCallMember]:
    """In their order."""
    theirs = select(OnCallMember).where(OnCallMember.list_id.in_(list_ids))
    return (await db.scalars(theirs.order_by(OnCallMember.list_id, OnCallMember.position))).all()


async def _put_members(db: AsyncSession, one: OnCallList, members: Sequence[MemberEntry]) -> None:
    here = set(await audience.active(db, [member.user_id for member in members]))
    wrong = [
        Detail(f"members.{place}.user_id", f"nobody active here has the id {member.user_id}")
        for place, member in enumerate(members)
        if member.user_id not in here
    ]
    if wrong:
        raise Invalid("; ".join(detail.message for detail in wrong[:3]), details=wrong)
    for place, member in enumerate(members):
        kept: Mapping[str, list[dict[str, object]]] = msgspec.to_builtins(member.hours())
        db.add(OnCallMember(list_id=one.id, user_id=member.user_id, position=place, **kept))
    await db.flush()
