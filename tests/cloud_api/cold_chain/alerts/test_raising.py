"""One matter is one alert: joined, counted, returned to, and over."""

import uuid
from datetime import timedelta

from cloud_api.cold_chain.alerts import service
from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.alerts.alarms import (
    LIST,
    Hands,
    a_room,
    alert_of,
    clear_in,
    happened,
    make_policy,
    raise_in,
    timeline,
    told,
)
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.moments import at_the_same_moment
from tests.factories.scopes import confine, id_of
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def test_a_rooms_sensors_raise_one_alert_and_one_telling(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    for subject in ("excursion:2", "excursion:3", "excursion:1"):
        assert await raise_in(farm, subject=subject) == alert_id
    assert (await alert_of(farm, alert_id)).count == 4
    assert len(await told(farm, alert_id)) == 1
    whole = await farm.tenant.get(f"{LIST}/{alert_id}")
    assert [member["subject"] for member in whole["members"]] == ["excursion:1", "excursion:2", "excursion:3"]
    assert await happened(farm, alert_id) == ["raised", "told", "joined", "joined"]


async def test_another_group_and_another_organisation_have_alerts_of_their_own(farm: Platform) -> None:
    stranger = await make_farm(farm)
    ids = {
        await raise_in(farm),
        await raise_in(farm, group="low:temperature:room"),
        await raise_in(farm, tenant=stranger),
    }
    assert len(ids) == 3
    assert len(await stranger.get(LIST)) == 1


async def test_two_batches_at_the_same_moment_raise_one_alert(farm: Platform) -> None:
    async def other(db: object) -> None:
        await service.raise_alert(db, subject="excursion:2", **same)  # type: ignore[arg-type]

    same = {
        "group": "high:temperature:race",
        "alert_type": "high_temp",
        "severity": "critical",
        "title": "Warm",
        "message": "9.5 °C",
        "location_id": None,
        "at": clock.now(),
    }
    async with at_the_same_moment(farm, farm.tenant, other) as db:
        alert = await service.raise_alert(db, subject="excursion:1", **same)  # type: ignore[arg-type]
    [listed] = await farm.tenant.get(LIST)
    assert (listed["id"], listed["count"]) == (str(alert.id), 2)
    assert len(await told(farm, str(alert.id))) == 1


async def test_a_warning_resolves_itself_when_the_last_of_it_is_over(farm: Platform) -> None:
    alert_id = await raise_in(farm, severity="warning")
    await raise_in(farm, severity="warning", subject="excursion:2")
    await clear_in(farm, "excursion:1")
    assert (await alert_of(farm, alert_id)).status == "open"
    await clear_in(farm, "excursion:2")
    over = await alert_of(farm, alert_id)
    assert (over.status, over.resolution, over.due_at) == ("resolved", "itself", None)
    assert await farm.tenant.get(LIST) == []
    await clear_in(farm, "excursion:2")
    assert (await happened(farm, alert_id))[-3:] == ["over", "over", "resolved"]


async def test_a_critical_one_waits_for_an_answer_and_tells_no_more(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await clear_in(farm)
    waits = await alert_of(farm, alert_id)
    assert (waits.status, waits.due_at) == ("open", None)
    answered = await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "The door was open"})
    assert (answered["status"], answered["resolution"]) == ("resolved", "itself")


async def test_an_answered_critical_one_ends_with_what_raised_it(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "On it"})
    await clear_in(farm)
    assert (await alert_of(farm, alert_id)).status == "resolved"


async def test_who_was_told_hears_without_a_sound_that_it_is_over(farm: Platform) -> None:
    staff = await make_person(farm, farm.tenant, "inventory_staff")
    policy_id = await make_policy(
        farm.tenant, {"to": {"kind": "user", "user_id": await id_of(staff)}, "channels": ["push", "mail", "in_app"]}
    )
    alert_id = await raise_in(farm, severity="warning", policy_id=policy_id)
    await clear_in(farm)
    first, over = await told(farm, alert_id)
    assert (first.is_superseded, over.silent, over.urgent) == (True, True, False)
    assert over.title == f"Over: {first.title}"
    assert (over.user_id, over.channels) == (first.user_id, first.channels)
    assert [row["title"] for row in await staff.get("/api/v1/notifications")] == [over.title]


async def test_what_comes_back_soon_is_the_same_alert_and_tells_nobody_anew(farm: Platform, hands: Hands) -> None:
    alert_id = await raise_in(farm, severity="warning")
    hands.move(minutes=5)
    await clear_in(farm)
    before = len(await told(farm, alert_id))
    hands.move(minutes=29)
    assert await raise_in(farm, severity="warning") == alert_id
    back = await alert_of(farm, alert_id)
    assert (back.status, back.returns, back.resolution, back.cleared_at) == ("open", 1, None, None)
    assert len(await told(farm, alert_id)) == before
    assert back.due_at is not None
    assert back.due_at > hands.now, "nobody was told now, but if it stays, somebody is"


async def test_what_comes_back_later_is_another_alert(farm: Platform, hands: Hands) -> None:
    alert_id = await raise_in(farm, severity="warning")
    await clear_in(farm)
    hands.move(minutes=31)
    again = await raise_in(farm, severity="warning")
    assert again != alert_id
    assert len(await told(farm, again)) == 1


async def test_what_comes_and_goes_is_told_once_as_that(farm: Platform, hands: Hands) -> None:
    alert_id = await raise_in(farm, severity="warning")
    for _ in range(5):
        await clear_in(farm)
        hands.move(minutes=2)
        assert await raise_in(farm, severity="warning") == alert_id
    flapping = [one for one in await told(farm, alert_id) if "comes and goes" in one.title]
    assert len(flapping) == 1
    assert (await alert_of(farm, alert_id)).returns == 5


async def test_what_somebody_resolved_and_comes_back_is_told_anew(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await farm.tenant.post(f"{LIST}/{alert_id}/resolve", {"note": "Sensor fell into the sink"})
    again = await raise_in(farm, subject="excursion:2")
    assert again != alert_id
    assert len(await told(farm, again)) == 1


async def test_a_critical_one_that_comes_back_long_after_it_was_over_is_told_from_the_start(
    farm: Platform, hands: Hands
) -> None:
    alert_id = await raise_in(farm)
    await clear_in(farm)
    hands.move(hours=2)
    assert await raise_in(farm) == alert_id
    assert [one.urgent for one in await told(farm, alert_id)] == [True, False, True]


async def test_what_becomes_critical_is_told_again_whoever_answered_before(farm: Platform) -> None:
    alert_id = await raise_in(farm, severity="warning")
    await farm.tenant.post(f"{LIST}/{alert_id}/ack", {})
    assert await raise_in(farm, severity="critical", subject="excursion:2") == alert_id
    worse = await alert_of(farm, alert_id)
    assert (worse.status, worse.severity, worse.acknowledged_at) == ("open", "critical", None)
    assert [one.severity for one in await told(farm, alert_id)] == ["warning", "error"]
    await raise_in(farm, severity="warning", subject="excursion:3")
    assert (await alert_of(farm, alert_id)).severity == "critical"


async def test_readings_that_come_late_move_nothing_back(farm: Platform, hands: Hands) -> None:
    alert_id = await raise_in(farm)
    await raise_in(farm, subject="excursion:2", at=hands.now - timedelta(days=2))
    alert = await alert_of(farm, alert_id)
    assert (alert.first_at, alert.last_at) == (hands.now, hands.now)


async def test_nobody_is_told_of_a_place_that_they_may_not_see(farm: Platform) -> None:
    inside, outside = [await make_person(farm, farm.tenant, "warehouse_manager") for _ in range(2)]
    room_id = await a_room(farm)
    room = await farm.tenant.get(f"/api/v1/warehouse/storage/locations/{room_id}")
    await confine(farm.tenant, inside, room["warehouse_id"])
    await confine(farm.tenant, outside, await make_warehouse(farm.tenant))
    alert_id = await raise_in(farm, location_id=room_id)
    heard = {str(one.user_id) for one in await told(farm, alert_id)}
    assert heard == {await id_of(farm.tenant), await id_of(inside)}
    [event] = await timeline(farm, alert_id, "told")
    assert event.detail["step"] == 0


async def test_acknowledging_what_raised_it_answers_the_alert_once(farm: Platform) -> None:
    alert_id, me = await raise_in(farm), uuid.UUID(await id_of(farm.tenant))
    for subject in ("excursion:1", "excursion:1", "excursion:9"):
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await service.acknowledge_subject(db, subject=subject, user_id=me, comment="")
    answered = await alert_of(farm, alert_id)
    assert (answered.status, answered.acknowledged_by, answered.due_at) == ("acknowledged", me, None)
    assert len(await timeline(farm, alert_id, "acknowledged")) == 1
