"""What operators look at: the outbox's backlog, and how far the database is."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.outbox import Dispatcher, OutboxDelivery, OutboxEvent, emit
from cloud_api.kernel.tenancy import SystemScope
from cloud_api.migrations.migrate import revisions
from tests.cloud_api.kernel.test_outbox import WindowOpened, a_name
from tests.factories.farms import make_person, open_farm_alone
from tests.platform_under_test import Platform, Tenant

OUTBOX = "/api/v1/admin/outbox"
MIGRATIONS = "/api/v1/admin/migrations"


@pytest.fixture
async def platform(database_url: str) -> AsyncIterator[Platform]:
    """The platform on a database that nobody else uses."""
    async with open_farm_alone(database_url) as opened:
        yield opened


@pytest.fixture
async def operator(platform: Platform) -> Tenant:
    """Somebody of the platform."""
    return await make_person(platform, platform.tenant, "super_admin")


async def emit_one(database: Database, tenant: Tenant) -> None:
    async with database.unit_of_work(tenant.organization) as db:
        emit(db, WindowOpened("east"))


async def test_an_outbox_that_has_been_heard_has_no_age(platform: Platform, operator: Tenant) -> None:
    await Dispatcher(platform.database, []).deliver_due()
    assert await operator.get(OUTBOX) == {
        "undispatched_events": 0,
        "pending_deliveries": 0,
        "oldest_age_s": None,
        "parked_deliveries": 0,
        "parked": [],
    }


async def test_backlog_age_and_parked_deliveries_are_shown(platform: Platform, operator: Tenant) -> None:
    await emit_one(platform.database, platform.tenant)
    waiting = await operator.get(OUTBOX)
    assert (waiting["undispatched_events"], waiting["pending_deliveries"]) == (1, 0)
    await Dispatcher(platform.database, []).deliver_due()
    pending, parked = a_name(), a_name()
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        happened = (await db.scalars(select(OutboxEvent))).one()
        due = {"event_id": happened.id, "due_at": clock.machine_now()}
        db.add(OutboxDelivery(**due, reaction=pending))
        db.add(OutboxDelivery(**due, reaction=parked, state="parked", attempts=8, last_error="OSError: gone"))
    emitted_at = happened.emitted_at
    clock.use(lambda: emitted_at + timedelta(minutes=5))
    shown = await operator.get(OUTBOX)
    assert (shown["undispatched_events"], shown["pending_deliveries"], shown["oldest_age_s"]) == (0, 1, 300.0)
    assert shown["parked_deliveries"] == 1
    [delivery] = shown["parked"]
    assert (delivery["event"], delivery["reaction"]) == ("WindowOpened", parked)
    assert (delivery["attempts"], delivery["last_error"]) == (8, "OSError: gone")
    assert delivery["organization_id"] == str(platform.tenant.organization.organization_id)


async def test_a_database_that_is_up_to_date_says_so(platform: Platform, operator: Tenant) -> None:
    shown = await operator.get(MIGRATIONS)
    known = [{"revision": revision, "title": title} for revision, title in revisions()]
    assert shown == {"current": known[-1]["revision"], "is_known": True, "applied": known, "pending": []}
    assert known[0] == {"revision": "0001", "title": "Organisations and the people in them."}


@pytest.mark.parametrize(("stamped", "is_known", "pending"), [("0003", True, -3), ("9999", False, 0)])
async def test_a_database_that_is_behind_or_ahead_says_so(
    sqlite_url: str, stamped: str, is_known: bool, pending: int
) -> None:
    async with open_farm_alone(sqlite_url) as platform:
        operator = await make_person(platform, platform.tenant, "super_admin")
        async with platform.database.unit_of_work(SystemScope("test")) as db:
            await db.execute(text("UPDATE alembic_version SET version_num = :stamped"), {"stamped": stamped})
        shown = await operator.get(MIGRATIONS)
    assert (shown["current"], shown["is_known"]) == (stamped, is_known)
    assert len(shown["applied"]) + len(shown["pending"]) == len(revisions())
    assert len(shown["pending"]) == (len(revisions()) + pending if pending else 0)


async def test_only_operators_look(platform: Platform) -> None:
    for path in (OUTBOX, MIGRATIONS):
        assert (await platform.tenant.client.get(path)).status_code == 403
