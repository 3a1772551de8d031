"""Who holds personal data: each room that does says how to tell it and how to make it unreadable.

`main` lists them; this room knows none of those above it by name. What identity itself holds stands here.

Rows are anonymised by bulk updates, which the trail does not hear: it would keep, in its own old values, what had to
go. That somebody was erased it does hear.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.federation.models import OAuthIdentity
from cloud_api.identity.invitations.models import Invitation
from cloud_api.identity.people.models import FormerPassword, User, UserRole
from cloud_api.identity.people.service import roles_held
from cloud_api.identity.privacy.models import ErasureRequest, PersonalDataExport
from cloud_api.identity.saved_views import service as saved_views
from cloud_api.identity.sessions.models import OneTimeToken, SecondFactor, UsedRefreshToken, UserSession
from cloud_api.identity.teams.service import leave_all, teams_of
from cloud_api.kernel import clock
from cloud_api.kernel.idempotency import IdempotencyKey
from cloud_api.kernel.outbox import OutboxEvent

#: no row of the session is looked at again before it is read anew
_UNHEARD = {"synchronize_session": False}


@dataclass(frozen=True)
class Holder:
    """One room's part, in the caller's unit of work. `erase` may come twice."""

    #: what its part of a copy is called
    name: str
    tell: Callable[[AsyncSession, User], Awaitable[JsonValue]]
    #: sees the person as they were; what has to stay for the books stays
    erase: Callable[[AsyncSession, User], Awaitable[None]]


async def tell_account(db: AsyncSession, user: User) -> JsonValue:
    """The account itself: who they are, what they may do, and how they sign in."""
    elsewhere = await db.scalars(select(OAuthIdentity).where(OAuthIdentity.user_id == user.id))
    factor = (await db.scalars(select(SecondFactor).where(SecondFactor.user_id == user.id))).one_or_none()
    return {
        "username": user.username,
        "email": user.email,
        "full_name": user.full_name,
        "phone": user.phone,
        "locale": user.locale,
        "theme": user.theme,
        "status": user.status,
        "created_at": user.created_at.isoformat(),
        "last_signed_in_at": user.last_signed_in_at.isoformat() if user.last_signed_in_at else None,
        "email_verified_at": user.email_verified_at.isoformat() if user.email_verified_at else None,
        "roles": [role.name for role in (await roles_held(db, [user.id])).get(user.id, ())],
        "extra_permissions": [*user.extra_permissions.split()],
        "teams": [team.name for team in await teams_of(db, user.id)],
        "accounts_elsewhere": [{"subject": one.subject, "since": one.created_at.isoformat()} for one in elsewhere],
        "saved_views": [
            {"page": one.page, "name": one.name, "query": one.query} for one in await saved_views.views_of(db, user.id)
        ],
        "two_factor": factor is not None and factor.confirmed_at is not None,
    }


async def erase_account(db: AsyncSession, user: User) -> None:
    """A name and an address that are nobody's; no role, no password, no way in."""
    await _erase_mails(db, user)
    await leave_all(db, user.id)
    await saved_views.forget_all(db, user.id)
    for held in await db.scalars(select(UserRole).where(UserRole.user_id == user.id)):
        await db.delete(held)
    await db.flush()
    for model in (FormerPassword, SecondFactor, OneTimeToken, OAuthIdentity):
        await db.execute(delete(model).where(model.user_id == user.id), execution_options=_UNHEARD)
    nobody = f"erased-{user.id.hex}"
    await db.execute(
        update(User)
        .where(User.id == user.id)
        .values(
            username=nobody,
            email=f"{nobody}@erased.invalid",
            full_name="Erased person",
            phone="",
            password_hash="",
            must_change_password=False,
            email_verified_at=None,
            extra_permissions="",
            avatar_id=None,
            locale="en",
            theme="system",
            status="inactive",
            deleted_at=user.deleted_at or clock.now(),
        ),
        execution_options=_UNHEARD,
    )


async def _erase_mails(db: AsyncSession, user: User) -> None:
    """Invitations to this address, and what the outbox remembers of mails and codes that were sent there."""
    email = f"erased-{user.id.hex}@erased.invalid"
    await db.execute(
        update(Invitation).where(Invitation.email == user.email).values(email=email), execution_options=_UNHEARD
    )
    receiver = OutboxEvent.payload["to"].as_string()
    sent = OutboxEvent.type.in_(("MailDue", "SmsCodeDue"))
    addressed = receiver == user.email
    if user.phone:
        addressed = or_(addressed, receiver == user.phone)
    await db.execute(delete(OutboxEvent).where(sent, addressed), execution_options=_UNHEARD)


async def tell_sign_ins(db: AsyncSession, user: User) -> JsonValue:
    """From where they signed in."""
    rows = await db.scalars(
        select(UserSession).where(UserSession.user_id == user.id).order_by(UserSession.created_at.desc())
    )
    return [
        {
            "address": row.address,
            "user_agent": row.user_agent,
            "device_id": row.device_id,
            "created_at": row.created_at.isoformat(),
            "last_seen_at": row.last_seen_at.isoformat(),
            "ended_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        for row in rows
    ]


async def erase_sign_ins(db: AsyncSession, user: User) -> None:
    """No sign-in goes on, and none tells from where it was; answers kept for repeated requests go too."""
    answers = delete(IdempotencyKey).where(IdempotencyKey.principal_id == user.id)
    await db.execute(answers, execution_options=_UNHEARD)
    theirs = select(UserSession.id).where(UserSession.user_id == user.id)
    await db.execute(
        delete(UsedRefreshToken).where(UsedRefreshToken.session_id.in_(theirs)), execution_options=_UNHEARD
    )
    await db.execute(
        update(UserSession)
        .where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
        .values(revoked_at=clock.now(), revoke_reason="deactivated"),
        execution_options=_UNHEARD,
    )
    await db.execute(
        update(UserSession).where(UserSession.user_id == user.id).values(address="", user_agent="", device_id=""),
        execution_options=_UNHEARD,
    )


async def tell_requests(db: AsyncSession, user: User) -> JsonValue:
    """What they asked of this room."""
    copies = await db.scalars(select(PersonalDataExport).where(PersonalDataExport.subject_id == user.id))
    erasures = await db.scalars(select(ErasureRequest).where(ErasureRequest.subject_id == user.id))
    return {
        "exports": [{"requested_at": copy.created_at.isoformat()} for copy in copies],
        "erasure_requests": [
            {"requested_at": request.created_at.isoformat(), "reason": request.reason, "status": request.status}
            for request in erasures
        ],
    }


async def erase_requests(db: AsyncSession, user: User) -> None:
    """No copy of their data is left, and no reason that they gave."""
    about = PersonalDataExport.subject_id == user.id
    await db.execute(
        update(PersonalDataExport).where(about).values(document=None, ready_at=clock.now()), execution_options=_UNHEARD
    )
    await db.execute(
        update(ErasureRequest).where(ErasureRequest.subject_id == user.id).values(reason=""), execution_options=_UNHEARD
    )


#: the account comes last: what others erase they find by what it says
IDENTITY: Sequence[Holder] = (
    Holder("sign_ins", tell_sign_ins, erase_sign_ins),
    Holder("privacy_requests", tell_requests, erase_requests),
    Holder("account", tell_account, erase_account),
)
