"""What is on the road: who drives, who comes late, and what became of each door."""

import csv
import hashlib
import html
import io
from datetime import timedelta

import httpx2

from cloud_api.kernel import clock
from tests.cloud_api.console.deliveries.pictures import a_photo, hand_over
from tests.cloud_api.console.screens import Screen, at_console
from tests.factories.farms import make_person
from tests.factories.orders import hire_driver
from tests.factories.roads import at, plant_road
from tests.platform_under_test import Platform

DELIVERIES = "/console/deliveries"


def doors_of(page: str) -> str:
    """The part of the road's page that lists doors."""
    return page.partition('id="doors"')[2].partition('id="vans"')[0]


async def test_a_dispatcher_follows_a_van_and_sees_it_delivered_with_its_proof(
    screen: Screen, sqlite_platform: Platform
) -> None:
    sqlite_platform.database.on_announced = sqlite_platform.app.state.hub.announce_all
    road = await plant_road(sqlite_platform, doors=2)
    page = screen.page
    await screen.open(DELIVERIES)
    await page.wait_for_selector("[data-road][data-drawn]")
    await screen.is_accessible()
    await road.report(at(12.935, ago_s=1))
    await sqlite_platform.deliver()
    await page.wait_for_selector(f"[data-van='{road.route_id}']")
    await page.click("#doors tbody tr:first-child a")
    await page.wait_for_selector("#proof")
    assert "It shows here when the goods are handed over." in await screen.text()
    await hand_over(road)
    await sqlite_platform.deliver()
    await page.wait_for_selector("#proof >> text=Intact")
    assert "The cook" in await page.inner_text("#proof")
    assert "3.4 °C" in await page.inner_text("#proof")
    drawn = "document.querySelector('.proof-picture').decode().then(() => true)"
    assert await page.evaluate(drawn), "the photo is shown"
    await screen.is_accessible()
    await screen.open(f"/console/routes/{road.route_id}")
    await page.wait_for_selector("[data-road][data-drawn]")
    await screen.is_accessible()


async def test_an_empty_road_says_how_vans_come_onto_it(console: httpx2.AsyncClient) -> None:
    page = (await console.get(DELIVERIES)).text
    assert "Nothing is on the road" in page
    assert "No van is on the road" in page
    assert "There are no deliveries yet" in (await console.get(f"{DELIVERIES}/earlier")).text
    assert "Nothing to look at" in (await console.get(f"{DELIVERIES}/phones?result=refused")).text


async def test_each_van_shows_its_next_door_and_unfolds_the_others(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one, two = await plant_road(sqlite_platform, doors=3), await plant_road(sqlite_platform)
    at_first = doors_of((await console.get(DELIVERIES)).text)
    assert one.delivery_ids[0] in at_first
    assert two.delivery_ids[0] in at_first
    assert one.delivery_ids[1] not in at_first
    unfolded = doors_of((await console.get(f"{DELIVERIES}/part", params={"route": one.route_id})).text)
    assert all(delivery_id in unfolded for delivery_id in one.delivery_ids)
    assert two.delivery_ids[0] not in unfolded
    drawn = (await console.get(f"{DELIVERIES}/map.json", params={"route": one.route_id})).json()
    assert [route["id"] for route in drawn["routes"]] == [one.route_id]
    assert [stop["text"] for stop in drawn["routes"][0]["stops"]] == ["1", "2", "3"]


async def test_a_long_route_is_unfolded_part_by_part(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    road = await plant_road(sqlite_platform, doors=52)
    page = (await console.get(f"{DELIVERIES}/part", params={"route": road.route_id})).text
    assert doors_of(page).count("<tr>") == 51, "a head and fifty doors"
    assert "most=100" in page
    assert "Show more of 52" in page
    every = (await console.get(f"{DELIVERIES}/part", params={"route": road.route_id, "most": "100"})).text
    assert doors_of(every).count("<tr>") == 53
    assert "Show more" not in every


async def test_only_those_who_wait_longer_than_planned_are_late(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    late = await plant_road(sqlite_platform, started_ago_s=7_200)
    punctual = await plant_road(sqlite_platform, started_ago_s=0)
    page = doors_of((await console.get(DELIVERIES, params={"show": "late"})).text)
    assert all(delivery_id in page for delivery_id in late.delivery_ids)
    assert punctual.delivery_ids[0] not in page
    driver_id = (await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{punctual.route_id}"))["driver_id"]
    theirs = (await console.get(DELIVERIES, params={"driver": driver_id, "show": "late"})).text
    assert "Nobody waits longer than planned" in theirs


async def test_a_van_that_is_not_heard_is_said_to_be_silent_and_late_doors_are_named(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    silent, heard = await plant_road(sqlite_platform, started_ago_s=7_200), await plant_road(sqlite_platform)
    await heard.report(at(12.932, ago_s=1))
    assert silent.route_id != heard.route_id
    part = (await console.get(f"{DELIVERIES}/part")).text
    assert "1 silent" in part
    assert "2 late" in part


async def test_the_proof_is_the_bytes_that_the_driver_sent(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform)
    await hand_over(road)
    picture = await console.get(f"{DELIVERIES}/{road.delivery_ids[0]}/proof/photo")
    assert (picture.content, picture.headers["content-type"]) == (a_photo(), "image/png")
    assert (await console.get(f"{DELIVERIES}/{road.delivery_ids[0]}/proof/signature")).status_code == 404
    listed = (await console.get(f"{DELIVERIES}/earlier")).text
    assert "The cook" in listed


async def test_a_dispatcher_says_that_a_door_failed_and_why(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform)
    stop = f"{DELIVERIES}/{road.delivery_ids[0]}"
    sent = {"status": "failed", "failure_reason": "customer_absent", "note": "nobody opened"}
    answer = await console.post(f"{stop}/status", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, stop)
    said = await sqlite_platform.tenant.get(f"/api/v1/warehouse/deliveries/{road.delivery_ids[0]}")
    assert (said["status"], said["failure_reason"], said["note"]) == ("failed", "customer_absent", "nobody opened")
    again = await console.post(f"{stop}/status", data={"status": "arrived", "note": "too late"})
    assert again.status_code == 409
    assert "Customer absent" in again.text


async def test_a_delivery_passes_without_its_code_for_a_reason(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform)
    stop = f"{DELIVERIES}/{road.delivery_ids[0]}"
    refused = await console.post(f"{stop}/otp", data={"reason": ""})
    assert refused.status_code == 422
    assert 'id="e-reason"' in refused.text
    assert (await console.post(f"{stop}/otp", data={"reason": "known to the driver"})).status_code == 303
    page = (await console.get(stop)).text
    assert "Overridden" in page
    assert "Pass without the code" not in page


async def test_a_delivery_changes_its_route_until_it_is_loaded(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one = await plant_road(sqlite_platform, under_way=False)
    two = await plant_road(sqlite_platform, under_way=False, warehouse_id=one.warehouse_id)
    stop = f"{DELIVERIES}/{one.delivery_ids[0]}"
    assert two.route_id in (await console.get(stop)).text
    answer = await console.post(f"{stop}/plan", data={"route_id": two.route_id, "note": "side door"})
    assert answer.status_code == 303
    said = await sqlite_platform.tenant.get(f"/api/v1/warehouse/deliveries/{one.delivery_ids[0]}")
    assert (said["route_id"], said["note"]) == (two.route_id, "side door")
    assert (await console.post(f"{stop}/plan", data={"route_id": "", "note": "waits"})).status_code == 303
    said = await sqlite_platform.tenant.get(f"/api/v1/warehouse/deliveries/{one.delivery_ids[0]}")
    assert (said["route_id"], said["status"]) == (None, "pending")


async def test_a_route_gets_another_driver_and_is_given_up(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform, under_way=False)
    driver_id, _ = await hire_driver(sqlite_platform, sqlite_platform.tenant)
    route = f"/console/routes/{road.route_id}"
    sent = {"vehicle_id": road.vehicle_id, "driver_id": driver_id, "version": "1"}
    version = (await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{road.route_id}"))["version"]
    assert (await console.post(f"{route}/change", data={**sent, "version": str(version + 7)})).status_code == 409
    assert (await console.post(f"{route}/change", data={**sent, "version": str(version)})).status_code == 303
    said = await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{road.route_id}")
    assert said["driver_id"] == driver_id
    assert (await console.post(f"{route}/cancel", data={"reason": "the van broke"})).status_code == 303
    page = (await console.get(route)).text
    assert "Given up: the van broke" in page
    assert "Give the route up" not in page


async def test_the_course_of_a_route_shows_where_it_drove(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform)
    await road.report(at(12.931, ago_s=40), at(12.933, ago_s=20), at(12.936, ago_s=2))
    [route] = (await console.get(f"/console/routes/{road.route_id}/map.json")).json()["routes"]
    assert route["trail"][-1] == [12.936, 77.61]
    assert route["position"] == [12.936, 77.61]
    assert len(route["stops"]) == 2


async def test_a_route_that_is_driven_shows_each_of_its_stops(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    road = await plant_road(sqlite_platform)
    for stop in range(len(road.delivery_ids)):
        await hand_over(road, stop)
    await road.driver.post(f"/api/v1/mobile/routes/{road.route_id}/complete")
    page = (await console.get(f"/console/routes/{road.route_id}")).text
    assert all(f"/console/deliveries/{delivery_id}" in page for delivery_id in road.delivery_ids)


async def test_who_only_looks_is_offered_nothing_and_who_may_not_look_is_turned_away(
    sqlite_platform: Platform,
) -> None:
    road = await plant_road(sqlite_platform)
    viewer = await make_person(sqlite_platform, sqlite_platform.tenant, "viewer")
    async with at_console(sqlite_platform, viewer) as looking:
        page = (await looking.get(f"{DELIVERIES}/{road.delivery_ids[0]}")).text
        assert "Change the status" not in page
        assert "Pass without the code" not in page
        assert "Give the route up" not in (await looking.get(f"/console/routes/{road.route_id}")).text
        refused = await looking.post(f"{DELIVERIES}/{road.delivery_ids[0]}/status", data={"status": "arrived"})
        assert refused.status_code == 403
    packer = await make_person(sqlite_platform, sqlite_platform.tenant, "inventory_staff")
    async with at_console(sqlite_platform, packer) as packing:
        assert (await packing.get(DELIVERIES)).status_code == 403


async def test_lateness_is_of_what_is_ahead(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    road = await plant_road(sqlite_platform, started_ago_s=0)
    await road.report(at(12.93, ago_s=1))
    page = (await console.get(f"{DELIVERIES}/part")).text
    assert "late" not in page.partition('id="vans"')[2]
    assert clock.now() - road.started_at < timedelta(minutes=5)


async def test_a_driver_sees_their_own_routes_with_names_and_places(sqlite_platform: Platform) -> None:
    own, others = await plant_road(sqlite_platform), await plant_road(sqlite_platform)
    async with at_console(sqlite_platform, own.driver) as driving:
        listed = (await driving.get("/console/routes")).text
        assert f"/console/routes/{own.route_id}" in listed
        assert others.route_id not in listed
        route = await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{own.route_id}")
        said = route["deliveries"][0]
        known = (route["vehicle_number"], route["driver_name"], said["customer_name"], said["address"])
        for path in (f"/console/routes/{own.route_id}", f"{DELIVERIES}/{own.delivery_ids[0]}", DELIVERIES):
            page = (await driving.get(path)).text
            assert all(html.escape(name) in page for name in known), path
            assert "…" not in page.partition("<main")[2].partition("</main>")[0], "nothing goes by the end of its id"
        assert (await driving.get(f"/console/routes/{others.route_id}")).status_code == 404


async def test_a_proof_is_one_sheet_to_be_printed(console: httpx2.AsyncClient, sqlite_platform: Platform) -> None:
    road = await plant_road(sqlite_platform)
    sheet = f"{DELIVERIES}/{road.delivery_ids[0]}/proof"
    assert "It is not handed over yet" in (await console.get(sheet)).text
    await hand_over(road)
    said = await sqlite_platform.tenant.get(f"/api/v1/warehouse/deliveries/{road.delivery_ids[0]}")
    page = (await console.get(sheet)).text
    hash_of_photo = hashlib.sha256(a_photo()).hexdigest()
    for shown in ("The cook", "3.4 °C", hash_of_photo, said["order_number"], said["address"], "data-print"):
        assert shown in page


async def test_routes_and_deliveries_are_listed_by_what_is_asked_and_become_files(
    console: httpx2.AsyncClient, sqlite_platform: Platform
) -> None:
    one, two = await plant_road(sqlite_platform), await plant_road(sqlite_platform, under_way=False)
    planned = (await console.get("/console/routes", params={"status": "planned"})).text
    assert two.route_id in planned
    assert one.route_id not in planned
    assert "No route is like this" in (await console.get("/console/routes", params={"until": "2020-01-01"})).text
    [head, row] = rows_of(await console.get("/console/routes/export", params={"status": "in_progress"}))
    route = await sqlite_platform.tenant.get(f"/api/v1/warehouse/routes/{one.route_id}")
    told = dict(zip(head, row, strict=True))
    assert (told["Route"], told["Van"], told["Way, km"]) == (route["number"], route["vehicle_number"], "4.0")
    waiting = {"status": "assigned"}
    listed = (await console.get(f"{DELIVERIES}/earlier", params=waiting)).text
    assert two.delivery_ids[0] in listed
    assert one.delivery_ids[0] not in listed
    rows = rows_of(await console.get(f"{DELIVERIES}/earlier/export", params=waiting))
    assert len(rows) == 1 + len(two.delivery_ids)
    sheet = await console.get(f"{DELIVERIES}/earlier/export", params={"format": "xlsx"})
    assert sheet.content.startswith(b"PK")


def rows_of(file: httpx2.Response) -> list[list[str]]:
    """What stands in a CSV file."""
    return list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
