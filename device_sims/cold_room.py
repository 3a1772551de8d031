"""A cold room: air, food, walls, a refrigerating machine, a door. Pure, seeded, stepped from outside.

Three lumps hold heat: the air (with racks and inner skin), the outer layer of the food, and its core:

    C_air  dT_air/dt  = UA (T_ambient - T_air) + hA (T_shell - T_air) + Q_door + Q_fans + Q_defrost + Q_fog - Q_sensible
    C_shell dT_shell/dt = hA (T_air - T_shell) + G (T_core - T_shell) - L m_transpiration
    C_core dT_core/dt = G (T_shell - T_core)

and one lump holds water, w in kg per kg of dry air:

    M_air dw/dt = m_door (w_ambient - w) + m_transpiration + m_coil - m_fog

The door's flow follows Gosney and Olama (`moist_air.doorway_flow_kg_per_s`). The evaporator takes
Q = capacity (T_air - T_evaporating) / difference, part of it as water that settles on the coil. With the compressor
off and its fans running, a wet coil gives water back (off-cycle re-evaporation: Shirey, Henderson and Raustad 2006,
"Understanding the dehumidification performance of air-conditioning equipment at part-load conditions", FSEC-CR-1537).
Transpiration: ASHRAE Handbook - Refrigeration, chapter "Thermal Properties of Foods". What the air cannot hold
becomes fog and gives its latent heat to the air. The heat of freezing the coil's water is left out.
"""

import math
import random
from dataclasses import dataclass, field

from device_sims import moist_air
from device_sims.moist_air import LATENT_HEAT_J_PER_KG, SPECIFIC_HEAT_J_PER_KG_K

#: explicit Euler: well below the shortest time constant, about a minute for the water with the door open
LONGEST_STEP_S = 5.0

_DAY_S = 86_400.0
_HOTTEST_HOUR_S = 15 * 3600.0


@dataclass(frozen=True)
class Ambient:
    """The weather on the warm side of the walls and of the door."""

    mean_c: float = 25.0
    #: half the difference between the hottest (15:00 UTC) and the coldest hour
    swing_k: float = 4.0
    humidity_pct: float = 50.0
    #: standard deviation of slow, seeded weather noise (Ornstein-Uhlenbeck, 30 minutes)
    noise_k: float = 0.3


@dataclass(frozen=True)
class ColdRoomSpec:
    """A walk-in room of 30 m3 for chilled food unless told otherwise."""

    setpoint_c: float = 4.0
    #: the compressor starts this far above the setpoint and stops this far below it
    hysteresis_k: float = 1.0
    ambient: Ambient = field(default_factory=Ambient)
    volume_m3: float = 30.0
    #: UA: 59 m2 of 80 mm polyurethane panel, 0.27 W/m2K, with its joints
    heat_leak_w_per_k: float = 16.0
    #: heat capacity of racks, inner skin and coil, which follow the air closely
    fittings_j_per_k: float = 270_000.0
    product_kg: float = 800.0
    #: fresh food above freezing, mostly water (ASHRAE: 3.2 to 3.9 kJ/kgK)
    product_specific_heat_j_per_kg_k: float = 3_500.0
    #: the part of the food's mass that answers to the air at once
    product_shell_fraction: float = 0.2
    #: hA: 40 m2 of packages at 10 W/m2K under the fans
    product_to_air_w_per_k: float = 400.0
    shell_to_core_w_per_k: float = 250.0
    transpiration_kg_per_kg_s_pa: float = 4e-11
    #: at an air temperature equal to the setpoint
    cooling_capacity_w: float = 4_500.0
    #: between the air at its setpoint and the evaporating refrigerant
    coil_difference_k: float = 7.0
    coil_airflow_kg_per_s: float = 0.8
    minimum_off_s: float = 180.0
    fan_w: float = 200.0
    door_width_m: float = 0.9
    door_height_m: float = 2.0
    #: what joints and gaskets let through with the door closed
    leak_air_changes_per_h: float = 0.1
    defrost_every_s: float = 6 * 3600.0
    defrost_for_s: float = 15 * 60.0
    #: what the heaters give to the room's air
    defrost_heat_w: float = 800.0


@dataclass
class EnergyAccount:
    """Joules since the start; `stored = entered + stored at the start` holds whatever happens."""

    leaked_in_j: float = 0.0
    #: sensible and latent, through the open door and the joints
    door_j: float = 0.0
    fans_j: float = 0.0
    defrost_j: float = 0.0
    #: taken out by the coil, sensible and latent
    removed_j: float = 0.0

    def entered_j(self) -> float:
        """Net heat that came into the room."""
        return self.leaked_in_j + self.door_j + self.fans_j + self.defrost_j - self.removed_j


@dataclass
class _Flows:
    """Watts and kilograms a second during one small step."""

    leak_w: float
    product_w: float
    core_w: float
    door_sensible_w: float
    door_water_kg_s: float
    transpiration_kg_s: float
    #: > 0 settles on the coil, < 0 comes back from it
    coil_water_kg_s: float
    removed_w: float
    fans_w: float
    defrost_w: float


class ColdRoom:
    """The room's state and its controller. `step` moves time; doors and faults are plain method calls."""

    def __init__(self, spec: ColdRoomSpec, *, seed: int, started_at_ms: int = 0) -> None:
        self.spec = spec
        self.started_at_ms = started_at_ms
        self.elapsed_s = 0.0
        self.air_temperature_c = spec.setpoint_c
        self.product_shell_c = spec.setpoint_c
        self.product_core_c = spec.setpoint_c
        self.humidity_ratio = moist_air.humidity_ratio(spec.setpoint_c, 70.0)
        self.door_open = False
        self.compressor_running = False
        self.compressor_failed = False
        self.coil_water_kg = 0.2
        self.energy = EnergyAccount()
        self._random = random.Random(seed)  # noqa: S311 - a repeatable simulation, no secret
        self._weather_noise_k = 0.0
        self._off_for_s = spec.minimum_off_s
        density = moist_air.density_kg_per_m3(spec.setpoint_c, self.humidity_ratio)
        self._air_kg = spec.volume_m3 * density
        self._air_j_per_k = self._air_kg * SPECIFIC_HEAT_J_PER_KG_K + spec.fittings_j_per_k
        product_j_per_k = spec.product_kg * spec.product_specific_heat_j_per_kg_k
        self._shell_j_per_k = product_j_per_k * spec.product_shell_fraction
        self._core_j_per_k = product_j_per_k - self._shell_j_per_k

    @property
    def time_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return self.started_at_ms + round(self.elapsed_s * 1000)

    @property
    def humidity_pct(self) -> float:
        """Relative humidity of the air, 0 to 100."""
        return min(100.0, moist_air.relative_humidity_pct(self.air_temperature_c, self.humidity_ratio))

    @property
    def ambient_temperature_c(self) -> float:
        """Outdoor temperature now."""
        ambient = self.spec.ambient
        phase = 2 * math.pi * (self.time_ms / 1000 - _HOTTEST_HOUR_S) / _DAY_S
        return ambient.mean_c + ambient.swing_k * math.cos(phase) + self._weather_noise_k

    @property
    def defrosting(self) -> bool:
        """True while the machine stands still to free its coil of ice."""
        since_s = self.elapsed_s % self.spec.defrost_every_s
        return self.elapsed_s >= self.spec.defrost_every_s and since_s < self.spec.defrost_for_s

    @property
    def stored_j(self) -> float:
        """Heat in air, food and vapour, counted from 0 degC and dry air."""
        return (
            self._air_j_per_k * self.air_temperature_c
            + self._shell_j_per_k * self.product_shell_c
            + self._core_j_per_k * self.product_core_c
            + LATENT_HEAT_J_PER_KG * self._air_kg * self.humidity_ratio
        )

    def step(self, dt_s: float) -> None:
        """Move the room `dt_s` seconds on.

        Raises:
            ValueError: `dt_s` is not above 0.
        """
        if not dt_s > 0:
            raise ValueError(f"a step of {dt_s} s: time only moves forward")
        pieces = math.ceil(dt_s / LONGEST_STEP_S)
        for _ in range(pieces):
            self._small_step(dt_s / pieces)

    def _small_step(self, dt_s: float) -> None:
        self._change_weather(dt_s)
        self._control(dt_s)
        flows = self._flows(dt_s)
        self._book(flows, dt_s)
        water_kg_s = flows.door_water_kg_s + flows.transpiration_kg_s - flows.coil_water_kg_s
        into_air_w = (
            flows.leak_w
            + flows.product_w
            + flows.door_sensible_w
            + flows.fans_w
            + flows.defrost_w
            - (flows.removed_w - LATENT_HEAT_J_PER_KG * flows.coil_water_kg_s)
        )
        into_shell_w = flows.core_w - flows.product_w - LATENT_HEAT_J_PER_KG * flows.transpiration_kg_s
        self.air_temperature_c += into_air_w * dt_s / self._air_j_per_k
        self.product_shell_c += into_shell_w * dt_s / self._shell_j_per_k
        self.product_core_c -= flows.core_w * dt_s / self._core_j_per_k
        self.humidity_ratio += water_kg_s * dt_s / self._air_kg
        self._settle_fog()
        self.coil_water_kg += flows.coil_water_kg_s * dt_s
        self.elapsed_s += dt_s
        if self.defrosting:
            self.coil_water_kg *= math.exp(-dt_s / 300)  # melts and drains

    def _change_weather(self, dt_s: float) -> None:
        """Exact step of an Ornstein-Uhlenbeck process, so that the noise does not depend on the step's length."""
        keep = math.exp(-dt_s / 1800)
        spread = self.spec.ambient.noise_k * math.sqrt(1 - keep * keep)
        self._weather_noise_k = self._weather_noise_k * keep + self._random.gauss(0.0, 1.0) * spread

    def _control(self, dt_s: float) -> None:
        """Thermostat with hysteresis, minimum standstill, defrost and fault."""
        spec = self.spec
        blocked = self.defrosting or self.compressor_failed
        if self.compressor_running:
            if blocked or self.air_temperature_c <= spec.setpoint_c - spec.hysteresis_k:
                self.compressor_running = False
                self._off_for_s = 0.0
            return
        self._off_for_s += dt_s
        rested = self._off_for_s >= spec.minimum_off_s
        if rested and not blocked and self.air_temperature_c >= spec.setpoint_c + spec.hysteresis_k:
            self.compressor_running = True

    def _flows(self, dt_s: float) -> _Flows:
        spec = self.spec
        ambient_c = self.ambient_temperature_c
        ambient_ratio = moist_air.humidity_ratio(ambient_c, spec.ambient.humidity_pct)
        exchanged_kg_s = self._exchanged_kg_s(ambient_c, ambient_ratio)
        hunger_pa = moist_air.saturation_pressure_pa(self.product_shell_c) - moist_air.vapour_pressure_pa(
            self.humidity_ratio
        )
        removed_w, coil_water_kg_s = self._coil(dt_s)
        return _Flows(
            leak_w=spec.heat_leak_w_per_k * (ambient_c - self.air_temperature_c),
            product_w=spec.product_to_air_w_per_k * (self.product_shell_c - self.air_temperature_c),
            core_w=spec.shell_to_core_w_per_k * (self.product_core_c - self.product_shell_c),
            door_sensible_w=exchanged_kg_s * SPECIFIC_HEAT_J_PER_KG_K * (ambient_c - self.air_temperature_c),
            door_water_kg_s=exchanged_kg_s * (ambient_ratio - self.humidity_ratio),
            transpiration_kg_s=spec.product_kg * spec.transpiration_kg_per_kg_s_pa * max(0.0, hunger_pa),
            coil_water_kg_s=coil_water_kg_s,
            removed_w=removed_w,
            fans_w=0.0 if self.defrosting else spec.fan_w,
            defrost_w=spec.defrost_heat_w if self.defrosting else 0.0,
        )

    def _exchanged_kg_s(self, ambient_c: float, ambient_ratio: float) -> float:
        joints_kg_s = self._air_kg * self.spec.leak_air_changes_per_h / 3600
        if not self.door_open:
            return joints_kg_s
        return joints_kg_s + moist_air.doorway_flow_kg_per_s(
            inside_c=self.air_temperature_c,
            inside_ratio=self.humidity_ratio,
            outside_c=ambient_c,
            outside_ratio=ambient_ratio,
            width_m=self.spec.door_width_m,
            height_m=self.spec.door_height_m,
        )

    def _coil(self, dt_s: float) -> tuple[float, float]:
        """Heat taken from the room in W, and water taken from its air in kg/s (negative: given back)."""
        spec = self.spec
        if self.defrosting:
            return 0.0, 0.0
        if not self.compressor_running:
            air_holds = moist_air.humidity_ratio(self.air_temperature_c, 100.0)
            wish_kg_s = 0.02 * spec.coil_airflow_kg_per_s * max(0.0, air_holds - self.humidity_ratio)
            # Evaporation cools the air and wets it by the same heat: nothing leaves the room.
            return 0.0, -min(wish_kg_s, self.coil_water_kg / dt_s)
        evaporating_c = spec.setpoint_c - spec.coil_difference_k
        load = (self.air_temperature_c - evaporating_c) / spec.coil_difference_k
        removed_w = spec.cooling_capacity_w * min(1.5, max(0.0, load))
        coil_holds = moist_air.humidity_ratio(evaporating_c, 100.0)
        water_kg_s = 0.5 * spec.coil_airflow_kg_per_s * max(0.0, self.humidity_ratio - coil_holds)
        return removed_w, min(water_kg_s, 0.5 * removed_w / LATENT_HEAT_J_PER_KG)

    def _settle_fog(self) -> None:
        """Let the air give up what it cannot hold; the latent heat stays in the air as sensible heat.

        One Newton step: settling warms the air, which raises what it can hold.
        """
        air_holds = moist_air.humidity_ratio(self.air_temperature_c, 100.0)
        excess = self.humidity_ratio - air_holds
        if excess <= 0:
            return
        warming_k = LATENT_HEAT_J_PER_KG * self._air_kg / self._air_j_per_k
        slope_per_k = moist_air.humidity_ratio(self.air_temperature_c + 0.5, 100.0) - moist_air.humidity_ratio(
            self.air_temperature_c - 0.5, 100.0
        )
        settled = excess / (1 + warming_k * slope_per_k)
        self.humidity_ratio -= settled
        self.air_temperature_c += warming_k * settled

    def _book(self, flows: _Flows, dt_s: float) -> None:
        account = self.energy
        account.leaked_in_j += flows.leak_w * dt_s
        account.door_j += (flows.door_sensible_w + LATENT_HEAT_J_PER_KG * flows.door_water_kg_s) * dt_s
        account.fans_j += flows.fans_w * dt_s
        account.defrost_j += flows.defrost_w * dt_s
        account.removed_j += flows.removed_w * dt_s
