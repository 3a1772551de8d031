"""What administrators do with organisations: found them for others, keep their record, follow their first set-up."""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import cast, get_args

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.administration.schemas import OnboardingRead, OrganizationCreate, Step, StepRead
from cloud_api.identity.invitations import service as invitations
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people import service as people
from cloud_api.identity.roles.catalogue import ADMIN
from cloud_api.identity.roles.service import found_roles
from cloud_api.identity.sessions import recovery
from cloud_api.kernel import clock, versions
from cloud_api.kernel.errors import Forbidden
from cloud_api.kernel.permissions import Principal, grants

CurrencyGuard = Callable[[AsyncSession], Awaitable[None]]
#: what only the platform's administrators change
_THE_PLATFORMS = frozenset({"plan", "is_active"})


def manages_platform(principal: Principal) -> bool:
    """Whether somebody works on any organisation."""
    return grants(principal.permissions, "platform:manage")


async def found(db: AsyncSession, *, new: OrganizationCreate, password_hash: str | None, by: Principal) -> Organization:
    """Found an organisation for others: its administrator gets a password to change, or a mailed invitation.

    Needs a system session.

    Raises:
        NameTaken: when the slug, the user name or the address is in use.
    """
    if password_hash is None:
        organization = await organizations.create_organization(
            db, name=new.name, slug=new.slug, currency=new.currency, timezone=new.timezone
        )
        db.add_all(found_roles(organization))
        await db.flush()
        await invitations.invite(db, organization, email=new.admin.email, roles=[ADMIN], by=by)
    else:
        organization, admin = await people.found_organization(
            db,
            name=new.name,
            slug=new.slug,
            currency=new.currency,
            timezone=new.timezone,
            admin_username=new.admin.username or "",
            admin_email=new.admin.email,
            admin_full_name=new.admin.full_name or "",
            admin_password_hash=password_hash,
        )
        admin.must_change_password = True
        await recovery.send_verification(db, admin)
    organization.plan, organization.email = new.plan, new.email
    organization.phone, organization.address = new.phone, new.address
    await db.flush()
    return organization


async def update(
    db: AsyncSession,
    organization_id: uuid.UUID,
    *,
    changes: Mapping[str, object],
    by: Principal,
    guards: Sequence[CurrencyGuard] = (),
    seen: int | None = None,
) -> Organization:
    """Change the named columns.

    Args:
        guards: asked before the currency is another.

    Raises:
        NotFound: when there is no such organisation.
        StaleVersion: when it is another version than `seen` now.
        Forbidden: when plan or activity would change, and `by` does not manage the platform.
        Conflict: when the platform's own organisation would be closed.
        CurrencyInUse: when the currency would be another, and a sum is in the present one.
    """
    organization = await organizations.get_organization(db, organization_id)
    await versions.count(db, organization, seen=seen, what=organization.name)
    changed = {field: value for field, value in changes.items() if getattr(organization, field) != value}
    if not manages_platform(by) and (reserved := sorted(changed.keys() & _THE_PLATFORMS)):
        raise Forbidden(f"the platform's administrators change {' and '.join(reserved)}: ask them")
    if "currency" in changed:
        for guard in guards:
            await guard(db)
    if changed.get("is_active") is False:
        await organizations.deactivate(db, organization_id)
    elif changed.get("is_active") is True:
        organization.deactivated_at = None
    for field, value in changed.items():
        setattr(organization, field, value)
    await db.flush()
    return organization


async def save_step(
    db: AsyncSession, organization_id: uuid.UUID, *, step: Step, data: Mapping[str, JsonValue]
) -> Organization:
    """Keep what was entered in a step of the first set-up, and that it is done.

    Raises:
        NotFound: when there is no such organisation.
    """
    organization = await organizations.get_organization(db, organization_id)
    entered: dict[str, object] = {"data": dict(data), "completed_at": clock.now().isoformat()}
    organization.onboarding = {**organization.onboarding, step: entered}
    await db.flush()
    return organization


def onboarding_of(organization: Organization) -> OnboardingRead:
    """How far the first set-up is."""
    kept = cast(Mapping[str, dict[str, JsonValue]], organization.onboarding)
    steps = [
        StepRead(
            step=step,
            data=cast(dict[str, JsonValue], kept[step]["data"]) if step in kept else {},
            completed_at=datetime.fromisoformat(str(kept[step]["completed_at"])) if step in kept else None,
        )
        for step in get_args(Step)
    ]
    return OnboardingRead(steps=steps, completed=all(step.completed_at is not None for step in steps))
