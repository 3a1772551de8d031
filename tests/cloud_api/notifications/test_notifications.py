"""Everybody has notifications and phones of their own, and sees nobody else's."""

import uuid

from cloud_api.notifications import service
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def tell(farm: Platform, tenant: Tenant, title: str, permission: str = "alerts:ack") -> int:
    async with farm.database.unit_of_work(tenant.organization) as db:
        written = await service.notify(
            db,
            permission=permission,
            title=title,
            message="look at it",
            severity="warning",
            category="quality",
            subject="excursion:1",
        )
        return len(written)


async def titles(person: Tenant) -> list[str]:
    return [row["title"] for row in await person.get("/api/v1/notifications")]


async def test_those_are_told_who_may_act_and_each_sees_their_own(farm: Platform) -> None:
    staff, viewer = [await make_person(farm, farm.tenant, role) for role in ("inventory_staff", "viewer")]
    stranger = await make_farm(farm)
    assert await tell(farm, farm.tenant, "Warm") == 2
    assert await tell(farm, farm.tenant, "Decide", "quality:approve") == 1
    assert [await titles(person) for person in (farm.tenant, staff, viewer, stranger)] == [
        ["Decide", "Warm"],
        ["Warm"],
        [],
        [],
    ]


async def test_nobody_marks_anothers_notification_as_read(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    await tell(farm, farm.tenant, "Warm")
    [mine] = await staff.get("/api/v1/notifications")
    path = f"/api/v1/notifications/{mine['id']}/read"
    assert (await farm.tenant.client.put(path)).status_code == 404
    assert (await farm.tenant.client.put(f"/api/v1/notifications/{uuid.uuid4()}/read")).status_code == 404
    assert (await staff.put(path, None))["is_read"] is True
    assert [row["is_read"] for row in await farm.tenant.get("/api/v1/notifications")] == [False]


async def test_all_are_marked_as_read_at_once_and_nobody_elses(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    for title in ("Warm", "Cold"):
        await tell(farm, farm.tenant, title)
    [newest, _] = await staff.get("/api/v1/notifications")
    await staff.put(f"/api/v1/notifications/{newest['id']}/read", None)
    assert len(await staff.get("/api/v1/notifications", unread=True)) == 1
    assert [await staff.put("/api/v1/notifications/mark-all-read", None) for _ in range(2)] == [
        {"marked": 1},
        {"marked": 0},
    ]
    assert await staff.get("/api/v1/notifications", unread=True) == []
    assert len(await farm.tenant.get("/api/v1/notifications", unread=True, category="quality")) == 2
    assert await farm.tenant.get("/api/v1/notifications", category="order") == []


async def test_ones_own_are_taken_out_of_the_list_and_nobody_elses(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    await tell(farm, farm.tenant, "Warm")
    [mine] = await staff.get("/api/v1/notifications")
    path = f"/api/v1/notifications/{mine['id']}"
    assert (await farm.tenant.client.delete(path)).status_code == 404
    assert [(await staff.client.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert await titles(staff) == []
    assert await titles(farm.tenant) == ["Warm"]


async def test_a_phone_is_registered_once_and_moves_within_the_organisation_only(farm: Platform) -> None:
    staff, stranger = await make_person(farm, farm.tenant, "inventory_staff"), await make_farm(farm)
    body = {"registration": f"registration-{uuid.uuid4()}"}
    first = await farm.tenant.post("/api/v1/mobile/devices", body)
    again = await farm.tenant.post("/api/v1/mobile/devices", body)
    assert first["id"] == again["id"]
    refused = await stranger.client.post("/api/v1/mobile/devices", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
    assert [phone["id"] for phone in await farm.tenant.get("/api/v1/mobile/devices")] == [first["id"]]
    assert (await staff.post("/api/v1/mobile/devices", body))["id"] == first["id"]
    assert [await person.get("/api/v1/mobile/devices") for person in (farm.tenant, stranger)] == [[], []]


async def test_nobody_signs_anothers_phone_out(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    phone = await staff.post("/api/v1/mobile/devices", {"registration": f"registration-{uuid.uuid4()}"})
    path = f"/api/v1/mobile/devices/{phone['id']}"
    assert (await farm.tenant.client.delete(path)).status_code == 404
    assert (await staff.client.delete(path)).status_code == 204
    assert [row["is_active"] for row in await staff.get("/api/v1/mobile/devices")] == [False]


async def test_a_registration_nobody_could_push_to_is_refused(farm: Platform) -> None:
    for registration in ("", "short", "x" * 513, None):
        answer = await farm.tenant.client.post("/api/v1/mobile/devices", json={"registration": registration})
        assert answer.status_code == 422
