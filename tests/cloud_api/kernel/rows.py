"""Organisations and the simplest rows of theirs, straight into the database: no user, no password, no HTTP."""

import itertools
import uuid
from collections.abc import Sequence

from sqlalchemy import select

from cloud_api.identity.organizations.models import Organization
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.places.models import Warehouse

_numbers = itertools.count(1)


async def add_organization(database: Database) -> OrganizationScope:
    """An organisation; the scope of work for it."""
    async with database.unit_of_work(SystemScope("test")) as db:
        number = next(_numbers)
        organization = Organization(name=f"Farm {number}", slug=f"row-farm-{number}", created_at=clock.now())
        db.add(organization)
        await db.flush()
        return OrganizationScope(organization.id)


def warehouse(code: str, organization_id: uuid.UUID | None = None) -> Warehouse:
    """A warehouse not yet in any session; it belongs to whom the session says, unless told."""
    made = Warehouse(code=code, name=code, created_at=clock.now())
    if organization_id is not None:
        made.organization_id = organization_id
    return made


async def add_warehouse(database: Database, scope: OrganizationScope, code: str) -> uuid.UUID:
    """A warehouse of the organisation; its id."""
    async with database.unit_of_work(scope) as db:
        made = warehouse(code)
        db.add(made)
        await db.flush()
        return made.id


async def warehouse_names(database: Database, scope: OrganizationScope) -> Sequence[str]:
    """What the organisation calls its warehouses, sorted."""
    async with database.unit_of_work(scope, read_only=True) as db:
        return sorted(await db.scalars(select(Warehouse.name)))
