"""From open to closed: who may do what when, what becomes of the goods, and what no later change can touch."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.excursions import incidents, service
from cloud_api.telemetry.stores.sql import SqlStore
from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, listed, mend, the_only
from tests.factories.batches import EIGHT_OCLOCK_MS
from tests.factories.farms import make_farm, make_person, plant_gateway, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.moments import at_the_same_moment
from tests.factories.stores import ColdStore, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

CLOSE = {"disposition": "release", "note": "measured the cores: fine"}


async def act(person: Tenant, excursion: Any, action: str) -> tuple[int, str]:
    body = CLOSE if action == "close" else {"note": "on my way"}
    answer = await person.client.post(f"/api/v1/excursions/{excursion['id']}/{action}", json=body)
    return answer.status_code, answer.json()["data"]["status"] if answer.is_success else answer.json()["error"][
        "message"
    ]


async def lots(store: ColdStore) -> dict[str, str]:
    numbers = {lot["id"]: lot["lot_number"] for lot in await store.tenant.get("/api/v1/warehouse/batches")}
    levels = await store.tenant.get("/api/v1/warehouse/stock/levels")
    return {numbers[level["lot_id"]]: level["status"] for level in levels}


@pytest.mark.parametrize(
    ("reached_by", "ack", "close"),
    [
        ((), (200, "acknowledged"), (409, "possible now: acknowledge, recover")),
        (("ack",), (409, "possible now: close, recover"), (200, "closed")),
        (("mend",), (409, "possible now: close"), (200, "closed")),
        (("ack", "mend"), (409, "possible now: close"), (200, "closed")),
        (("ack", "close"), (409, "nothing more"), (409, "nothing more")),
        (("mend", "close"), (409, "nothing more"), (409, "nothing more")),
    ],
)
async def test_each_action_is_done_or_refused_with_what_is_possible(
    farm: Platform, store: ColdStore, reached_by: tuple[str, ...], ack: tuple[int, str], close: tuple[int, str]
) -> None:
    await judge_at_once(store)
    for sequence, action, (status, words) in ((1, "ack", ack), (11, "close", close)):
        other = await plant_another_sensor(farm, store)
        excursion = await break_the_limit(farm, other, sequence=sequence)
        for step in reached_by:
            if step == "mend":
                await mend(farm, other, sequence=sequence + 1)
            else:
                assert (await act(store.tenant, excursion, step))[0] == 200
        answered, said = await act(store.tenant, excursion, action)
        assert (answered, words in said) == (status, True), said


async def plant_another_sensor(farm: Platform, store: ColdStore) -> ColdStore:
    """The store with a new gateway, whose sensor stands in the same room."""
    gateway_id, token = await plant_gateway(farm, store.tenant)
    sensor_id = await plant_sensor(farm, store.tenant, gateway_id, location_id=store.room_id)
    return replace(store, gateway_id=gateway_id, gateway_token=token, sensor_id=sensor_id)


async def test_an_excursion_from_its_first_reading_to_the_decision(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await receive(store)
    excursion = await break_the_limit(farm, store)
    assert (excursion["status"], excursion["started_at"][:16]) == ("open", "2026-01-31T08:01")
    assert (excursion["ended_at"], excursion["acknowledged_at"], excursion["closed_at"]) == (None, None, None)
    assert await act(store.tenant, excursion, "ack") == (200, "acknowledged")
    await mend(farm, store)
    recovered = await the_only(store)
    assert (recovered["status"], recovered["ended_at"][:16], recovered["acknowledgement"]) == (
        "recovered",
        "2026-01-31T08:02",
        "on my way",
    )
    assert await lots(store) == {"LOT-1": "on_hold"}
    assert await act(store.tenant, excursion, "close") == (200, "closed")
    closed = await the_only(store)
    assert (closed["disposition"], closed["note"]) == ("release", CLOSE["note"])
    assert closed["acknowledgement"] == "on my way"
    assert None not in (closed["acknowledged_at"], closed["closed_at"], closed["ended_at"])
    assert await lots(store) == {"LOT-1": "available"}


@pytest.mark.parametrize("disposition", ["release", "quarantine", "downgrade", "waste"])
async def test_only_a_release_frees_what_was_held_and_what_arrives_later_is_free(
    farm: Platform, store: ColdStore, disposition: str
) -> None:
    await judge_at_once(store)
    await receive(store, lot="WARM")
    excursion = await break_the_limit(farm, store)
    await act(store.tenant, excursion, "ack")
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/close", {**CLOSE, "disposition": disposition})
    await receive(store, lot="FRESH")
    warm = "available" if disposition == "release" else "on_hold"
    assert await lots(store) == {"WARM": warm, "FRESH": "available"}


async def test_a_decision_is_one_of_four_and_says_why(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)
    await act(store.tenant, excursion, "ack")
    for body in ({}, {"disposition": "release"}, {**CLOSE, "note": " "}, {**CLOSE, "disposition": "eat"}):
        answer = await store.tenant.client.post(f"/api/v1/excursions/{excursion['id']}/close", json=body)
        assert (answer.status_code, (await the_only(store))["status"]) == (422, "acknowledged")


async def test_a_breach_without_end_can_be_closed_once_somebody_is_on_it(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)
    await act(store.tenant, excursion, "ack")
    await act(store.tenant, excursion, "close")
    closed = await the_only(store)
    assert (closed["status"], closed["ended_at"]) == ("closed", None)
    await break_the_limit(farm, store, sequence=2, value=20.0)
    assert await the_only(store) == closed
    await mend(farm, store, sequence=3)
    assert await the_only(store) == closed
    await break_the_limit(farm, store, sequence=4)
    assert [row["status"] for row in await listed(store)] == ["closed", "open"]


async def test_what_arrives_while_the_room_is_too_warm_is_held_and_after_that_not(
    farm: Platform, store: ColdStore
) -> None:
    await judge_at_once(store)
    await receive(store, lot="BEFORE")
    await break_the_limit(farm, store)
    await receive(store, lot="DURING")
    await mend(farm, store)
    await receive(store, lot="AFTER")
    assert await lots(store) == {"BEFORE": "on_hold", "DURING": "on_hold", "AFTER": "available"}


async def test_goods_under_two_excursions_are_free_when_both_are_released(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await receive(store)
    beside = await plant_another_sensor(farm, store)
    first, second = await break_the_limit(farm, store), await break_the_limit(farm, beside, sequence=2)
    assert first["id"] != second["id"]
    for excursion, status in ((first, "on_hold"), (second, "available")):
        await act(store.tenant, excursion, "ack")
        await act(store.tenant, excursion, "close")
        assert await lots(store) == {"LOT-1": status}


async def test_an_excursion_keeps_the_limit_it_was_opened_with(farm: Platform, store: ColdStore) -> None:
    rule = await judge_at_once(store, severity="warning")
    before = await break_the_limit(farm, store)
    change = {"set_at": 12.0, "clear_at": 11.5, "severity": "info", "duration_s": 60}
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", change)
    assert await the_only(store) == before
    assert (before["set_at"], before["clear_at"], before["severity"]) == (8.0, 7.0, "warning")


async def test_one_excursion_of_a_kind_goes_on_at_a_sensor(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    for sequence in range(1, 4):
        await break_the_limit(farm, store, sequence=sequence, value=8.0 + sequence)
    assert (await the_only(store))["peak_value"] == 11.0
    await mend(farm, store, sequence=4)
    await break_the_limit(farm, store, sequence=5)
    assert [row["status"] for row in await listed(store)] == ["recovered", "open"]
    assert len({row["number"] for row in await listed(store)}) == 2


async def test_an_acknowledgement_and_the_recovery_at_the_same_moment_both_count(
    farm: Platform, store: ColdStore
) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)

    async def recover(db: AsyncSession) -> None:
        [its] = await incidents.excursions_of(db, [uuid.UUID(excursion["sensor_id"])])
        await incidents.recover(db, its, ended_at_ms=EIGHT_OCLOCK_MS + 120_000, peak=None, store=SqlStore())

    async with at_the_same_moment(farm, store.tenant, recover) as db:
        await service.acknowledge_excursion(db, uuid.UUID(excursion["id"]), user_id=uuid.uuid4(), note="on my way")
    after = await the_only(store)
    assert (after["status"], after["acknowledgement"]) == ("recovered", "on my way")
    assert None not in (after["acknowledged_at"], after["ended_at"])


async def test_who_may_look_acknowledge_and_decide(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)
    viewer, staff = [await make_person(farm, store.tenant, role) for role in ("viewer", "inventory_staff")]
    stranger = await make_farm(farm)
    assert (await act(viewer, excursion, "ack"))[0] == 403
    assert (await act(stranger, excursion, "ack"))[0] == 404
    assert (await act(staff, excursion, "ack"))[0] == 200
    assert (await act(staff, excursion, "close"))[0] == 403
    assert (await viewer.get(f"/api/v1/excursions/{excursion['id']}"))["status"] == "acknowledged"
    assert await stranger.get("/api/v1/excursions") == []
