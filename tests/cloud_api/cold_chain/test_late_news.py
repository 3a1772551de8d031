"""What readings that come late do to excursions that people have seen already."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from cloud_api.cold_chain.judging.models import RuleState
from tests.cloud_api.cold_chain.excursions import MINUTE_MS, breaches_of, judge_at_once, listed, the_only
from tests.factories.batches import EIGHT_OCLOCK_MS, make_epoch, make_reading, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def tell(farm: Platform, store: ColdStore, *readings: tuple[float, float]) -> None:
    """(minutes after eight, value), in a spool of their own."""
    rows = [
        make_reading(sequence, value, EIGHT_OCLOCK_MS + round(minute * MINUTE_MS))
        for sequence, (minute, value) in enumerate(readings, start=1)
    ]
    await send(farm, store, rows, epoch=make_epoch())


async def held(store: ColdStore) -> list[str]:
    return [level["status"] for level in await store.tenant.get("/api/v1/warehouse/stock/levels")]


async def every(store: ColdStore) -> list[Any]:
    found: list[Any] = await store.tenant.get("/api/v1/excursions", retracted=True)
    return found


async def test_a_breach_that_never_was_is_taken_back_and_its_goods_are_free(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=600)
    await receive(store)
    await tell(farm, store, (0, 9.0), (11, 9.0))
    assert (len(await listed(store)), await held(store)) == (1, ["on_hold"])
    await tell(farm, store, (5, 4.0))
    assert (await listed(store), await held(store)) == ([], ["available"])
    [taken_back] = await every(store)
    assert (taken_back["status"], taken_back["disposition"]) == ("closed", "release")
    assert taken_back["retracted_at"] is not None
    assert "taken back" in taken_back["note"]


async def test_what_somebody_answered_for_stays_for_a_person_to_decide(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=600)
    await receive(store)
    await tell(farm, store, (0, 9.0), (11, 9.0))
    excursion = await the_only(store)
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/ack", {"note": "on my way"})
    await tell(farm, store, (5, 4.0))
    [marked] = await every(store)
    assert (marked["status"], await held(store)) == ("recovered", ["on_hold"])
    assert marked["acknowledgement"].startswith("on my way")
    assert "taken back" in marked["acknowledgement"]
    close = {"disposition": "release", "note": "it never was"}
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/close", close)
    assert await held(store) == ["available"]


async def test_what_was_taken_back_and_is_proved_again_is_opened_again(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=120)
    await tell(farm, store, (0, 9.0), (3, 9.0))
    await tell(farm, store, (1, 4.0))
    assert await listed(store) == []
    await tell(farm, store, (5, 9.0))
    assert await breaches_of(farm, store, store.sensor_id) == [("high", 3 * MINUTE_MS, 5 * MINUTE_MS, None, 9.0)]
    assert len(await every(store)) == 2


async def test_an_earlier_beginning_and_a_worse_value_are_written_into_the_excursion(
    farm: Platform, store: ColdStore
) -> None:
    await make_rule(store, duration_s=120)
    await tell(farm, store, (0, 4.0), (5, 9.0), (7, 9.0))
    before = await the_only(store)
    await tell(farm, store, (3, 9.0), (6, 14.0))
    after = await the_only(store)
    assert (after["id"], after["number"]) == (before["id"], before["number"])
    assert await breaches_of(farm, store, store.sensor_id) == [("high", 3 * MINUTE_MS, 5 * MINUTE_MS, None, 14.0)]
    assert after["incident"] != before["incident"]


async def test_one_breach_that_was_two_becomes_two(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await tell(farm, store, (0, 9.0), (10, 12.0))
    first = await the_only(store)
    await tell(farm, store, (5, 4.0))
    rows = await listed(store)
    assert {(row["status"], row["peak_value"]) for row in rows} == {("recovered", 9.0), ("open", 12.0)}
    assert first["id"] in {row["id"] for row in rows}


async def test_what_was_decided_is_not_touched_by_late_news(farm: Platform, store: ColdStore) -> None:
    await make_rule(store, duration_s=600)
    await tell(farm, store, (0, 9.0), (11, 9.0), (12, 4.0))
    excursion = await the_only(store)
    close = {"disposition": "waste", "note": "too warm"}
    await store.tenant.post(f"/api/v1/excursions/{excursion['id']}/close", close)
    closed = await the_only(store)
    await tell(farm, store, (5, 4.0))
    assert await the_only(store) == closed


async def test_a_stricter_rule_rewrites_nothing_of_what_the_milder_one_decided(
    farm: Platform, store: ColdStore
) -> None:
    rule = await judge_at_once(store)
    await tell(farm, store, (0, 9.0), (10, 6.5))
    before = await the_only(store)
    await store.tenant.put(f"/api/v1/alerts/rules/{rule['id']}", {"set_at": 12.0, "clear_at": 11.0})
    await tell(farm, store, (5, 9.5), (3, 13.0))
    assert await the_only(store) == before


@pytest.mark.parametrize("minute", [0.0, 5.0])
async def test_a_sensor_that_is_well_keeps_nothing(farm: Platform, store: ColdStore, minute: float) -> None:
    await make_rule(store, duration_s=600)
    await tell(farm, store, (1, 9.0))
    await tell(farm, store, (minute, 4.0), (6, 4.0))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        its = select(func.count(RuleState.id)).where(RuleState.sensor_id == uuid.UUID(store.sensor_id))
        assert await db.scalar(its) == 0
