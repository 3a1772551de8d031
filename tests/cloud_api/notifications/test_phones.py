"""One's own phones: refreshed by their app, and tried."""

from typing import Any

from cloud_api.kernel import clock
from device_sims.fcm import FcmDouble
from tests.cloud_api.notifications.outgoing import deliver_again
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

DEVICES = "/api/v1/mobile/devices"


async def sign_in(person: Tenant, registration: str, **more: str) -> Any:
    return await person.post(DEVICES, {"registration": registration, **more})


async def test_an_app_says_what_it_is_and_what_has_changed(farm: Platform) -> None:
    phone = await sign_in(farm.tenant, f"one-{farm.tenant.slug}", app_version="2.3.0", locale="hi-IN")
    assert (phone["app_version"], phone["locale"], phone["is_active"]) == ("2.3.0", "hi-IN", True)
    path = f"{DEVICES}/{phone['id']}"
    changed = await farm.tenant.put(path, {"app_version": "2.4.0"})
    assert (changed["app_version"], changed["locale"]) == ("2.4.0", "hi-IN")
    assert changed["last_seen_at"] > phone["last_seen_at"]
    assert changed["registered_at"] == phone["registered_at"]
    assert (await farm.tenant.get(path))["last_push"] is None


async def test_a_phone_that_speaks_again_takes_pushes_again(pushing: Platform, double: FcmDouble) -> None:
    before, after = double.mint_phone(), double.mint_phone()
    phone = await sign_in(pushing.tenant, before.fid)
    path = f"{DEVICES}/{phone['id']}"
    await pushing.tenant.client.delete(path)
    refused = await pushing.tenant.client.post(f"{path}/test")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "PHONE_GIVEN_UP")
    assert (await pushing.tenant.put(path, {"registration": after.fid}))["is_active"] is True
    await pushing.tenant.post(f"{path}/test")
    await pushing.deliver()
    assert [len(double.deliveries(one.fid)) for one in (before, after)] == [0, 1]


async def test_a_test_push_reaches_this_phone_alone_whatever_is_muted(pushing: Platform, double: FcmDouble) -> None:
    this, other = double.mint_phone(), double.mint_phone()
    [phone, _] = [await sign_in(pushing.tenant, one.fid) for one in (this, other)]
    await pushing.tenant.put("/api/v1/notifications/settings", {"channels": {"system": {"push": False}}})
    sent = await pushing.tenant.post(f"{DEVICES}/{phone['id']}/test")
    await pushing.deliver()
    await deliver_again(pushing)
    assert [len(double.deliveries(one.fid)) for one in (this, other)] == [1, 0]
    pushed = (await pushing.tenant.get(f"{DEVICES}/{phone['id']}"))["last_push"]
    assert (pushed["notification_id"], pushed["status"]) == (sent["notification_id"], "sent")
    assert await pushing.tenant.get("/api/v1/notifications") == []


async def test_a_test_push_says_why_it_did_not_arrive(pushing: Platform, double: FcmDouble) -> None:
    phone = await sign_in(pushing.tenant, f"nobody-{clock.now().timestamp()}")
    await pushing.tenant.post(f"{DEVICES}/{phone['id']}/test")
    await pushing.deliver()
    shown = await pushing.tenant.get(f"{DEVICES}/{phone['id']}")
    assert shown["last_push"]["status"] == "refused"
    assert "Error" in shown["last_push"]["detail"]


async def test_a_colleagues_phone_is_nobody_elses(farm: Platform) -> None:
    phone = await sign_in(farm.tenant, f"mine-{farm.tenant.slug}")
    colleague = await make_person(farm, farm.tenant, "org_admin")
    path = f"{DEVICES}/{phone['id']}"
    answers = [
        await colleague.client.get(path),
        await colleague.client.put(path, json={"app_version": "9"}),
        await colleague.client.post(f"{path}/test"),
        await colleague.client.delete(path),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


async def test_a_registration_is_one_phones(farm: Platform) -> None:
    await sign_in(farm.tenant, f"first-{farm.tenant.slug}")
    second = await sign_in(farm.tenant, f"second-{farm.tenant.slug}")
    taken = {"registration": f"first-{farm.tenant.slug}"}
    answer = await farm.tenant.client.put(f"{DEVICES}/{second['id']}", json=taken)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
