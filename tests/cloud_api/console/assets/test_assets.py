"""Assets at the console: registered, lent, brought back, moved, decided about, found by their code."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import select

from cloud_api.inventory.assets.models import ItemCheckout
from cloud_api.kernel import clock
from tests.cloud_api.console.screens import at_console
from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_person
from tests.factories.scopes import id_of
from tests.factories.stores import make_cold_store, make_room
from tests.platform_under_test import Platform, Tenant

ASSETS = "/console/assets"
ITEMS = "/api/v1/items"


def in_days(count: int) -> str:
    """As a field of day and time has it."""
    return (clock.now() + timedelta(days=count)).strftime("%Y-%m-%dT%H:%M")


async def register(tenant: Tenant, name: str = "Pallet jack", **fields: object) -> str:
    """Something to lend; its id."""
    return str((await tenant.post(ITEMS, {"name": name, **fields}))["id"])


async def lend(tenant: Tenant, asset: str, **fields: object) -> Any:
    """To a job for a day."""
    due = (clock.now() + timedelta(days=1)).isoformat()
    wish = {"assignee_type": "job", "assignee_name": "Harvest", "due_at": due, **fields}
    return await tenant.post(f"{ITEMS}/{asset}/checkout", wish)


async def make_late(platform: Platform) -> None:
    """Whatever is out should have been back an hour ago."""
    async with platform.database.unit_of_work(platform.tenant.organization) as db:
        for checkout in await db.scalars(select(ItemCheckout)):
            checkout.due_at = clock.now() - timedelta(hours=1)


def rows_of(file: httpx2.Response) -> list[dict[str, str]]:
    """What stands in a CSV file."""
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))


async def test_an_asset_is_registered_with_what_is_known_of_it_and_gets_a_label(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    empty = (await console.get(ASSETS)).text
    assert "There are no assets yet" in empty
    assert "No asset is like this" in (await console.get(ASSETS, params={"status": "lost"})).text
    store = await make_cold_store(sqlite_platform)
    typed = {
        "name": "Thermometer",
        "barcode": "8901234567890",
        "restricted": "true",
        "location_id": store.room_id,
        "facts.0.name": "Wheels",
        "facts.0.value": "4",
        "facts.3.name": "Key",
        "facts.3.value": "007",
    }
    made = await console.post(ASSETS, data=typed)
    assert made.status_code == 303, made.text
    [item] = await sqlite_platform.tenant.get(ITEMS)
    assert (item["barcode"], item["restricted"], item["location_id"]) == ("8901234567890", True, store.room_id)
    assert item["attributes"] == {"Wheels": "4", "Key": "007"}
    page = (await console.get(made.headers["location"])).text
    assert item["asset_code"] in page
    assert "Registered" in page
    label = await console.get(f"{made.headers['location']}/label", params={"format": "png"})
    assert (label.headers["content-type"], label.content[:4]) == ("image/png", b"\x89PNG")


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    await register(sqlite_platform.tenant, barcode="TAKEN")
    typed = {"name": "Trolley", "barcode": "TAKEN", "description": "with a brake"}
    taken = await console.post(ASSETS, data=typed)
    assert taken.status_code == 409
    assert 'id="e-barcode"' in taken.text
    assert "with a brake" in taken.text
    twice = {"name": "", "facts.0.name": "Wheels", "facts.0.value": "4", "facts.1.name": "Wheels"}
    wrong = await console.post(ASSETS, data=twice)
    assert wrong.status_code == 422
    assert "This stands there twice." in wrong.text
    assert 'id="e-name"' in (await console.post(ASSETS, data={"name": ""})).text


async def test_who_saves_what_somebody_else_has_changed_is_shown_both(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    asset = await register(sqlite_platform.tenant, attributes={"Wheels": 4})
    form = form_on((await console.get(f"{ASSETS}/{asset}/edit")).text, f"{ASSETS}/{asset}")
    await sqlite_platform.tenant.client.patch(f"{ITEMS}/{asset}", json={"name": "Jack of the dock"})
    clash = await console.post(f"{ASSETS}/{asset}", data={**form, "name": "Jack", "facts.0.value": "3"})
    assert clash.status_code == 409
    for said in ("Somebody else has changed it meanwhile", "Jack of the dock", "Wheels"):
        assert said in clash.text
    again = form_on(clash.text, f"{ASSETS}/{asset}")
    assert (await console.post(f"{ASSETS}/{asset}", data=again)).status_code == 303
    item = await sqlite_platform.tenant.get(f"{ITEMS}/{asset}")
    assert (item["name"], item["attributes"]) == ("Jack", {"Wheels": 3})


async def test_staff_lend_to_a_colleague_and_take_it_back_damaged(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    store = await make_cold_store(sqlite_platform)
    yard = await make_room(tenant, store.warehouse_id)
    asset = await register(tenant, location_id=store.room_id)
    keeper, driver = [await make_person(sqlite_platform, tenant, role) for role in ("inventory_staff", "viewer")]
    here = f"{ASSETS}/{asset}"
    async with at_console(sqlite_platform, keeper) as keeping:
        form = form_on((await keeping.get(f"{here}/lend")).text, f"{here}/lend")
        nobody = await keeping.post(f"{here}/lend", data={**form, "due_at": ""})
        assert nobody.status_code == 422
        assert 'id="e-to"' in nobody.text
        assert 'id="e-due_at"' in nobody.text
        past = await keeping.post(
            f"{here}/lend", data={**form, "to": "job", "assignee_name": "A", "due_at": in_days(-1)}
        )
        assert 'id="e-due_at"' in past.text
        assert 'id="e-assignee_name"' in (await keeping.post(f"{here}/lend", data={**form, "to": "job"})).text
        whom = f"user:{await id_of(driver)}"
        assert (await keeping.post(f"{here}/lend", data={**form, "to": whom, "due_at": in_days(2)})).status_code == 303

        listed = (await keeping.get(ASSETS, params={"user_id": await id_of(driver)})).text
        name = (await driver.get("/api/v1/auth/me"))["full_name"]
        assert f"<td>{name}</td>" in listed
        page = (await keeping.get(here)).text
        assert f"{here}/return" in page
        for not_theirs in (f"{here}/lend", f"{here}/move", f"{here}/edit", f"{here}/retire"):
            assert not_theirs not in page
        await make_late(sqlite_platform)
        assert "It should be back" in (await keeping.get(here)).text
        assert "Overdue" in (await keeping.get(ASSETS)).text
        assert name in (await keeping.get(f"{ASSETS}/overdue")).text
        back = {"condition": "scratched", "damage_notes": "a wheel is gone", "location_id": yard}
        assert (await keeping.post(f"{here}/return", data=back)).status_code == 303
    item = await tenant.get(f"{ITEMS}/{asset}")
    assert (item["status"], item["location_id"], item["checkout"]) == ("damaged", yard, None)


async def test_only_what_is_possible_is_offered_through_a_life(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    asset = await register(sqlite_platform.tenant)
    here = f"{ASSETS}/{asset}"

    async def offered() -> set[str]:
        page = (await console.get(here)).text
        verbs = {f"{here}/{verb}": verb for verb in ("lend", "return", "move", "edit", "retire")}
        statuses = {f'value="{status}"': status for status in ("in_repair", "active", "lost")}
        return {verb for said, verb in {**verbs, **statuses}.items() if said in page}

    assert await offered() == {"lend", "move", "edit", "retire", "lost"}
    await lend(sqlite_platform.tenant, asset)
    assert await offered() == {"return", "move", "edit", "lost"}
    assert (await console.post(f"{here}/status", data={"status": "lost"})).status_code == 303
    assert await offered() == {"return", "move", "edit"}  # found by bringing it back
    assert (await console.post(f"{here}/return", data={"damage_notes": "bent"})).status_code == 303
    assert await offered() == {"in_repair", "move", "edit", "retire", "lost"}
    assert (await console.post(f"{here}/status", data={"status": "in_repair"})).status_code == 303
    assert await offered() == {"active", "move", "edit", "lost"}
    assert (await console.post(f"{here}/status", data={"status": "active"})).status_code == 303
    assert (await console.post(f"{here}/retire")).status_code == 303
    assert await offered() == set()
    page = (await console.get(here)).text
    assert "It is out of service" in page
    assert "It cannot be lent as it is now" in (await console.get(f"{here}/lend")).text
    assert "until" in (await console.get(f"{here}/activity")).text
    assert "Harvest" in (await console.get(f"{here}/checkouts")).text


async def test_what_is_lent_only_when_agreed_is_decided_by_somebody_else_who_says_why_not(
    sqlite_platform: Platform,
) -> None:
    tenant = sqlite_platform.tenant
    asset = await register(tenant, restricted=True)
    asker, manager = [await make_person(sqlite_platform, tenant, "warehouse_manager") for _ in range(2)]
    waits = f"{ASSETS}/approvals"
    asked = await lend(asker, asset, purpose="stock take")
    async with at_console(sqlite_platform, asker) as asking:
        page = (await asking.get(waits)).text
        assert "Somebody else decides" in page
        assert f"{waits}/{asked['id']}" not in page
        assert (await asking.post(f"{waits}/{asked['id']}", data={"decision": "approve"})).status_code == 403
    async with at_console(sqlite_platform, manager) as deciding:
        assert "stock take" in (await deciding.get(waits)).text
        assert f"{waits}/{asked['id']}" in (await deciding.get(f"{ASSETS}/{asset}")).text
        silent = await deciding.post(f"{waits}/{asked['id']}", data={"decision": "decline", "note": ""})
        assert silent.status_code == 422
        assert 'id="e-note"' in silent.text
        said = {"decision": "decline", "note": "not this week", "from": "asset"}
        declined = await deciding.post(f"{waits}/{asked['id']}", data=said)
        assert declined.headers["location"] == f"{ASSETS}/{asset}"
        assert "not this week" in (await deciding.get(f"{ASSETS}/{asset}")).text
        late = await deciding.post(f"{waits}/{asked['id']}", data={"decision": "approve"})
        assert late.status_code == 409
        assert 'role="alert"' in late.text
        again = await lend(asker, asset)
        assert (await deciding.post(f"{waits}/{again['id']}", data={"decision": "approve"})).status_code == 303
    assert (await tenant.get(f"{ITEMS}/{asset}"))["checkout"]["status"] == "out"


async def test_a_scanned_code_leads_to_what_it_is_of_and_so_does_the_search_over_everything(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    asset = await register(sqlite_platform.tenant, "Hand scanner", barcode="SCAN-1")
    await register(sqlite_platform.tenant, "Charger", barcode="SCAN-12")
    scanned = await console.get(ASSETS, params={"search": "scan-1", "status": ""})
    assert (scanned.status_code, scanned.headers["location"]) == (303, f"{ASSETS}/{asset}")
    looked = (await console.get(ASSETS, params={"search": "SCAN"})).text
    assert "Charger" in looked
    narrowed = await console.get(ASSETS, params={"search": "SCAN-1", "status": "active"})
    assert narrowed.text.index("Charger") < narrowed.text.index("Hand scanner")
    by_name = (await console.get(ASSETS, params={"sort": "-name"})).text
    assert by_name.index("Charger") > by_name.index("Hand scanner")
    assert f"{ASSETS}/{asset}" in (await console.get("/console/find", params={"q": "hand scanner"})).text
    code = (await console.get("/console/labels", params={"code": "SCAN-1"})).text
    assert f"{ASSETS}/{asset}" in code


async def test_an_asset_is_moved_and_the_lists_become_files(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    store = await make_cold_store(sqlite_platform)
    asset = await register(tenant, location_id=store.room_id)
    await register(tenant, "Crate")
    yard = await make_room(tenant, store.warehouse_id)
    nowhere = await console.post(f"{ASSETS}/{asset}/move", data={"note": "by hand"})
    assert nowhere.status_code == 422
    assert 'value="by hand"' in nowhere.text
    assert (await console.post(f"{ASSETS}/{asset}/move", data={"location_id": yard})).status_code == 303
    assert "→" in (await console.get(f"{ASSETS}/{asset}")).text
    await lend(tenant, asset)
    await make_late(sqlite_platform)
    [row] = rows_of(await console.get(f"{ASSETS}/export", params={"location_id": yard}))
    assert (row["Name"], row["Who has it"], row["Overdue"]) == ("Pallet jack", "Harvest", "Yes")
    assert len(rows_of(await console.get(f"{ASSETS}/export"))) == 2
    [late] = rows_of(await console.get(f"{ASSETS}/overdue/export"))
    assert (late["Name"], late["Who has it"]) == ("Pallet jack", "Harvest")


async def test_who_only_looks_is_offered_no_change_and_a_driver_no_room(sqlite_platform: Platform) -> None:
    asset = await register(sqlite_platform.tenant)
    viewer, driver = [
        await make_person(sqlite_platform, sqlite_platform.tenant, role) for role in ("viewer", "delivery_personnel")
    ]
    async with at_console(sqlite_platform, viewer) as looking:
        listed = (await looking.get(ASSETS)).text
        assert "New asset" not in listed
        assert f"{ASSETS}/approvals" not in listed
        page = (await looking.get(f"{ASSETS}/{asset}")).text
        assert f"{ASSETS}/{asset}/" in page  # its label
        assert '<form method="post" action="/console/assets' not in page
        for path in ("lend", "edit", "move"):
            assert (await looking.get(f"{ASSETS}/{asset}/{path}")).status_code == 403
    async with at_console(sqlite_platform, driver) as driving:
        assert (await driving.get(ASSETS)).status_code == 403
