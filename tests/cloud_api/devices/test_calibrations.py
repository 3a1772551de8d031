"""Raw values are kept; how they are corrected is known for every moment, and when it must be done again."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cloud_api.devices.events import CalibrationDue, SensorPlaced
from cloud_api.devices.sensors.calibrations import due_calibrations, tell_due_calibrations
from cloud_api.kernel import clock
from tests.cloud_api.devices.boxes import path_of
from tests.cloud_api.devices.things import emitted, facts_version, known
from tests.factories.batches import EIGHT_OCLOCK_MS
from tests.factories.farms import make_person, plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore, make_cold_store, make_room, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


def path(store: ColdStore, rest: str = "") -> str:
    return f"/api/v1/edge/sensors/{store.sensor_id}{rest}"


def iso(at_ms: int) -> str:
    return clock.from_ms(at_ms).isoformat()


async def calibrate(store: ColdStore, **fields: object) -> Any:
    return await store.tenant.post(path(store, "/calibrations"), fields)


async def history_of(store: ColdStore) -> list[tuple[float, float, bool]]:
    """(gain, offset, whether it begins before all time), the latest first."""
    rows = await store.tenant.get(path(store, "/calibrations"))
    return [(row["gain"], row["offset"], row["in_force_from"] is None) for row in rows]


async def test_a_sensor_nobody_has_calibrated_says_what_it_measures(farm: Platform, store: ColdStore) -> None:
    assert await history_of(store) == [(1.0, 0.0, True)]


async def test_a_calibration_holds_from_its_moment_on(farm: Platform, store: ColdStore) -> None:
    certified = {"certificate": "NABL-2026-0117", "reference": "Fluke 1524", "due_on": "2027-01-31"}
    made = await calibrate(store, gain=1.02, offset=-0.3, in_force_from=iso(EIGHT_OCLOCK_MS), **certified)
    assert {name: made[name] for name in certified} == certified
    assert made["recorded_by"] == await id_of(store.tenant)
    assert await history_of(store) == [(1.02, -0.3, False), (1.0, 0.0, True)]
    sensor = await known(farm, store)
    before, since = sensor.correction_at(EIGHT_OCLOCK_MS - 1), sensor.correction_at(EIGHT_OCLOCK_MS)
    assert [(one.gain, one.offset) for one in (before, since)] == [(1.0, 0.0), (1.02, -0.3)]
    shown = await store.tenant.get(path(store))
    assert (shown["gain"], shown["offset"]) == (1.02, -0.3)


async def test_one_that_is_told_of_late_changes_what_lies_between(farm: Platform, store: ColdStore) -> None:
    await calibrate(store, offset=2.0)
    await calibrate(store, offset=1.0, in_force_from=iso(EIGHT_OCLOCK_MS))
    assert await history_of(store) == [(1.0, 2.0, False), (1.0, 1.0, False), (1.0, 0.0, True)]
    assert (await store.tenant.get(path(store)))["offset"] == 2.0


async def test_the_same_again_changes_nothing_and_a_slip_is_written_anew(farm: Platform, store: ColdStore) -> None:
    when = iso(EIGHT_OCLOCK_MS)
    first = await calibrate(store, offset=1.0, in_force_from=when)
    counted, told = await facts_version(farm, store), len(await emitted(farm, store, SensorPlaced))
    again = await calibrate(store, offset=1.0, in_force_from=when)
    assert (again, await facts_version(farm, store)) == (first, counted)
    put_right = await calibrate(store, offset=0.1, in_force_from=when, note="not 1.0")
    assert (put_right["id"], await facts_version(farm, store)) == (first["id"], counted + 1)
    assert len(await emitted(farm, store, SensorPlaced)) == told + 1
    assert await history_of(store) == [(1.0, 0.1, False), (1.0, 0.0, True)]
    [entry, *_] = await store.tenant.get("/api/v1/admin/security/audit-logs", entity_id=first["id"])
    assert entry["old"]["offset"] == 1.0


async def test_another_offset_of_a_sensor_is_a_calibration_and_does_not_put_off_the_next(
    farm: Platform, store: ColdStore
) -> None:
    await calibrate(store, gain=1.02, certificate="A1", due_on="2026-03-01", in_force_from=iso(EIGHT_OCLOCK_MS))
    changed = await store.tenant.put(path(store), {"offset": 0.5})
    assert (changed["gain"], changed["offset"]) == (1.02, 0.5)
    [latest, *_] = await store.tenant.get(path(store, "/calibrations"))
    assert (latest["offset"], latest["certificate"], latest["due_on"]) == (0.5, "", "2026-03-01")


async def test_a_sensor_registered_with_an_offset_has_always_had_it(farm: Platform, store: ColdStore) -> None:
    sensor_id = await plant_sensor(
        farm, store.tenant, store.gateway_id, location_id=store.room_id, code="z2m:other", offset=-1.5
    )
    await store.tenant.post(f"/api/v1/edge/sensors/{sensor_id}/calibrations", {"offset": -1.0})
    sensor = await known(farm, store, sensor_id)
    assert [correction.offset for correction in sensor.corrections] == [-1.5, -1.0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"gain": 0}, "gain"),
        ({"gain": -1.0}, "gain"),
        ({"gain": 1e9}, "gain"),
        ({"offset": "1"}, "offset"),
        ({"in_force_from": "2999-01-01T00:00:00Z"}, "in_force_from"),
        ({"in_force_from": "1900-01-01T00:00:00Z"}, "in_force_from"),
        ({"due_on": 20260101}, "due_on"),
    ],
)
async def test_a_calibration_that_cannot_be_is_refused(
    farm: Platform, store: ColdStore, body: dict[str, object], field: str
) -> None:
    answer = await store.tenant.client.post(path(store, "/calibrations"), json=body)
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert await history_of(store) == [(1.0, 0.0, True)]


async def test_who_may_only_look_records_nothing(farm: Platform, store: ColdStore) -> None:
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert len(await viewer.get(path(store, "/calibrations"))) == 1
    assert (await viewer.client.post(path(store, "/calibrations"), json={"offset": 1.0})).status_code == 403


async def due_within(store: ColdStore, days: int) -> list[tuple[str, int]]:
    rows = await store.tenant.get("/api/v1/edge/calibrations/due", within_days=days)
    return [(row["sensor"]["id"], row["overdue_days"]) for row in rows]


async def test_what_is_due_is_listed_until_it_is_done_again(farm: Platform, store: ColdStore) -> None:
    now = datetime(2026, 2, 1, 12, tzinfo=UTC)
    clock.use(lambda: now)
    await calibrate(store, due_on="2026-02-11", in_force_from=iso(EIGHT_OCLOCK_MS))
    assert [await due_within(store, days) for days in (9, 10)] == [[], [(store.sensor_id, -10)]]
    room_id = await make_room(store.tenant, store.warehouse_id)
    for place, found in ((store.room_id, 1), (room_id, 0)):
        rows = await store.tenant.get("/api/v1/edge/calibrations/due", within_days=10, location_id=place)
        assert len(rows) == found
    other = await plant_sensor(farm, store.tenant, store.gateway_id, location_id=None, code="z2m:other")
    overdue = {"due_on": "2026-01-30", "in_force_from": iso(EIGHT_OCLOCK_MS)}
    await store.tenant.post(f"/api/v1/edge/sensors/{other}/calibrations", overdue)
    assert await due_within(store, 30) == [(other, 2), (store.sensor_id, -10)]
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        [due] = await due_calibrations(db, date(2026, 2, 1))
    assert (str(due.sensor.id), due.calibration.due_on) == (other, date(2026, 1, 30))
    await calibrate(store, due_on="2027-02-11")
    await store.tenant.client.delete(f"/api/v1/edge/sensors/{other}")
    assert await due_within(store, 30) == []


async def tell(farm: Platform, now: datetime) -> None:
    await tell_due_calibrations(farm.database, now)


async def test_a_due_calibration_is_told_of_once_for_each_due_date(farm: Platform, store: ColdStore) -> None:
    await calibrate(store, due_on="2026-02-11", in_force_from=iso(EIGHT_OCLOCK_MS))
    await store.tenant.put(path(store), {"offset": 0.1})
    day_before = datetime(2026, 2, 10, 23, 59, tzinfo=UTC)
    for now, count in ((day_before, 0), *[(day_before + timedelta(minutes=step), 1) for step in (1, 2, 3000)]):
        await tell(farm, now)
        assert len(await emitted(farm, store, CalibrationDue)) == count, now
    [event] = await emitted(farm, store, CalibrationDue)
    assert (event["sensor_id"], event["due_on"]) == (store.sensor_id, "2026-02-11")
    await store.tenant.put(path(store), {"offset": 0.2})  # nothing was certified: it is not told again
    await tell(farm, day_before + timedelta(days=9))
    assert len(await emitted(farm, store, CalibrationDue)) == 1
    await calibrate(store, due_on="2026-03-11")
    await tell(farm, datetime(2026, 3, 11, tzinfo=UTC))
    assert [event["due_on"] for event in await emitted(farm, store, CalibrationDue)] == ["2026-02-11", "2026-03-11"]


async def test_a_retired_sensor_is_due_for_nothing(farm: Platform, store: ColdStore) -> None:
    await calibrate(store, due_on="2026-02-11")
    await store.tenant.client.delete(path(store))
    await tell(farm, datetime(2026, 2, 12, tzinfo=UTC))
    assert await emitted(farm, store, CalibrationDue) == []


@pytest.mark.asyncio(loop_scope="function")
async def test_the_gateway_judges_by_the_calibration_too(platform: Platform) -> None:
    store = await make_cold_store(platform)
    await make_rule(store)
    watch = {"rule": "rise", "sensor": "z2m:cold-room-1", "quantity": "temperature", "kind": "rising"}
    await store.tenant.put(path_of(store, "/config"), {"watches": [{**watch, "duration_s": 600, "change": 3.0}]})
    await calibrate(store, gain=1.05, offset=-0.25)
    await platform.deliver()
    config = await store.tenant.get(path_of(store, "/config"))
    [limit], [rise] = config["limits"], config["watches"]
    assert (limit["gain"], limit["offset"], limit["set_at"]) == (1.05, -0.25, 8.0)
    assert rise["gain"] == 1.05
    version = config["version"]
    await calibrate(store, gain=1.05, offset=-0.25, certificate=str(uuid.uuid4()))
    await platform.deliver()
    assert (await store.tenant.get(path_of(store, "/config")))["version"] == version
