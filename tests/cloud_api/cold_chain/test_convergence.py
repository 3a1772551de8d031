"""However late, shuffled and repeated readings arrive, and whatever the gateway says, the excursions are the same."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_api.cold_chain.judging.facts import days_in
from cloud_api.cold_chain.rules.allowances import Allowance, Tally, spend
from gateway import rules
from gateway.rules import Limit, Pause, Raised, State
from tests.cloud_api.cold_chain.excursions import MINUTE_MS, Breach, breaches_of, in_order, of
from tests.factories.batches import EIGHT_OCLOCK_MS, Row, make_alarm, make_epoch, make_reading, send
from tests.factories.farms import plant_sensor
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.properties import FEW
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

WANTED: tuple[dict[str, Any], ...] = (
    {"kind": "high", "set_at": 8.0, "clear_at": 7.0, "duration_s": 120},
    {"kind": "high", "set_at": 10.0, "clear_at": 9.0, "duration_s": 0},
    {"kind": "low", "set_at": 0.0, "clear_at": 0.0, "duration_s": 60},
    {"kind": "high", "set_at": 11.0, "clear_at": 8.0, "duration_s": 60, "latched": True},
    {"kind": "cumulative_high", "set_at": 8.0, "duration_s": 300},
)
#: each day a defrost of four minutes, half an hour after eight, and a planned shutdown that is judged less strictly
PAUSES = (
    Pause(EIGHT_OCLOCK_MS + 30 * MINUTE_MS, 240.0, 86_400.0),
    Pause(EIGHT_OCLOCK_MS + 40 * MINUTE_MS, 300.0, None, 2.0),
)
_DAYS = days_in("Asia/Kolkata")

_values = st.sampled_from([-3.0, 0.0, 0.5, 4.0, 7.0, 7.5, 8.0, 8.5, 9.0, 9.0, 11.0, 12.0, 12.0])
#: four days of minutes; some at the same moment
_steps = st.sampled_from([0, 500, 1000, *[MINUTE_MS] * 3, 3 * MINUTE_MS, 20 * MINUTE_MS, 1000 * MINUTE_MS])


@dataclass(frozen=True)
class Arrival:
    """How readings came."""

    rows: list[Row]
    parts: list[list[Row]]
    #: how often each part was sent
    times: list[int]
    #: how many of the gateway's alarms were there before each part; none: it has judged nothing
    alarms: list[int]
    pauses: tuple[Pause, ...]


def limit_of(name: str, rule: dict[str, Any]) -> Limit:
    bounds = (rule["set_at"], rule["clear_at"], rule["duration_s"])
    return Limit(name, rule["kind"], *bounds, latched=rule.get("latched", False))


def judged(wanted: dict[str, Any], rows: list[Row], pauses: tuple[Pause, ...]) -> list[Breach]:
    """What the pure state machine makes of the whole series, in the order of time."""
    state, tally, found = State(), Tally(), list[Breach]()
    for row in sorted(rows, key=lambda row: (row["recorded_at_ms"], row["sequence"])):
        if row.get("quality") == "bad":
            continue
        if wanted["kind"].startswith("cumulative"):
            allowance = Allowance("x", "high", wanted["set_at"], wanted["duration_s"])
            tally, event = spend(allowance, tally, row["recorded_at_ms"], row["value"], _DAYS, pauses)
        else:
            limit = limit_of("x", wanted)
            state, event = rules.judge(limit, state, row["recorded_at_ms"], row["value"], pauses)
        if isinstance(event, Raised):
            started_ms, raised_ms = event.started_at_ms - EIGHT_OCLOCK_MS, event.at_ms - EIGHT_OCLOCK_MS
            found.append((wanted["kind"], started_ms, raised_ms, None, event.peak))
        elif event is not None:
            found[-1] = (*found[-1][:3], event.at_ms - EIGHT_OCLOCK_MS, event.peak)
    last = tally if wanted["kind"].startswith("cumulative") else state
    if last.phase == "active" and last.peak is not None:
        found[-1] = (*found[-1][:4], last.peak)
    return found


async def a_new_sensor(farm: Platform, store: ColdStore) -> tuple[str, str]:
    if not await store.tenant.get("/api/v1/alerts/rules"):
        for rule in WANTED:
            await make_rule(store, **{"clear_at": rule["set_at"], **rule})
    code = f"z2m:{uuid.uuid4()}"
    return code, await plant_sensor(farm, store.tenant, store.gateway_id, location_id=store.room_id, code=code)


async def pause(store: ColdStore, code: str, pauses: tuple[Pause, ...]) -> None:
    wire = [
        {
            "sensor": code,
            "quantity": "temperature",
            "starts_at_ms": one.starts_at_ms,
            "duration_s": one.duration_s,
            "every_s": one.every_s,
            "relax_by": one.relax_by,
        }
        for one in pauses
    ]
    await store.tenant.put(f"/api/v1/edge/gateways/{store.gateway_id}/config", {"pauses": wire})


async def alarms_of(store: ColdStore, rows: list[Row], pauses: tuple[Pause, ...]) -> list[Row]:
    """What the gateway says, which has judged all readings as they were measured."""
    alarms: list[Row] = []
    for rule in await store.tenant.get("/api/v1/alerts/rules"):
        if rule["kind"] not in ("high", "low"):
            continue
        limit, state = limit_of(rule["id"], rule), State()
        for row in rows:
            if row.get("quality") == "bad":
                continue
            state, event = rules.judge(limit, state, row["recorded_at_ms"], row["value"], pauses)
            if event is not None:
                says = "raised" if isinstance(event, Raised) else "cleared"
                times = {"started_at_ms": event.started_at_ms, "at_ms": event.at_ms}
                alarm = make_alarm(
                    0, says, rule=rule["id"], kind=rule["kind"], value=event.value, sensor=row["sensor"], **times
                )
                alarms.append(alarm)
    alarms.sort(key=lambda alarm: alarm["recorded_at_ms"])
    return [{**alarm, "sequence": sequence} for sequence, alarm in enumerate(alarms, start=1)]


@st.composite
def arrivals(draw: st.DrawFn, *, most: int) -> Arrival:
    """Up to so many readings, in any order and any number of batches, some sent twice."""
    gateway_judges = draw(st.booleans())
    at_ms, rows = EIGHT_OCLOCK_MS, list[Row]()
    for value, step_ms, luck in draw(
        st.lists(st.tuples(_values, _steps, st.integers(0, 9)), min_size=1, max_size=most)
    ):
        # two values of one moment have no order of their own: the gateway's may be another than the lanes'
        at_ms += max(step_ms, int(gateway_judges))
        rows.append(make_reading(len(rows) + 1, value, at_ms, quality="bad" if luck == 0 else "good"))
    order = draw(st.permutations(rows))
    cuts = sorted(draw(st.sets(st.integers(1, len(rows)), max_size=5)) | {0, len(rows)})
    parts = [order[first:last] for first, last in itertools.pairwise(cuts)]
    times = [draw(st.integers(1, 2)) for _ in parts]
    alarms = [draw(st.integers(0, 6)) for _ in parts] if gateway_judges else []
    return Arrival(rows, parts, times, alarms, PAUSES if draw(st.booleans()) else ())


async def they_are_the_same(farm: Platform, store: ColdStore, arrival: Arrival) -> None:
    code, sensor_id = await a_new_sensor(farm, store)
    await pause(store, code, arrival.pauses)
    alarms, spool = list[Row](), make_epoch()
    if arrival.alarms:
        alarms = await alarms_of(store, of(code, arrival.rows), arrival.pauses)
    for index, part in enumerate(arrival.parts):
        if arrival.alarms and alarms[: arrival.alarms[index]]:
            await send(farm, store, alarms[: arrival.alarms[index]], lane="alarms", epoch=spool)
        # a spool of its own each time: its lane takes whatever sequence comes
        rows, epoch = sorted(of(code, part), key=lambda row: row["sequence"]), make_epoch()
        for _ in range(arrival.times[index]):
            await send(farm, store, rows, epoch=epoch)
    if alarms:
        await send(farm, store, alarms, lane="alarms", epoch=spool)
    stored = in_the_stores_order(arrival.parts)
    expected = in_order(breach for rule in WANTED for breach in judged(rule, stored, arrival.pauses))
    assert await breaches_of(farm, store, sensor_id) == expected


@settings(FEW, max_examples=10)
@given(arrival=arrivals(most=12))
async def test_the_excursions_are_those_of_the_readings_in_their_order(
    farm: Platform, store: ColdStore, arrival: Arrival
) -> None:
    await they_are_the_same(farm, store, arrival)


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(FEW, max_examples=150)
@given(arrival=arrivals(most=28))
async def test_so_they_are_of_long_series(farm: Platform, store: ColdStore, arrival: Arrival) -> None:
    await they_are_the_same(farm, store, arrival)


def in_the_stores_order(parts: list[list[Row]]) -> list[Row]:
    """Readings of one moment are ordered as their lanes came."""
    return [{**row, "sequence": lane * 1000 + row["sequence"]} for lane, part in enumerate(parts) for row in part]
