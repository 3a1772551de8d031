"""What administrators do with people: add, change, give and take roles, lock out, let in again.

Everywhere: nobody changes somebody mightier, nobody gives what they have not, and an administrator stays.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit import service as audit
from cloud_api.identity.administration.schemas import HeldRole, PersonCreate, PersonRead
from cloud_api.identity.errors import NameTaken, UnknownPermission, WeakPassword
from cloud_api.identity.events import MailDue
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.passwords import HISTORY, is_one_of, new_password
from cloud_api.identity.people import service as people
from cloud_api.identity.people.authority import an_administrator_stays, check_changeable
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles import service as roles_of
from cloud_api.identity.roles.catalogue import expand
from cloud_api.identity.roles.custom import get_role
from cloud_api.identity.sessions import attempts, recovery, second_factor
from cloud_api.identity.sessions.models import OneTimeToken, SecondFactor, UserSession
from cloud_api.identity.sessions.service import sessions_of, terminate_all
from cloud_api.kernel import clock, outbox, versions
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import Conflict, Forbidden, NotFound
from cloud_api.kernel.permissions import Principal


@dataclass(frozen=True)
class GivenPassword:
    """A password that passed every test, and the one it takes the place of, both as hashes."""

    replaces: str
    password_hash: str


async def read_people(db: AsyncSession, users: Sequence[User]) -> list[PersonRead]:
    """These people with their roles, by two queries for all of them."""
    ids = [user.id for user in users]
    held = await people.roles_held(db, ids)
    protected = set(
        await db.scalars(
            select(SecondFactor.user_id).where(SecondFactor.user_id.in_(ids), SecondFactor.confirmed_at.is_not(None))
        )
    )
    return [
        PersonRead(
            id=user.id,
            username=user.username,
            email=user.email,
            email_verified=user.email_verified_at is not None,
            full_name=user.full_name,
            phone=user.phone,
            status=user.status,
            locale=user.locale,
            theme=user.theme,
            avatar_id=user.avatar_id,
            must_change_password=user.must_change_password,
            two_factor=user.id in protected,
            roles=[HeldRole(id=role.id, name=role.name) for role in held.get(user.id, ())],
            extra_permissions=user.extra_permissions.split(),
            last_signed_in_at=user.last_signed_in_at,
            version=user.version,
            created_at=user.created_at,
        )
        for user in users
    ]


async def create_person(db: AsyncSession, *, by: Principal, new: PersonCreate, password_hash: str) -> User:
    """Add somebody, who has to change the password when they sign in. A mail confirms their address.

    Raises:
        NameTaken: when the user name or the address is in use anywhere.
        Invalid: when a role does not exist.
        UnknownPermission: naming what the catalogue has not.
        RoleTooMighty: when they would get what `by` has not.
    """
    wanted = await roles_of.roles_named(db, organization_id=by.organization_id, names=new.roles)
    roles_of.check_roles_grantable(wanted, by=by)
    extra = _extra(new.extra_permissions, by=by)
    user = await people.add_user(
        db,
        organization_id=by.organization_id,
        username=new.username,
        email=new.email,
        full_name=new.full_name,
        phone=new.phone,
        password_hash=password_hash,
        roles=new.roles,
        must_change_password=True,
        assigned_by=by.id,
    )
    user.locale, user.extra_permissions = new.locale, extra
    await recovery.send_verification(db, user)
    await db.flush()
    return user


async def update_person(
    db: AsyncSession,
    user_id: uuid.UUID,
    *,
    by: Principal,
    changes: Mapping[str, str],
    extra: Sequence[str] | None,
    seen: int | None = None,
) -> User:
    """Change columns of theirs, and what is granted beside their roles. A new address has to be confirmed anew.

    Raises:
        NotFound: when there is nobody of this id.
        MightierPerson: when they hold more than `by`.
        StaleVersion: when it is another version than `seen` now.
        NameTaken: when the user name or the address is in use anywhere.
        UnknownPermission: naming what the catalogue has not.
        RoleTooMighty: when they would get what `by` has not.
        LastAdministrator: when nobody active would be left who can let people in.
    """
    async with an_administrator_stays(db):
        user = await _changeable(db, user_id, by=by)
        await versions.count(db, user, seen=seen, what=user.full_name)
        if extra is not None:
            user.extra_permissions = _extra(extra, by=by)
        for field, value in changes.items():
            setattr(user, field, value.lower() if field in {"username", "email"} else value)
        try:
            await db.flush()
        except IntegrityError as error:
            field = "email" if "email" in changes else "username"
            raise NameTaken("this user name or e-mail address is in use", field=field) from error
    if "email" in changes:
        # what was mailed to the old address must not confirm the new one, nor reset the password
        await spend_tokens(db, user.id)
        user.email_verified_at = None
        await recovery.send_verification(db, user)
        await db.flush()
    return user


async def remove_person(db: AsyncSession, user_id: uuid.UUID, *, by: Principal) -> None:
    """Let somebody go for good: they cannot sign in, and stand in no list. What they did keeps their name.

    Raises:
        NotFound: when there is nobody of this id.
        Conflict: when it is oneself.
        MightierPerson: when they hold more than `by`.
        LastAdministrator: when nobody active would be left who can let people in.
    """
    user = await set_status(db, user_id, status="inactive", by=by)
    user.deleted_at = clock.now()


async def set_status(db: AsyncSession, user_id: uuid.UUID, *, status: str, by: Principal) -> User:
    """Let somebody in again, or out: then their sign-ins end at once.

    Raises:
        NotFound: when there is nobody of this id.
        Conflict: when it is oneself.
        MightierPerson: when they hold more than `by`.
        LastAdministrator: when nobody active would be left who can let people in.
    """
    if user_id == by.id:
        raise Conflict("nobody deactivates themselves: ask another administrator")
    async with an_administrator_stays(db):
        user = await _changeable(db, user_id, by=by)
        user.status = status
    if status != "active":
        await terminate_all(db, user_id=user.id, reason="deactivated")
        await spend_tokens(db, user.id)
        await db.flush()
    return user


async def prepare_password(database: Database, user_id: uuid.UUID, *, by: Principal, wanted: str) -> GivenPassword:
    """Check and hash before the unit of work begins.

    Raises:
        NotFound: when there is nobody of this id.
        WeakPassword: when `wanted` is too easy, or one of their last five.
    """
    async with database.unit_of_work(by.scope, read_only=True) as db:
        user = await people.get_user(db, user_id)
        former = await people.former_passwords(db, user_id, limit=HISTORY)
    hashed = await new_password(wanted, about=(user.username, user.email, user.full_name))
    if await is_one_of(wanted, former):
        raise WeakPassword(f"they had this password before: choose one that is none of their last {HISTORY}")
    return GivenPassword(user.password_hash, hashed)


async def give_password(db: AsyncSession, user_id: uuid.UUID, *, by: Principal, given: GivenPassword) -> None:
    """Replace somebody's password, which they have to change when they sign in; every sign-in of theirs ends.

    Raises:
        NotFound: when there is nobody of this id.
        Forbidden: when it is oneself: that takes one's present password.
        MightierPerson: when they hold more than `by`.
        Conflict: when the password was changed at this moment.
    """
    if user_id == by.id:
        raise Forbidden("change your own password at /api/v1/auth/change-password")
    user = await _changeable(db, user_id, by=by)
    if user.password_hash != given.replaces:
        raise Conflict("the password was changed at this moment: try again")
    people.set_password(db, user, given.password_hash)
    user.must_change_password = True
    await terminate_all(db, user_id=user.id, reason="password_changed")
    await spend_tokens(db, user.id)
    organization = await organizations.get_organization(db, user.organization_id)
    outbox.emit(db, MailDue("password_changed", user.email, user.full_name, organization.name, locale=user.locale))
    details = {"user_id": str(user.id), "by_administrator": True}
    audit.raise_security_event(db, type="password_changed", severity="medium", details=details)


async def unlock(db: AsyncSession, user_id: uuid.UUID, *, by: Principal) -> None:
    """Forget somebody's refused sign-ins. Needs a system session: they are counted outside of all organisations.

    Raises:
        NotFound: when there is nobody of this id.
        MightierPerson: when they hold more than `by`.
    """
    user = await people.get_user(db, user_id)
    if user.organization_id != by.organization_id:
        raise NotFound(f"no user with id {user_id}")
    await check_changeable(db, user, by=by)
    await attempts.forget(db, user.id)
    audit.record(db, action="users.unlocked", entity="users", entity_id=user.id, organization_id=user.organization_id)


async def give_role(db: AsyncSession, user_id: uuid.UUID, role_id: uuid.UUID, *, by: Principal) -> User:
    """Give somebody a role; giving it again changes nothing.

    Raises:
        NotFound: when there is nobody of this id, or no such role.
        MightierPerson: when they hold more than `by`.
        RoleTooMighty: when it grants what `by` has not.
    """
    user = await _changeable(db, user_id, by=by)
    role = await get_role(db, role_id, locked=True)
    roles_of.check_roles_grantable([role], by=by)
    if await _held(db, user_id, role_id) is None:
        db.add(UserRole(user_id=user_id, role_id=role_id, assigned_by=by.id, assigned_at=clock.now()))
        details = {"user_id": str(user_id), "role": role.name}
        audit.raise_security_event(db, type="role_granted", severity="low", details=details)
        await db.flush()
    return user


async def take_role(db: AsyncSession, user_id: uuid.UUID, role_id: uuid.UUID, *, by: Principal) -> None:
    """Take a role from somebody; they feel it with their next request.

    Raises:
        NotFound: when there is nobody of this id, or they do not hold the role.
        MightierPerson: when they hold more than `by`.
        LastAdministrator: when nobody active would be left who can let people in.
    """
    async with an_administrator_stays(db):
        user = await _changeable(db, user_id, by=by)
        held = await _held(db, user_id, role_id)
        if held is None:
            raise NotFound(f"{user.full_name} does not hold a role with id {role_id}", field="role_id")
        await db.delete(held)


async def sessions_of_person(db: AsyncSession, user_id: uuid.UUID) -> Sequence[UserSession]:
    """Somebody's open sign-ins, the newest first.

    Raises:
        NotFound: when there is nobody of this id.
    """
    await people.get_user(db, user_id)
    return await sessions_of(db, user_id)


async def end_sessions_of_person(db: AsyncSession, user_id: uuid.UUID, *, by: Principal) -> None:
    """End all of somebody's sign-ins.

    Raises:
        NotFound: when there is nobody of this id.
        MightierPerson: when they hold more than `by`.
    """
    await _changeable(db, user_id, by=by)
    await terminate_all(db, user_id=user_id, reason="terminated")


async def reset_second_factor(db: AsyncSession, user_id: uuid.UUID, *, by: Principal) -> None:
    """Forget the second factor of somebody who lost theirs; every sign-in of theirs ends, and they enrol anew.

    Raises:
        NotFound: when there is nobody of this id.
        Forbidden: for one's own, which is switched off with both factors at hand.
        MightierPerson: when they hold more than `by`.
    """
    if user_id == by.id:
        raise Forbidden("your own second factor is switched off at /api/v1/auth/2fa/disable")
    await second_factor.switch_off(db, await _changeable(db, user_id, by=by))
    await terminate_all(db, user_id=user_id, reason="terminated")


async def spend_tokens(db: AsyncSession, user_id: uuid.UUID) -> None:
    """Let everything that was mailed or shown to somebody work no more."""
    unused = select(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None))
    for token in await db.scalars(unused.with_for_update()):
        token.used_at = clock.now()


async def _changeable(db: AsyncSession, user_id: uuid.UUID, *, by: Principal) -> User:
    user = await people.get_user(db, user_id, locked=True)
    await check_changeable(db, user, by=by)
    return user


async def _held(db: AsyncSession, user_id: uuid.UUID, role_id: uuid.UUID) -> UserRole | None:
    statement = select(UserRole).where(UserRole.user_id == user_id, UserRole.role_id == role_id)
    return (await db.scalars(statement)).one_or_none()


def _extra(permissions: Iterable[str], *, by: Principal) -> str:
    wanted = sorted(set(permissions))
    if unknown := [name for name in wanted if not expand(name)]:
        raise UnknownPermission(f"there is no permission {', '.join(unknown[:3])}", field="extra_permissions")
    roles_of.check_grantable(wanted, by=by, field="extra_permissions")
    return " ".join(wanted)
