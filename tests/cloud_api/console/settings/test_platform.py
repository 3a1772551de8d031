"""Who keeps the platform: maintenance and what everybody is told of it, events that failed, the key that signs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import Dispatcher, OutboxDelivery, OutboxEvent, emit
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_farm, make_person
from tests.platform_under_test import Platform, Tenant, application, settings_for_tests

HERE = "/console/settings/platform"
SWITCH = "/api/v1/admin/maintenance"
WAREHOUSE = {"code": "SITE-9", "name": "Store"}
BANNER = 'id="maintenance"'


@dataclass(frozen=True)
class ShelvesMoved:
    row: str


@dataclass
class Kept:
    """A platform with a database of its own, and somebody who keeps it."""

    platform: Platform
    keeper: Tenant
    console: httpx2.AsyncClient


@pytest.fixture
async def kept(sqlite_url: str) -> AsyncIterator[Kept]:
    settings = settings_for_tests(database_url=sqlite_url)
    app = application(settings)
    platform = Platform(app, app.state.database, settings)
    tenant = await make_farm(platform)
    keeper = await make_person(platform, tenant, "super_admin")
    async with at_console(platform, keeper) as console:
        yield Kept(platform, keeper, console)
    for person in platform.tenants:
        await person.client.aclose()
    await platform.database.close()


async def switched(kept: Kept, enabled: str, **typed: str) -> httpx2.Response:
    """The form of maintenance as it stands on the page, sent with one of its buttons."""
    sent = form_on((await kept.console.get(HERE)).text, f"{HERE}/maintenance")
    return await kept.console.post(f"{HERE}/maintenance", data={**sent, **typed, "enabled": enabled})


async def test_maintenance_is_on_every_page_and_before_the_sign_in_until_it_ends(kept: Kept) -> None:
    page = (await kept.console.get(HERE)).text
    assert BANNER not in page
    assert "Begin maintenance? Until it ends" in page
    until = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    begun = await switched(kept, "true", message="New shelves <tonight>", until="2099-01-02T06:30")
    assert begun.status_code == 303, begun.text
    told = await kept.keeper.get(SWITCH)
    assert (told["enabled"], told["until"], told["version"]) == (True, "2099-01-02T01:00:00Z", 1)
    tenant = kept.platform.tenant
    async with at_console(kept.platform, tenant) as everybody, kept.platform.client() as nobody:
        for page in (
            (await everybody.get("/console")).text,
            (await everybody.get("/console/me")).text,
            (await nobody.get("/console/sign-in")).text,
        ):
            assert page.count(BANNER) == 1
            assert "New shelves &lt;tonight&gt;" in page
            assert "until about" in page
        part = await everybody.get("/console/gateways/part", headers={"HX-Request": "true"})
        assert BANNER not in part.text
    refused = await tenant.client.post("/api/v1/warehouse/warehouses", json=WAREHOUSE)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 1_000_000, "they may try when it is over"
    again = await switched(kept, "true", message="An hour more", until=until)
    assert again.status_code == 303, again.text
    assert "An hour more" in (await kept.console.get("/console/me")).text
    await switched(kept, "false")
    assert BANNER not in (await kept.console.get("/console/me")).text
    await tenant.post("/api/v1/warehouse/warehouses", WAREHOUSE)


async def test_an_end_that_is_past_and_somebody_who_was_quicker_are_told_in_the_form(kept: Kept) -> None:
    wrong = await switched(kept, "true", message="Shelves", until="2020-01-01T08:00")
    assert wrong.status_code == 422
    assert 'id="e-until"' in wrong.text
    assert "Shelves</textarea>" in wrong.text
    opened = form_on((await kept.console.get(HERE)).text, f"{HERE}/maintenance")
    await kept.keeper.put(SWITCH, {"enabled": True, "message": "Theirs"})
    stale = await kept.console.post(
        f"{HERE}/maintenance", data={**opened, "enabled": "true", "message": "Ours", "until": ""}
    )
    assert stale.status_code == 409
    assert "<td>Theirs</td>" in stale.text
    sent = form_on(stale.text, f"{HERE}/maintenance")
    assert (await kept.console.post(f"{HERE}/maintenance", data={**sent, "enabled": "true"})).status_code == 303
    assert (await kept.keeper.get(SWITCH))["message"] == "Ours"


async def test_what_failed_is_shown_with_its_reason_and_tried_again(kept: Kept) -> None:
    platform = kept.platform
    assert "Nothing failed" in (await kept.console.get(HERE)).text
    await Dispatcher(platform.database, []).deliver_due()
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        emit(db, ShelvesMoved("A"))
    await Dispatcher(platform.database, []).deliver_due()
    async with platform.database.unit_of_work(SystemScope("test")) as db:
        event = (await db.scalars(select(OutboxEvent).where(OutboxEvent.type == "ShelvesMoved"))).one()
        parked = {"event_id": event.id, "due_at": clock.machine_now(), "state": "parked", "attempts": 8}
        db.add(OutboxDelivery(**parked, reaction="shelves.count", last_error="OSError: no <room>"))
    page = (await kept.console.get(HERE)).text
    assert "OSError: no &lt;room&gt;" in page
    retry = f"{HERE}/events/{event.id}/retry"
    assert retry in page
    assert (await kept.console.post(retry)).status_code == 303
    assert (await kept.keeper.get("/api/v1/admin/outbox"))["pending_deliveries"] == 1
    assert (await kept.console.post(retry)).status_code == 404


async def test_a_new_key_is_drawn_and_the_steps_of_the_database_are_told(kept: Kept) -> None:
    page = (await kept.console.get(HERE)).text
    assert "The database has all that this program knows" in page
    drawn = await kept.console.post(f"{HERE}/keys")
    assert "A new key signs from now on" in drawn.text
    assert (await kept.console.get(HERE)).status_code == 200, "nobody is signed out"


async def test_who_does_not_keep_the_platform_has_no_such_page(kept: Kept) -> None:
    async with at_console(kept.platform, kept.platform.tenant) as admin:
        assert (await admin.get(HERE)).status_code == 403
        assert HERE not in (await admin.get("/console/settings")).text
        assert (await admin.post(f"{HERE}/maintenance", data={"enabled": "true"})).status_code == 403
