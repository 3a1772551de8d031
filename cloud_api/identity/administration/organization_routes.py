"""`/api/v1/organizations`: one's own; for those who manage the platform, any.

A unit of work here is confined to the organisation that the path names, also for those who manage the platform: no
statement reaches beyond it.
"""

import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.configuration import service as configuration
from cloud_api.configuration.schemas import SettingsChange
from cloud_api.configuration.service import Value
from cloud_api.identity.administration import organizations as service
from cloud_api.identity.administration import queries
from cloud_api.identity.administration.schemas import (
    OnboardingRead,
    OrganizationCreate,
    OrganizationDetails,
    OrganizationUpdate,
    StepDone,
)
from cloud_api.identity.organizations import service as organizations
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.organizations.schemas import Branding, BrandingChange, Plan
from cloud_api.identity.passwords import new_password
from cloud_api.kernel import idempotency, versions
from cloud_api.kernel.db import Database
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.kernel.unit_of_work import (
    client_address,
    pass_gates,
    platform_unit_of_work,
    system_unit_of_work,
)

router = APIRouter(prefix="/organizations", tags=["organizations"], route_class=ApiRoute)
READING = [require("organizations:read")]
WRITING = [require("organizations:write")]


async def _listed(request: Request, principal: CurrentPrincipal) -> AsyncIterator[AsyncSession]:
    """All organisations for those who manage the platform, one's own for others."""
    database: Database = request.app.state.database
    everything = SystemScope("list every organisation for the platform's administrators")
    scope = everything if service.manages_platform(principal) else principal.scope
    async with database.unit_of_work(scope, read_only=True) as db:
        yield db


async def _named(request: Request, principal: CurrentPrincipal, id: uuid.UUID) -> AsyncIterator[AsyncSession]:
    """The transaction of this request, confined to the organisation of the path."""
    await pass_gates(request, principal)
    own = id == principal.organization_id
    if not own and not service.manages_platform(principal):
        raise NotFound(f"no organisation with id {id}")
    database: Database = request.app.state.database
    read_only = request.method == "GET"
    actor = Actor(principal.kind, principal.id, principal.name, client_address(request))
    async with database.unit_of_work(OrganizationScope(id), read_only=read_only, actor=actor) as db:
        await organizations.get_organization(db, id)
        if own and not read_only and principal.kind == "user":
            request.state.db = db
            await idempotency.claim(db, request, principal)
        yield db


ListDb = Annotated[AsyncSession, Depends(_listed, scope="function")]
NamedDb = Annotated[AsyncSession, Depends(_named, scope="function")]
FoundDb = Annotated[AsyncSession, Depends(platform_unit_of_work("found an organisation"), scope="function")]
BrandingDb = Annotated[AsyncSession, Depends(system_unit_of_work("show a white label"), scope="function")]


@router.get("", response_model=list[OrganizationDetails], dependencies=READING)
async def list_organizations(
    db: ListDb,
    query: Annotated[PageQuery, Depends()],
    search: Annotated[str | None, Query(max_length=100)] = None,
    plan: Plan | None = None,
    is_active: bool | None = None,
) -> Page[Organization]:
    """Newest first; only those who manage the platform see others than their own. `search` looks into both names."""
    found = queries.organizations(search=search, plan=plan, is_active=is_active)
    return await page(db, found, Organization.id, query)


async def _hashed(body: OrganizationCreate) -> str | None:
    admin = body.admin
    if admin.password is None:
        return None
    about = (admin.username or "", admin.email, admin.full_name or "", body.name)
    return await new_password(admin.password.get_secret_value(), about=about)


@router.post("", response_model=OrganizationDetails, status_code=201, dependencies=[require("platform:manage")])
async def create_organization(
    password_hash: Annotated[str | None, Depends(_hashed)],
    db: FoundDb,
    principal: CurrentPrincipal,
    body: OrganizationCreate,
) -> Organization:
    """A new organisation with the built-in roles; its administrator gets a password to change, or an invitation."""
    return await service.found(db, new=body, password_hash=password_hash, by=principal)


@router.get("/{id}", response_model=OrganizationDetails, dependencies=READING)
async def get_organization(db: NamedDb, id: uuid.UUID) -> Organization:
    """One organisation."""
    return await organizations.get_organization(db, id)


@router.put("/{id}", response_model=OrganizationDetails, dependencies=WRITING)
async def update_organization(
    request: Request, db: NamedDb, principal: CurrentPrincipal, id: uuid.UUID, body: OrganizationUpdate
) -> Organization:
    """Change what is sent. Plan and activity are the platform's to decide; the currency stays once a sum is in it."""
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    guards = request.app.state.currency_guards
    return await service.update(db, id, changes=changes, by=principal, guards=guards, seen=body.version)


@router.delete("/{id}", status_code=204, dependencies=[require("platform:manage")])
async def deactivate_organization(db: NamedDb, id: uuid.UUID) -> None:
    """Let nobody of it in any more, neither people nor machines; its data stays until it is purged."""
    await organizations.deactivate(db, id)


@router.get("/{id}/onboarding", response_model=OnboardingRead, dependencies=READING)
async def get_onboarding(db: NamedDb, id: uuid.UUID) -> OnboardingRead:
    """How far the first set-up is."""
    return service.onboarding_of(await organizations.get_organization(db, id))


@router.post("/{id}/onboarding", response_model=OnboardingRead, dependencies=WRITING)
async def save_onboarding_step(db: NamedDb, id: uuid.UUID, body: StepDone) -> OnboardingRead:
    """Keep what was entered in a step, and that it is done; saving it again replaces it."""
    return service.onboarding_of(await service.save_step(db, id, step=body.step, data=body.data))


@router.get("/{id}/settings", response_model=dict[str, bool | int | str], dependencies=READING)
async def get_organization_settings(db: NamedDb, id: uuid.UUID) -> dict[str, Value]:
    """Every setting and its value; `/admin/settings` says what each may be."""
    return await configuration.values_of(db)


@router.put("/{id}/settings", response_model=dict[str, bool | int | str], dependencies=WRITING)
async def change_organization_settings(
    request: Request, db: NamedDb, principal: CurrentPrincipal, id: uuid.UUID, body: SettingsChange
) -> dict[str, Value]:
    """Several at once: all of them or none."""
    guards = request.app.state.setting_guards
    await configuration.change(db, body.values, by=principal.id, guards=guards, expected=body.expected)
    return await configuration.values_of(db)


@router.get("/{id}/branding", response_model=Branding)
async def get_branding(
    db: BrandingDb, id: Annotated[str, Path(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9-]+$")]
) -> Branding:
    """How an organisation looks, by its id or short name; Coldfleet's own look for everybody else."""
    return await organizations.branding_of(db, id)


@router.put("/{id}/branding", response_model=Branding, dependencies=WRITING)
async def change_branding(db: NamedDb, id: uuid.UUID, body: BrandingChange) -> Branding:
    """Replace the white label; what is not sent is Coldfleet's own. White text can be read on its first colour."""
    organizations.check_readable(body)
    organization = await organizations.get_organization(db, id)
    await versions.count(db, organization, seen=body.version, what=organization.name)
    organization.branding = body.model_dump(mode="json", exclude_defaults=True)
    return Branding.model_validate(organization.branding)
