"""People: founding an organisation, adding somebody, and what they may do."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import NameTaken
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import FormerPassword, User, UserRole
from cloud_api.identity.roles import service as roles_of
from cloud_api.identity.roles.catalogue import ADMIN
from cloud_api.identity.roles.models import Role
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.permissions import grants


async def found_organization(
    db: AsyncSession,
    *,
    name: str,
    slug: str,
    admin_username: str,
    admin_email: str,
    admin_full_name: str,
    admin_password_hash: str,
    admin_role: str = ADMIN,
    currency: str = "INR",
    timezone: str = "Asia/Kolkata",
) -> tuple[Organization, User]:
    """Found an organisation with its built-in roles and its first administrator. Needs a system session.

    Raises:
        NameTaken: when the slug, the user name or the e-mail address is in use.
    """
    organization = await organizations.create_organization(
        db, name=name, slug=slug, currency=currency, timezone=timezone
    )
    db.add_all(roles_of.found_roles(organization))
    await db.flush()
    admin = await add_user(
        db,
        organization_id=organization.id,
        username=admin_username,
        email=admin_email,
        full_name=admin_full_name,
        password_hash=admin_password_hash,
        roles=[admin_role],
    )
    return organization, admin


async def add_user(
    db: AsyncSession,
    *,
    organization_id: uuid.UUID,
    username: str,
    email: str,
    full_name: str,
    password_hash: str,
    roles: Collection[str],
    phone: str = "",
    must_change_password: bool = False,
    assigned_by: uuid.UUID | None = None,
) -> User:
    """Add a person who can sign in; `password_hash` is of `passwords.new_password`, made before this unit of work.

    Raises:
        NameTaken: when the user name or the e-mail address is in use anywhere.
        Invalid: when a role does not exist, or the user name could be taken for an e-mail address.
    """
    if "@" in username:
        raise Invalid("a user name has no @: it would be taken for an e-mail address", field="username")
    held = await roles_of.roles_named(db, organization_id=organization_id, names=roles)
    user = User(
        organization_id=organization_id,
        username=username.lower(),
        email=email.lower(),
        full_name=full_name,
        phone=phone,
        password_hash="",
        must_change_password=must_change_password,
        created_at=clock.now(),
    )
    db.add(user)
    try:
        await db.flush()
    except IntegrityError as error:
        raise NameTaken("this user name or e-mail address is in use", field="username") from error
    set_password(db, user, password_hash)
    db.add_all(
        UserRole(
            organization_id=organization_id,
            user_id=user.id,
            role_id=role.id,
            assigned_by=assigned_by,
            assigned_at=clock.now(),
        )
        for role in held
    )
    await db.flush()
    return user


def set_password(db: AsyncSession, user: User, password_hash: str) -> None:
    """Give somebody a password, and remember it among those not to be taken again."""
    user.password_hash = password_hash
    user.password_changed_at = clock.now()
    if password_hash:
        db.add(
            FormerPassword(
                organization_id=user.organization_id,
                user_id=user.id,
                password_hash=password_hash,
                created_at=clock.now(),
            )
        )


async def former_passwords(db: AsyncSession, user_id: uuid.UUID, *, limit: int) -> Sequence[str]:
    """Hashes of somebody's last passwords, the present one first."""
    return (
        await db.scalars(
            select(FormerPassword.password_hash)
            .where(FormerPassword.user_id == user_id)
            .order_by(FormerPassword.created_at.desc(), FormerPassword.id.desc())
            .limit(limit)
        )
    ).all()


async def get_user(db: AsyncSession, user_id: uuid.UUID, *, locked: bool = False) -> User:
    """One person of this organisation who has not left for good.

    Raises:
        NotFound: when there is none.
    """
    statement = select(User).where(User.id == user_id, User.deleted_at.is_(None))
    found = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if found is None:
        raise NotFound(f"no user with id {user_id}")
    return found


async def names_of(db: AsyncSession, user_ids: Iterable[uuid.UUID | None]) -> Mapping[uuid.UUID, str]:
    """What these people are called, those who have left too."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    if not wanted:
        return {}
    rows = await db.execute(select(User.id, User.full_name, User.username).where(User.id.in_(wanted)))
    return {user_id: full_name or username for user_id, full_name, username in rows.tuples()}


async def roles_held(db: AsyncSession, user_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Sequence[Role]]:
    """The roles of each of these people, by name."""
    held = defaultdict[uuid.UUID, list[Role]](list)
    rows = await db.execute(
        select(UserRole.user_id, Role)
        .join(Role, Role.id == UserRole.role_id)
        .where(UserRole.user_id.in_(user_ids))
        .order_by(Role.name)
    )
    for user_id, role in rows:
        held[user_id].append(role)
    return held


async def users_for_their_own(db: AsyncSession, permission: str) -> Select[tuple[User]]:
    """Active people of this organisation to whom a role grants `permission` for what is their own, as drivers are."""
    roles = await db.scalars(select(Role).where(Role.reach == "own"))
    narrow = [role.id for role in roles if grants(role.granted, permission)]
    holders = select(UserRole.user_id).where(UserRole.role_id.in_(narrow))
    return select(User).where(User.status == "active", User.deleted_at.is_(None), User.id.in_(holders))


def staff() -> Select[tuple[User]]:
    """Active people of this organisation who are more than its customers."""
    working = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.name != "customer")
    return select(User).where(User.status == "active", User.deleted_at.is_(None), User.id.in_(working))


async def users_with_permission(db: AsyncSession, permission: str) -> Sequence[uuid.UUID]:
    """Active people of this organisation who hold `permission` for more than their own."""
    roles = await db.scalars(select(Role).where(Role.reach != "own"))
    wide = [role.id for role in roles if grants(role.granted, permission)]
    active = User.status == "active"
    holders = set(
        await db.scalars(
            select(User.id).join(UserRole, UserRole.user_id == User.id).where(active, UserRole.role_id.in_(wide))
        )
    )
    extra = await db.execute(select(User.id, User.extra_permissions).where(active, User.extra_permissions != ""))
    holders.update(user_id for user_id, permissions in extra if grants(permissions.split(), permission))
    return sorted(holders)
