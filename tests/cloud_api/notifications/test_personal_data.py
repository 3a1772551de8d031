"""What this room holds about a person is told to them whole, and goes when they go."""

import uuid
from typing import Any

from sqlalchemy import func, select

from cloud_api.identity.people.models import User
from cloud_api.notifications import service
from cloud_api.notifications.models import Notification, NotificationSettings, OnCallMember, Phone
from cloud_api.notifications.personal_data import PERSONAL_DATA
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

SHIFT = {"weekdays": [5, 6], "from_time": "22:00", "until_time": "06:00"}


async def test_a_person_is_told_all_of_it_and_then_it_is_gone_with_nothing_of_others(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    staff_id, me = await id_of(staff), await id_of(farm.tenant)
    for person in (staff, farm.tenant):
        await person.put("/api/v1/notifications/settings", {"timezone": "Asia/Kolkata"})
        await person.post("/api/v1/mobile/devices", {"registration": f"registration-{uuid.uuid4()}"})
    members = [{"user_id": me}, {"user_id": staff_id, "shifts": [SHIFT]}]
    await farm.tenant.post("/api/v1/notifications/on-call-lists", {"name": "Nights", "members": members})
    words: dict[str, Any] = {
        "title": "Warm",
        "message": "9.5 °C",
        "severity": "warning",
        "category": "quality",
        "subject": "x",
    }
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        await service.notify(db, permission="alerts:ack", **words)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        user = await db.get_one(User, uuid.UUID(staff_id))
        told: Any = await PERSONAL_DATA.tell(db, user)
        await PERSONAL_DATA.erase(db, user)
    assert told["settings"]["timezone"] == "Asia/Kolkata"
    assert [duty["shifts"][0]["weekdays"] for duty in told["on_call"]] == [[5, 6]]
    assert (len(told["phones"]), [message["title"] for message in told["messages"]]) == (1, ["Warm"])
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        for model in (Phone, Notification, NotificationSettings, OnCallMember):
            assert (await db.scalars(select(model.user_id))).all() == [uuid.UUID(me)], model
        assert await db.scalar(select(func.count()).select_from(OnCallMember)) == 1
