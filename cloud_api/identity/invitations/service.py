"""The verbs of invitations."""

import hashlib
import secrets
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.errors import TokenUsed
from cloud_api.identity.events import MailDue
from cloud_api.identity.invitations.models import Invitation, InvitationRole
from cloud_api.identity.invitations.schemas import InvitationRead
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people import service as people
from cloud_api.identity.people.models import User
from cloud_api.identity.roles.models import Role
from cloud_api.identity.roles.service import check_roles_grantable, roles_named
from cloud_api.kernel import clock, outbox, vault
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.permissions import Principal
from cloud_api.kernel.registers import flush_unique

INVITATION_LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Account:
    """What somebody invited chooses; the hash is made before the unit of work."""

    username: str
    full_name: str
    phone: str
    password_hash: str


async def invite(
    db: AsyncSession, organization: Organization, *, email: str, roles: Collection[str], by: Principal
) -> Invitation:
    """Mail somebody a token to make an account with; one that is open for this address works no more.

    Whether anybody has an account with this address is not told, and makes no difference here.

    Raises:
        Invalid: when a role does not exist.
        RoleTooMighty: when a role grants what `by` has not.
        AlreadyExists: when the same address is invited at this moment.
    """
    held = await roles_named(db, organization_id=organization.id, names=roles)
    check_roles_grantable(held, by=by)
    lowered, token, now = email.lower(), secrets.token_urlsafe(32), clock.now()
    former = select(Invitation).where(Invitation.organization_id == organization.id, Invitation.email == lowered)
    for invitation in await db.scalars(_open(former).with_for_update()):
        await _close(db, invitation)
        invitation.revoked_at = now
    await db.flush()
    made = Invitation(
        id=new_id(),
        organization_id=organization.id,
        email=lowered,
        token_sha256=_sha256(token),
        invited_by=by.id,
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    db.add(made)
    await flush_unique(db, "this address is invited at this moment", field="email")
    db.add_all(InvitationRole(organization_id=organization.id, invitation_id=made.id, role_id=role.id) for role in held)
    await db.flush()
    due = MailDue(
        kind="invitation",
        to=lowered,
        name="",
        organization=organization.name,
        sealed_token=vault.current().seal(token),
        expires_at=made.expires_at,
    )
    outbox.emit(db, due, organization_id=organization.id)
    return made


def open_invitations() -> Select[tuple[Invitation]]:
    """Those that can still be accepted."""
    return _open(select(Invitation)).where(Invitation.expires_at > clock.now())


async def read_invitations(db: AsyncSession, invitations: Sequence[Invitation]) -> list[InvitationRead]:
    """These with their roles' names."""
    roles = await _roles_of(db, [invitation.id for invitation in invitations])
    return [
        InvitationRead(
            id=invitation.id,
            email=invitation.email,
            roles=roles.get(invitation.id, []),
            invited_by=invitation.invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )
        for invitation in invitations
    ]


async def revoke(db: AsyncSession, invitation_id: uuid.UUID) -> None:
    """Let the mailed token work no more.

    Raises:
        NotFound: when there is no such open invitation.
    """
    found = await db.scalars(_open(select(Invitation)).where(Invitation.id == invitation_id).with_for_update())
    invitation = found.one_or_none()
    if invitation is None:
        raise NotFound(f"no open invitation with id {invitation_id}")
    await _close(db, invitation)
    invitation.revoked_at = clock.now()


async def invitation_by(db: AsyncSession, token: str, *, locked: bool = False) -> tuple[Invitation, Organization]:
    """The open invitation of a mailed token, and who invites. Needs a system session.

    Raises:
        TokenUsed: when the token is unknown, used, revoked or too old.
    """
    statement = open_invitations().where(Invitation.token_sha256 == _sha256(token))
    invitation = (await db.scalars(statement.with_for_update() if locked else statement)).one_or_none()
    if invitation is None:
        raise TokenUsed
    organization = await db.get_one(Organization, invitation.organization_id)
    if not organization.is_active:
        raise TokenUsed
    return invitation, organization


async def accept(db: AsyncSession, *, token: str, account: Account) -> tuple[User, Organization]:
    """Make the account. Whoever shows the token has read the mail: their address is confirmed. Needs a system session.

    Raises:
        TokenUsed: when the token is unknown, used, revoked or too old.
        NameTaken: when the user name, or the invited address, is in use.
    """
    invitation, organization = await invitation_by(db, token, locked=True)
    roles = await _roles_of(db, [invitation.id])
    user = await people.add_user(
        db,
        organization_id=organization.id,
        username=account.username,
        email=invitation.email,
        full_name=account.full_name,
        password_hash=account.password_hash,
        roles=roles.get(invitation.id, []),
        phone=account.phone,
        assigned_by=invitation.invited_by,
    )
    user.email_verified_at = clock.now()
    invitation.accepted_at = clock.now()
    await _close(db, invitation)
    await db.flush()
    return user, organization


async def _close(db: AsyncSession, invitation: Invitation) -> None:
    for held in await db.scalars(select(InvitationRole).where(InvitationRole.invitation_id == invitation.id)):
        await db.delete(held)


async def _roles_of(db: AsyncSession, invitation_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[str]]:
    roles = defaultdict[uuid.UUID, list[str]](list)
    rows = await db.execute(
        select(InvitationRole.invitation_id, Role.name)
        .join(Role, Role.id == InvitationRole.role_id)
        .where(InvitationRole.invitation_id.in_(invitation_ids))
        .order_by(Role.name)
    )
    for invitation_id, name in rows:
        roles[invitation_id].append(name)
    return roles


def _open(statement: Select[tuple[Invitation]]) -> Select[tuple[Invitation]]:
    return statement.where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
