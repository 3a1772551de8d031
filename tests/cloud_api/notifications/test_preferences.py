"""What somebody does not want to hear they do not hear; what may wait, waits for the morning."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cloud_api.kernel import clock
from cloud_api.notifications import service
from cloud_api.notifications.held import QuietHoursWatch
from cloud_api.notifications.models import Notification
from cloud_api.worker import running
from device_sims.fcm import FcmDouble
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant
from tests.services.waiting import until

pytestmark = IN_ONE_LOOP

PATH = "/api/v1/notifications/settings"
NIGHT = {"quiet_hours": {"from_time": "22:00", "until_time": "06:00"}}


class Standing:
    """A clock that stands where it is put."""

    now = datetime(2026, 3, 2, tzinfo=UTC)

    def put(self, text: str) -> None:
        """At this local time in Kolkata, where the organisation is."""
        self.now = datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.fixture
def standing() -> Standing:
    return Standing()


async def tell(farm: Platform, **more: Any) -> list[Notification]:
    """Everybody who may answer is told something."""
    words = {"title": "Warm", "message": "9.5 °C", "severity": "warning", "category": "quality", "subject": "x"}
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        return [*await service.notify(db, permission="alerts:ack", **{**words, **more})]


async def heard(person: Tenant) -> int:
    return len(await person.get("/api/v1/notifications"))


async def test_at_first_everything_may_come(farm: Platform) -> None:
    said = await farm.tenant.get(PATH)
    assert set(said["channels"]) == {"system", "order", "inventory", "payment", "delivery", "quality"}
    assert all(wanted for channels in said["channels"].values() for wanted in channels.values())
    assert (said["quiet_hours"], said["timezone"]) == (None, "")


async def test_what_is_sent_changes_and_the_rest_stays(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    await staff.put(PATH, {"channels": {"order": {"mail": False}, "quality": {"sms": False}}, **NIGHT})
    said = await staff.put(PATH, {"channels": {"order": {"mail": True}}, "timezone": "Europe/Berlin"})
    assert (said["channels"]["order"]["mail"], said["channels"]["quality"]["sms"]) == (True, False)
    assert said["quiet_hours"] == {"from_time": "22:00:00", "until_time": "06:00:00"}
    assert said["timezone"] == "Europe/Berlin"
    assert (await staff.put(PATH, {"quiet_hours": None}))["quiet_hours"] is None
    assert (await farm.tenant.get(PATH))["timezone"] == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channels": {"weather": {"push": False}}}, "channels.weather.[key]"),
        ({"channels": {"order": {"pigeon": False}}}, "channels.order.pigeon.[key]"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"quiet_hours": {"from_time": "22:00"}}, "quiet_hours.until_time"),
        ({"quiet_hours": {"from_time": "22:00", "until_time": "22:00"}}, "quiet_hours"),
        ({"quiet_hours": {"from_time": "25:00", "until_time": "06:00"}}, "quiet_hours.from_time"),
    ],
)
async def test_what_nobody_could_keep_to_is_refused_by_its_field(
    farm: Platform, body: dict[str, object], field: str
) -> None:
    answer = await farm.tenant.client.put(PATH, json=body)
    assert answer.status_code == 422
    assert field in [detail["field"] for detail in answer.json()["error"]["details"]]


async def test_a_muted_channel_is_left_out_and_who_muted_all_is_not_told(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    await staff.put(PATH, {"channels": {"quality": {"push": False}}})
    told = {str(one.user_id): one.channels for one in await tell(farm, channels=["push", "in_app", "mail"])}
    assert told[await id_of(staff)] == ["in_app", "mail"]
    assert told[await id_of(farm.tenant)] == ["in_app", "push", "mail"]
    await staff.put(PATH, {"channels": {"quality": {"in_app": False}}})
    assert len(await tell(farm, channels=["push", "in_app"])) == 1
    assert await heard(staff) == 1
    assert len(await tell(farm, category="order")) == 2


async def at_eleven(platform: Platform, double: FcmDouble, standing: Standing) -> None:
    """The administrator has a phone and quiet hours from ten to six; it is eleven at night from now on."""
    await platform.tenant.put(PATH, NIGHT)
    await platform.tenant.post("/api/v1/mobile/devices", {"registration": double.mint_phone().fid})
    standing.put("02T23:00")
    clock.use(lambda: standing.now)


async def pushed(platform: Platform, double: FcmDouble) -> list[str]:
    await platform.deliver()
    messages: list[Any] = [delivery.message for delivery in double.deliveries()]
    return [message["notification"]["title"] for message in messages]


async def test_what_may_wait_is_pushed_in_the_morning_once(
    pushing: Platform, double: FcmDouble, standing: Standing
) -> None:
    await at_eleven(pushing, double, standing)
    [held] = await tell(pushing)
    assert held.held_until == standing.now + timedelta(hours=7)
    watches = [QuietHoursWatch(pushing.database) for _ in range(2)]
    standing.put("03T05:59")
    await watches[0].release_due()
    assert await pushed(pushing, double) == []
    standing.put("03T06:00")
    await asyncio.gather(*(watch.release_due() for watch in watches))
    assert await pushed(pushing, double) == ["Warm"]
    await watches[0].release_due()
    assert await pushed(pushing, double) == ["Warm"]


async def test_what_is_urgent_and_what_makes_no_sound_waits_for_nothing(
    pushing: Platform, double: FcmDouble, standing: Standing
) -> None:
    await at_eleven(pushing, double, standing)
    await tell(pushing, title="Critical", urgent=True)
    await tell(pushing, title="Over", silent=True)
    await tell(pushing, title="By mail", channels=["in_app", "mail"])
    assert sorted(await pushed(pushing, double)) == ["Critical", "Over"]
    assert len(pushing.letterbox.mails) == 1
    clock.use(None)
    assert await heard(pushing.tenant) == 3


async def test_in_the_morning_only_the_newest_of_one_matter_is_pushed(
    pushing: Platform, double: FcmDouble, standing: Standing
) -> None:
    await at_eleven(pushing, double, standing)
    for title in ("Battery low", "Battery lower", "Door"):
        await tell(pushing, title=title, collapse_key="" if title == "Door" else "alert:7")
    standing.put("03T07:00")
    await QuietHoursWatch(pushing.database).release_due()
    assert sorted(await pushed(pushing, double)) == ["Battery lower", "Door"]


async def test_the_watch_works_by_itself(pushing: Platform, double: FcmDouble, standing: Standing) -> None:
    await at_eleven(pushing, double, standing)
    await tell(pushing)
    standing.put("03T07:00")

    async def arrived() -> bool:
        return await pushed(pushing, double) == ["Warm"]

    async with running(watch=QuietHoursWatch(pushing.database, poll_s=0.01).run()):
        await until(arrived, what="the push has arrived")
