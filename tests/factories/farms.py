"""Organisations, people and cold stores made straight in the database, for tests that share one.

Nothing is hashed and nothing is asked over HTTP: a store is there in a few milliseconds. Each test has an organisation
of its own, and whatever it sees of another's is a hole in the wall.
"""

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.schemas import ProductCreate
from cloud_api.devices.provisioning import service as provisioning
from cloud_api.devices.sensors import service as sensors
from cloud_api.devices.sensors.schemas import SensorCreate
from cloud_api.identity.organizations.models import Organization
from cloud_api.identity.people.models import User, UserRole
from cloud_api.identity.roles.catalogue import SUPER_ADMIN
from cloud_api.identity.roles.models import Role
from cloud_api.identity.roles.service import found_roles, roles_named
from cloud_api.identity.sessions.models import UserSession
from cloud_api.identity.tokens import AccessClaims, issue
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.places import service as places
from cloud_api.places.schemas import LocationCreate, WarehouseCreate
from tests.factories.batches import SENSOR
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform, Tenant, application, drop_events, settings_for_tests

_numbers = itertools.count(1)


@cache
def _app() -> FastAPI:
    return application(settings_for_tests(database_url="sqlite+aiosqlite:///:memory:"))


@asynccontextmanager
async def open_farm(database: Database) -> AsyncIterator[Platform]:
    """The platform on a migrated database that others use too, with an organisation of the caller's own."""
    app = _app()
    app.state.database = database
    database.on_announced = app.state.hub.announce_all
    platform = Platform(app, database, app.state.settings)
    try:
        await make_farm(platform)
        yield platform
    finally:
        for tenant in platform.tenants:
            await tenant.client.aclose()
        await drop_events(database)


@asynccontextmanager
async def open_farm_alone(database_url: str) -> AsyncIterator[Platform]:
    """The same on a database that nobody else uses."""
    database = Database(database_url)
    try:
        async with open_farm(database) as platform:
            yield platform
    finally:
        await database.close()


async def make_farm(platform: Platform) -> Tenant:
    """Another organisation, its administrator signed in."""
    number = next(_numbers)
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        organization = Organization(name=f"Orchard {number}", slug=f"orchard-{uuid.uuid4()}", created_at=clock.now())
        db.add(organization)
        await db.flush()
        db.add_all(found_roles(organization))
        await db.flush()
        tenant = await _sign_up(platform, db, OrganizationScope(organization.id), organization.slug, "org_admin")
    platform.tenants.append(tenant)
    return tenant


async def make_person(platform: Platform, tenant: Tenant, role: str) -> Tenant:
    """Another person of the same organisation, signed in."""
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        person = await _sign_up(platform, db, tenant.organization, tenant.slug, role)
    platform.tenants.append(person)
    return person


async def _sign_up(platform: Platform, db: AsyncSession, scope: OrganizationScope, slug: str, role: str) -> Tenant:
    username, organization_id = f"person-{uuid.uuid4()}", scope.organization_id
    user = User(
        organization_id=organization_id,
        username=username,
        email=f"{username}@{slug}.example",
        full_name="Keeper",
        password_hash="none",
        created_at=clock.now(),
    )
    db.add(user)
    await db.flush()
    session = UserSession(
        organization_id=organization_id,
        user_id=user.id,
        refresh_sha256=username,
        created_at=clock.now(),
        last_seen_at=clock.now(),
        expires_at=clock.now() + timedelta(days=7),
    )
    if role == SUPER_ADMIN:  # the platform's own organisation has it; tests have many on one database
        db.add(Role(organization_id=organization_id, name=role, built_in=True, created_at=clock.now()))
        await db.flush()
    [held] = await roles_named(db, organization_id=organization_id, names=[role])
    holds = UserRole(organization_id=organization_id, user_id=user.id, role_id=held.id, assigned_at=clock.now())
    db.add_all([session, holds])
    await db.flush()
    token = await issue(AccessClaims(user.id, session_id=session.id), platform.app.state.keyring, db)
    client = platform.client(token)
    return Tenant(scope, slug, username, client)


async def plant_store(platform: Platform, tenant: Tenant | None = None) -> ColdStore:
    """A warehouse with a cold room, a product, and a claimed gateway with a temperature sensor in the room."""
    tenant, number = tenant or platform.tenant, next(_numbers)
    async with platform.database.unit_of_work(tenant.organization) as db:
        warehouse = await places.create_warehouse(db, new=WarehouseCreate(code=f"SITE-{number}", name="Store"))
        room = await places.create_location(
            db,
            new=LocationCreate(
                warehouse_id=warehouse.id,
                code=f"ROOM-{number}",
                name=f"Cold room {number}",
                location_type="room",
                storage_type="cold_storage",
            ),
        )
        product = await catalog.create_product(db, new=ProductCreate(sku=f"CHARD-{number}", name="Chard", unit="kg"))
        gateway_id, token = await _plant_gateway(db)
        sensor = await sensors.register_sensor(db, new=_sensor(gateway_id, room.id))
    return ColdStore(tenant, str(warehouse.id), str(room.id), str(product.id), str(gateway_id), token, str(sensor.id))


async def plant_gateway(platform: Platform, tenant: Tenant) -> tuple[str, str]:
    """A gateway that has claimed its credential: its id and its bearer token."""
    async with platform.database.unit_of_work(tenant.organization) as db:
        gateway_id, token = await _plant_gateway(db)
    return str(gateway_id), token


async def _plant_gateway(db: AsyncSession) -> tuple[uuid.UUID, str]:
    secret = uuid.uuid4().hex * 2
    gateway, claim_code = await provisioning.register_gateway(db, name=f"Box {next(_numbers)}")
    await provisioning.claim_gateway(db, claim_code=claim_code, secret=secret, software_version="0.1.0")
    return gateway.id, f"gateway.{gateway.id}.{secret}"


async def plant_sensor(
    platform: Platform,
    tenant: Tenant,
    gateway_id: str,
    *,
    location_id: str | None,
    code: str = SENSOR,
    quantity: str = "temperature",
    offset: float = 0.0,
) -> str:
    """A registered sensor; its id."""
    place = None if location_id is None else uuid.UUID(location_id)
    new = _sensor(uuid.UUID(gateway_id), place, code=code, quantity=quantity, offset=offset)
    async with platform.database.unit_of_work(tenant.organization) as db:
        return str((await sensors.register_sensor(db, new=new)).id)


def _sensor(
    gateway_id: uuid.UUID,
    location_id: uuid.UUID | None,
    *,
    code: str = SENSOR,
    quantity: str = "temperature",
    offset: float = 0.0,
) -> SensorCreate:
    return SensorCreate(
        gateway_id=gateway_id, location_id=location_id, code=code, quantity=quantity, unit="Cel", offset=offset
    )
