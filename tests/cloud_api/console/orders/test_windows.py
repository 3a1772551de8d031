"""Delivery windows at a screen: offered, filled by orders, changed, withdrawn and offered again."""

import csv
import io

import httpx2

from tests.cloud_api.console.screens import at_console
from tests.cloud_api.console.typed import form_on
from tests.factories.farms import make_person
from tests.factories.orders import day_in, make_depot, order_from
from tests.platform_under_test import Platform

WINDOWS, API = "/console/orders/slots", "/api/v1/orders/slots"
EVERY_DAY = [str(number) for number in range(1, 8)]
MORNING = {"window_from": "09:00:00", "window_until": "11:00:00"}


async def test_a_window_is_offered_filled_changed_and_withdrawn(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    tenant = sqlite_platform.tenant
    assert "There are no warehouses yet" in (await console.get(WINDOWS)).text
    depot = await make_depot(tenant)
    assert "This warehouse has no windows" in (await console.get(WINDOWS)).text
    typed = {"warehouse_id": depot.warehouse_id, "kind": "weekly", "window_from": "09:00", "window_until": "11:00"}
    made = await console.post(f"{WINDOWS}/new", data={**typed, "weekdays": EVERY_DAY, "capacity": "2"})
    assert made.status_code == 303, made.text
    [slot] = await tenant.get(API)
    on = day_in(5)
    await order_from(depot, delivery_date=on, **MORNING)
    of_day = (await console.get(f"{WINDOWS}?warehouse_id={depot.warehouse_id}&day={on}")).text
    assert "1 of 2 taken" in of_day
    assert "every day" in of_day

    at = f"{WINDOWS}/{slot['id']}"
    page = (await console.get(at)).text
    assert f"delivery_date={on}&amp;slot_id={slot['id']}" in page
    form = form_on(page, at)
    assert form["weekdays"] == EVERY_DAY
    assert (await console.post(at, data={**form, "weekdays": ["1"], "capacity": "5"})).status_code == 303
    stale = await console.post(at, data={**form, "_key": "again", "capacity": "7"})
    assert stale.status_code == 409
    assert "Somebody else has changed it meanwhile" in stale.text
    [changed] = await tenant.get(API)
    assert (changed["weekdays"], changed["capacity"]) == ([1], 5)

    assert (await console.post(f"{at}/withdraw")).status_code == 303
    assert "1 of 5 taken" in (await console.get(at)).text  # what is booked stays said
    withdrawn = (await console.get(f"{WINDOWS}?withdrawn=yes")).text
    assert at in withdrawn
    assert (await console.post(f"{at}/offer")).status_code == 303
    assert (await tenant.get(API))[0]["is_active"] is True
    told = (await console.get(f"{WINDOWS}/export")).text.removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(told)))[1][1:] == ["Monday", "", "09:00", "11:00", "5", "offered"]


async def test_what_is_wrong_with_a_window_stands_beside_its_field(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    depot = await make_depot(sqlite_platform.tenant)
    typed = {"warehouse_id": depot.warehouse_id, "window_from": "11:00", "window_until": "09:00", "capacity": "few"}
    answer = await console.post(f"{WINDOWS}/new", data={**typed, "kind": "weekly", "weekdays": ["2", "3"]})
    assert 'id="e-capacity"' in answer.text
    assert form_on(answer.text, f"{WINDOWS}/new")["weekdays"] == ["2", "3"]
    answer = await console.post(f"{WINDOWS}/new", data={**typed, "kind": "weekly", "weekdays": ["2"], "capacity": "3"})
    assert 'id="e-window_from"' in answer.text
    hours = {"window_from": "09:00", "window_until": "11:00", "capacity": "3"}
    answer = await console.post(f"{WINDOWS}/new", data={**typed, **hours, "kind": "weekly"})
    assert 'id="e-weekdays"' in answer.text
    answer = await console.post(f"{WINDOWS}/new", data={**typed, **hours, "kind": "dated", "day": ""})
    assert 'id="e-day"' in answer.text
    holiday = {**typed, **hours, "kind": "dated", "day": day_in(9), "weekdays": ["2"]}
    assert (await console.post(f"{WINDOWS}/new", data=holiday)).status_code == 303
    assert str(day_in(9)) in (await console.get(WINDOWS)).text


async def test_who_may_only_look_offers_no_windows(sqlite_platform: Platform) -> None:
    depot = await make_depot(sqlite_platform.tenant)
    body = {"warehouse_id": depot.warehouse_id, "weekdays": [1], "capacity": 3, **MORNING}
    slot = await sqlite_platform.tenant.post(API, body)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as console:
        assert f"{WINDOWS}/new" not in (await console.get(WINDOWS)).text
        page = (await console.get(f"{WINDOWS}/{slot['id']}")).text
        assert "<fieldset disabled>" in page
        assert "/withdraw" not in page
