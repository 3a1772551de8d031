"""A day and a half of a cold room, without a database."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from cloud_api.cold_chain.evidence.figures import Limits, Series
from cloud_api.cold_chain.evidence.gathering import CalibrationFacts, Case, ExcursionFacts
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.exposure.queries import Watch
from cloud_api.devices.models import SensorCalibration
from cloud_api.devices.sensors.known import Correction, KnownSensor, Placement
from cloud_api.telemetry.stores.port import Readings
from tests.factories.batches import EIGHT_OCLOCK_MS

MINUTE_MS = 60_000
_BEGIN = datetime.fromtimestamp(EIGHT_OCLOCK_MS / 1000, UTC)


def at(minute: float) -> datetime:
    """That many minutes after eight o'clock."""
    return _BEGIN + timedelta(minutes=minute)


def make_series(code: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], *, every: int = 2) -> Series:
    """A sensor that is heard every two minutes, 0.2 °C too warm; NaN: it was silent."""
    sensor = KnownSensor(
        id=uuid.uuid4(),
        gateway_id=uuid.uuid4(),
        code=code,
        quantity="temperature",
        unit="Cel",
        status="active",
        location_id=uuid.uuid4(),
        interval_s=None,
        corrections=(Correction(0, 1.0, -0.2),),
        placements=(Placement(0, None),),
    )
    heard = ~np.isnan(values)
    times = EIGHT_OCLOCK_MS + np.arange(len(values), dtype=np.int64) * every * MINUTE_MS
    readings = Readings(
        times[heard],
        (1 << 40) + np.flatnonzero(heard).astype(np.int64),
        values[heard],
        np.zeros(int(heard.sum()), np.int8),
    )
    watch = Watch(sensor, uuid.uuid4(), EIGHT_OCLOCK_MS, EIGHT_OCLOCK_MS + len(values) * every * MINUTE_MS)
    return Series(watch, "ROOM-1", readings, values[heard] - 0.2, Limits(0.0, 8.0), 15 * MINUTE_MS)


def _excursion(watch: Watch) -> Excursion:
    return Excursion(
        id=uuid.uuid4(),
        number="EXC-2026-00001",
        location_id=watch.location_id,
        sensor_id=watch.sensor.id,
        quantity="temperature",
        unit="Cel",
        kind="high",
        set_at=8.0,
        clear_at=7.0,
        severity="critical",
        status="closed",
        started_at=at(400),
        raised_at=at(410),
        ended_at=at(520),
        peak_value=9.8,
        raised_by="cloud",
        acknowledged_at=at(415),
        acknowledgement="the door stood open",
        closed_at=at(600),
        disposition="release",
        note="cores at 4.1 °C",
        retracted_at=None,
    )


def make_case(*, code: str = "z2m:room") -> Case:
    """Two sensors; one was silent for three hours, and too warm for two after noon."""
    warm = 4.0 + np.sin(np.arange(750) / 60)
    warm[200:260] = 10.0
    warm[400:490] = np.nan
    names = [f"{code}-0", f"{code}-1"] if code == "z2m:room" else [code]
    series = [make_series(name, values) for name, values in zip(names, (warm, np.full(750, 3.0)), strict=False)]
    first = series[0].watch
    calibration = SensorCalibration(
        sensor_id=first.sensor.id,
        from_ms=EIGHT_OCLOCK_MS - 1,
        gain=1.0,
        offset=-0.2,
        certificate="CAL-4711",
        reference="Pt100",
        due_on=date(2026, 12, 24),
        note="",
        recorded_at=at(-10),
    )
    return Case(
        subject="place 1",
        title="Cold room 1",
        organization="Dew farms",
        facts=[("Place", "Cold room 1 (ROOM-1)")],
        from_ms=first.from_ms,
        to_ms=first.to_ms,
        made_at=at(1600),
        series=series,
        excursions=[
            ExcursionFacts(
                row=_excursion(first),
                sensor=first.sensor.code,
                place="Cold room 1",
                actions=[(at(430), "Asha Patil", "moved the pallets")],
                acknowledged_by="Asha Patil",
                closed_by="Ravi Kumar",
            )
        ],
        calibrations=[CalibrationFacts(first.sensor.code, calibration)],
    )


def without_readings(case: Case) -> Case:
    """The same when nobody measured anything."""
    return replace(case, series=(), excursions=(), calibrations=())
