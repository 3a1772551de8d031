import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sims import moist_air
from device_sims.cold_room import Ambient, ColdRoom, ColdRoomSpec

HOUR_S = 3600
HOT = ColdRoomSpec(ambient=Ambient(mean_c=35.0, swing_k=3.0))


def settled(spec: ColdRoomSpec, *, seed: int = 1) -> ColdRoom:
    room = ColdRoom(spec, seed=seed)
    room.step(3 * HOUR_S)
    return room


def test_the_room_holds_its_band_outside_defrosts() -> None:
    room = settled(HOT)
    seen = []
    for _ in range(3 * 360 - 30):  # up to the first defrost, six hours after the start
        room.step(10)
        seen.append(room.air_temperature_c)
    spec = room.spec
    # The machine rests at least three minutes and the coil keeps cooling for one step: half a kelvin of overshoot.
    assert spec.setpoint_c - spec.hysteresis_k - 0.5 < min(seen)
    assert max(seen) < spec.setpoint_c + spec.hysteresis_k + 0.5
    assert max(seen) - min(seen) > spec.hysteresis_k  # it cycles, it does not just sit there


def test_a_whole_day_with_its_defrosts_stays_below_eight_degrees() -> None:
    room = settled(HOT)
    defrosts, before = 0, False
    for _ in range(24 * 360):
        room.step(10)
        assert room.air_temperature_c < 8.0
        assert 30.0 < room.humidity_pct <= 100.0
        defrosts += room.defrosting and not before
        before = room.defrosting
    assert defrosts == 4


def test_half_an_hour_of_open_door_warms_the_air_and_hardly_the_core() -> None:
    room = settled(HOT)
    core_c = room.product_core_c
    room.door_open = True
    room.step(0.5 * HOUR_S)
    assert room.air_temperature_c > 15.0
    assert room.product_shell_c > 8.0
    assert room.product_core_c < core_c + 1.5
    assert room.product_core_c < room.product_shell_c < room.air_temperature_c


def test_the_open_door_lets_moisture_in() -> None:
    shut, opened = settled(HOT), settled(HOT)
    opened.door_open = True
    for room in (shut, opened):
        room.step(300)
    assert opened.humidity_ratio > 1.5 * shut.humidity_ratio


def test_the_room_recovers_once_the_door_is_shut() -> None:
    room = settled(HOT)
    room.door_open = True
    room.step(0.5 * HOUR_S)
    room.door_open = False
    room.step(HOUR_S)
    seen = []
    for _ in range(90):
        room.step(10)
        seen.append(room.air_temperature_c)
    assert max(seen) < 5.5


def test_a_failed_compressor_loses_the_room_slowly_and_its_repair_saves_it() -> None:
    room = settled(HOT)
    room.compressor_failed = True
    room.step(2 * HOUR_S)
    after_two_hours_c = room.air_temperature_c
    room.step(10 * HOUR_S)
    assert 4.0 < after_two_hours_c < room.air_temperature_c
    assert room.air_temperature_c > 8.0
    room.compressor_failed = False
    room.step(4 * HOUR_S)
    assert room.air_temperature_c < 6.0


def test_the_compressor_rests_between_two_runs() -> None:
    room = settled(ColdRoomSpec(hysteresis_k=0.1, ambient=HOT.ambient))  # would start and stop every minute
    rests, rest_s = [], 0
    for _ in range(4 * HOUR_S):
        room.step(1)
        if room.compressor_running:
            if rest_s:
                rests.append(rest_s)
            rest_s = 0
        else:
            rest_s += 1
    assert len(rests) > 2
    assert min(rests[1:]) >= room.spec.minimum_off_s - 1


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    traces = []
    for seed in (5, 5, 6):
        room = ColdRoom(HOT, seed=seed)
        trace = []
        for _ in range(200):
            room.step(30)
            trace.append((room.air_temperature_c, room.product_core_c, room.humidity_pct))
        traces.append(trace)
    assert traces[0] == traces[1]
    assert traces[0] != traces[2]


def test_afternoons_are_hotter_than_nights() -> None:
    room = ColdRoom(ColdRoomSpec(ambient=Ambient(mean_c=20.0, swing_k=8.0, noise_k=0.0)), seed=1)
    room.step(15 * HOUR_S)
    assert room.ambient_temperature_c == pytest.approx(28.0, abs=0.01)
    room.step(12 * HOUR_S)
    assert room.ambient_temperature_c == pytest.approx(12.0, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(
    ambient_c=st.floats(-20, 50),
    humidity_pct=st.floats(5, 100),
    setpoint_c=st.floats(-25, 15),
    product_kg=st.floats(20, 20_000),
    doings=st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.5, 7200)), min_size=1, max_size=8),
)
def test_no_heat_appears_or_disappears(
    ambient_c: float, humidity_pct: float, setpoint_c: float, product_kg: float, doings: list[tuple[bool, bool, float]]
) -> None:
    ambient = Ambient(mean_c=ambient_c, humidity_pct=humidity_pct)
    room = ColdRoom(ColdRoomSpec(setpoint_c=setpoint_c, ambient=ambient, product_kg=product_kg), seed=1)
    stored_j, moved_j = room.stored_j, 1.0
    for door_open, compressor_failed, dt_s in doings:
        room.door_open, room.compressor_failed = door_open, compressor_failed
        room.step(dt_s)
        account = room.energy
        moved_j += abs(account.leaked_in_j) + abs(account.door_j) + account.fans_j + account.removed_j
        assert abs(room.stored_j - stored_j - account.entered_j()) < 1e-6 * moved_j + 1e-3
        assert min(ambient_c - 15, setpoint_c - 15) < room.air_temperature_c < max(ambient_c, setpoint_c) + 60
        assert 0.0 < room.humidity_pct <= 100.0
        assert room.coil_water_kg >= 0.0


@pytest.mark.parametrize("dt_s", [0.0, -1.0, float("nan")])
def test_time_only_moves_forward(dt_s: float) -> None:
    with pytest.raises(ValueError, match="forward"):
        ColdRoom(ColdRoomSpec(), seed=1).step(dt_s)


def test_moist_air_agrees_with_the_printed_tables() -> None:
    # ASHRAE Handbook - Fundamentals, "Psychrometrics", saturated moist air at 101.325 kPa.
    assert moist_air.humidity_ratio(20.0, 100.0) == pytest.approx(0.014758, rel=0.01)
    assert moist_air.saturation_pressure_pa(0.0) == pytest.approx(611.2, rel=0.001)
    assert moist_air.density_kg_per_m3(20.0, 0.0) == pytest.approx(1.204, rel=0.002)
    assert moist_air.relative_humidity_pct(4.0, moist_air.humidity_ratio(4.0, 83.0)) == pytest.approx(83.0)


def test_air_of_one_density_does_not_flow_through_a_doorway() -> None:
    still = moist_air.doorway_flow_kg_per_s(
        inside_c=4.0, inside_ratio=0.004, outside_c=4.0, outside_ratio=0.004, width_m=1.0, height_m=2.0
    )
    assert still == 0.0
