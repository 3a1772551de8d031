"""People answer: acknowledge, put off, resolve, write and read; and see only what they may."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cloud_api.kernel import clock
from cloud_api.kernel.outbox import OutboxEvent
from tests.cloud_api.cold_chain.alerts.alarms import (
    LIST,
    Hands,
    a_room,
    alert_of,
    clear_in,
    happened,
    raise_in,
    timeline,
    told,
)
from tests.factories.farms import make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import asked, id_of, make_keeper
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def refusal(person: Tenant, path: str, body: object) -> tuple[int, list[str], str]:
    """(status, fields, message) of what a person hears."""
    answer = await person.client.post(path, json=body)
    error = answer.json()["error"]
    return answer.status_code, [detail["field"] for detail in error["details"]], error["message"]


async def test_an_answer_stops_the_telling_and_says_who_when_and_why(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    answered = await staff.post(f"{LIST}/{alert_id}/ack", {"comment": "Closing the door"})
    assert (answered["status"], answered["due_at"]) == ("acknowledged", None)
    assert answered["acknowledged_by"] == await id_of(staff)
    last = answered["timeline"][-1]
    assert (last["kind"], last["note"], last["user_id"]) == ("acknowledged", "Closing the door", await id_of(staff))
    again = await refusal(farm.tenant, f"{LIST}/{alert_id}/ack", {"comment": "Me too"})
    assert again[:2] == (409, ["status"])


async def test_the_rooms_above_hear_who_answered_for_what(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await raise_in(farm, subject="sensor:7:silent")
    await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "On it"})
    its = select(OutboxEvent.payload).where(OutboxEvent.type == "AlertAcknowledged")
    async with farm.database.unit_of_work(farm.tenant.organization, read_only=True) as db:
        [payload] = await db.scalars(its)
    assert payload == {
        "alert_id": alert_id,
        "subjects": ["excursion:1", "sensor:7:silent"],
        "user_id": await id_of(farm.tenant),
        "comment": "On it",
    }


@pytest.mark.parametrize("comment", ["", "   "])
async def test_a_critical_alert_is_not_answered_without_a_word(farm: Platform, comment: str) -> None:
    alert_id = await raise_in(farm)
    status, fields, message = await refusal(farm.tenant, f"{LIST}/{alert_id}/ack", {"comment": comment})
    assert (status, fields) == (422, ["comment"])
    assert "say in `comment` what you do" in message
    warning = await raise_in(farm, group="other", severity="warning")
    assert (await farm.tenant.post(f"{LIST}/{warning}/ack"))["status"] == "acknowledged"


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=-1), timedelta(days=7, seconds=1)])
async def test_nothing_is_put_off_into_the_past_or_beyond_a_week(
    farm: Platform, hands: Hands, ahead: timedelta
) -> None:
    alert_id = await raise_in(farm)
    until = (hands.now + ahead).isoformat()
    status, fields, message = await refusal(farm.tenant, f"{LIST}/{alert_id}/snooze", {"until": until})
    assert (status, fields) == (422, ["until"])
    assert "at most 7 days ahead" in message
    assert (await alert_of(farm, alert_id)).status == "open"


async def test_what_is_put_off_can_be_put_off_again_answered_or_resolved(farm: Platform, hands: Hands) -> None:
    alert_id = await raise_in(farm)
    for hours in (1, 5):
        until = hands.now + timedelta(hours=hours)
        put_off = await farm.tenant.post(f"{LIST}/{alert_id}/snooze", {"until": until.isoformat(), "comment": "Soon"})
        assert put_off["status"] == "snoozed"
        assert (await alert_of(farm, alert_id)).due_at == until
    assert (await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "Now"}))["snoozed_until"] is None
    assert (await farm.tenant.post(f"{LIST}/{alert_id}/resolve", {"note": "Done"}))["status"] == "resolved"
    assert (await refusal(farm.tenant, f"{LIST}/{alert_id}/snooze", {"until": until.isoformat()}))[0] == 409


async def test_who_resolves_says_why_and_the_others_hear_it(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    alert_id = await raise_in(farm)
    assert (await refusal(farm.tenant, f"{LIST}/{alert_id}/resolve", {"note": " "}))[:2] == (422, ["note"])
    resolved = await staff.post(f"{LIST}/{alert_id}/resolve", {"note": "Calibrating"})
    assert (resolved["resolution"], resolved["resolved_by"]) == ("person", await id_of(staff))
    assert [member["until"] is None for member in resolved["members"]] == [False]
    over = [one for one in await told(farm, alert_id) if one.silent]
    assert [(str(one.user_id), one.message) for one in over] == [(await id_of(farm.tenant), "Resolved: Calibrating")]
    await clear_in(farm)
    assert (await happened(farm, alert_id))[-1] == "resolved"


async def test_notes_stand_in_the_timeline_resolved_or_not(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await farm.tenant.post(f"{LIST}/{alert_id}/notes", {"note": "Compressor is loud"})
    await farm.tenant.post(f"{LIST}/{alert_id}/resolve", {"note": "Done"})
    whole = await farm.tenant.post(f"{LIST}/{alert_id}/notes", {"note": "Ordered a bearing"})
    assert [line["note"] for line in whole["timeline"] if line["kind"] == "noted"] == [
        "Compressor is loud",
        "Ordered a bearing",
    ]
    events = await timeline(farm, alert_id, "noted")
    assert {event.user_id for event in events} == {uuid.UUID(await id_of(farm.tenant))}


async def test_reading_is_each_persons_own(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    alert_id = await raise_in(farm)
    for _ in range(2):
        assert (await staff.put(f"{LIST}/{alert_id}/read", None))["is_read"] is True
    for person, expected in ((staff, True), (farm.tenant, False)):
        assert [row["is_read"] for row in await person.get(LIST)] == [expected]
        assert (await person.get(f"{LIST}/{alert_id}"))["is_read"] is expected


async def ids(person: Tenant, **query: Any) -> set[str]:
    return {row["id"] for row in await person.get(LIST, **query)}


async def test_the_list_is_what_is_not_resolved_unless_asked_otherwise(farm: Platform, hands: Hands) -> None:
    room_id = await a_room(farm)
    critical = await raise_in(farm, location_id=room_id)
    hands.move(minutes=10)
    silent = await raise_in(farm, group="silent", severity="warning", alert_type="sensor_failure")
    done = await raise_in(farm, group="done", severity="info", subject="x")
    await farm.tenant.post(f"{LIST}/{done}/resolve", {"note": "ok"})
    await farm.tenant.post(f"{LIST}/{silent}/ack")
    me = farm.tenant
    assert await ids(me) == {critical, silent}
    assert await ids(me, status="resolved") == {done}
    assert await ids(me, status=["open", "resolved"]) == {critical, done}
    assert await ids(me, severity="critical") == {critical}
    assert await ids(me, alert_type="sensor_failure") == {silent}
    assert await ids(me, location_id=room_id) == await ids(me, subject="excursion:1", severity="critical") == {critical}
    assert await ids(me, subject="excursion:9") == set()
    assert await ids(me, since=hands.now.isoformat()) == {silent}
    refused = await me.client.get(LIST, params={"status": "over"})
    assert refused.status_code == 422


async def test_who_is_confined_to_other_warehouses_sees_no_alert_of_this_one(farm: Platform) -> None:
    of_room, of_none = await raise_in(farm, location_id=await a_room(farm)), await raise_in(farm, group="none")
    keeper = await make_keeper(farm, await make_warehouse(farm.tenant))
    assert await ids(keeper) == {of_none}
    assert (await keeper.client.get(f"{LIST}/{of_room}")).status_code == 404
    acknowledged = await keeper.client.post(f"{LIST}/{of_room}/ack", json={"comment": "x"})
    assert acknowledged.status_code == 404


async def test_a_list_costs_the_same_whatever_its_length(farm: Platform) -> None:
    await raise_in(farm)
    short = await asked(farm, farm.tenant, LIST)
    for number in range(5):
        await raise_in(farm, group=f"group {number}", subject=f"excursion:{number}")
    assert await asked(farm, farm.tenant, LIST) == short <= 6


async def test_whoever_watches_alerts_is_woken_by_each_change(farm: Platform) -> None:
    heard: list[str] = []
    farm.database.on_announced = heard.extend
    alert_id = await raise_in(farm)
    for path, body in (
        ("notes", {"note": "x"}),
        ("snooze", {"until": (clock.now() + timedelta(hours=1)).isoformat()}),
        ("ack", {"comment": "x"}),
        ("resolve", {"note": "x"}),
    ):
        await farm.tenant.post(f"{LIST}/{alert_id}/{path}", body)
    organization_id = farm.tenant.organization.organization_id
    alerts = [topic for topic in heard if topic.startswith("alerts:")]
    assert alerts == [f"alerts:{organization_id}:{organization_id}"] * 5
    farm.database.on_announced = lambda _topics: None
