"""Believing what gateways' own judges decided: that a breach of a rule that is ours began, or that one is over."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.excursions import incidents
from cloud_api.cold_chain.excursions.incidents import Breach, Watched
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.states import ExcursionStatus
from cloud_api.cold_chain.judging.facts import Applied, applied_to
from cloud_api.cold_chain.judging.warnings import calm, warn
from cloud_api.devices.alarms.service import Taken, take_alarm
from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.kernel import clock
from cloud_api.telemetry.judges import StoredBatch
from gateway.contract import AlarmEvent
from gateway.rules import Limit

_WATCHES = {
    "silent": ("sensor_failure", "is silent"),
    "rising": ("rate", "rises too quickly"),
    "falling": ("rate", "falls too quickly"),
}


async def take_over(db: AsyncSession, batch: StoredBatch) -> bool:
    """Take in the alarms of a batch. Returns whether anything began or ended by them."""
    changed = False
    for sensor, alarm in batch.alarms:
        taken = await take_alarm(db, batch.gateway_id, sensor, alarm)
        if alarm.kind in _WATCHES:
            await _tell_watch(db, sensor, taken)
        elif alarm.event == "cleared":
            changed |= await _end(db, batch, sensor, alarm)
        elif sensor.status == "active":
            changed |= await _begin(db, batch, sensor, alarm)
    return changed


async def _tell_watch(db: AsyncSession, sensor: KnownSensor, taken: Taken) -> None:
    """What a person has told the gateway to watch; it says nothing of the goods."""
    alarm = taken.alarm
    if alarm is None:
        return
    subject = f"gateway_alarm:{alarm.id}"
    if alarm.cleared_at is not None:
        await alerts.clear_alert(db, subject=subject, at=alarm.cleared_at)
    elif taken.is_to_be_told:
        alert_type, does = _WATCHES[alarm.kind]
        await alerts.raise_alert(
            db,
            group=f"{alarm.kind}:{sensor.quantity}:{sensor.location_id or sensor.id}",
            subject=subject,
            alert_type=alert_type,
            severity="warning",
            title=f"{sensor.code}: {sensor.quantity} {does}",
            message=f"since {alarm.started_at:%H:%M} UTC, says {taken.gateway_name} by its watch {alarm.rule}",
            location_id=sensor.location_id,
            at=alarm.raised_at,
        )


async def _begin(db: AsyncSession, batch: StoredBatch, sensor: KnownSensor, alarm: AlarmEvent) -> bool:
    applied = await _applied(db, batch, sensor, alarm)
    if applied is None:
        return False
    at = Watched(sensor, applied.rule, batch.store)
    if not applied.is_of_goods:
        await warn(db, at, at_ms=alarm.recorded_at_ms, value=alarm.value)
        return False
    said = Breach(alarm.started_at_ms, alarm.recorded_at_ms, None, alarm.value, alarm.value)
    known = await incidents.excursions_of(db, [sensor.id], since_ms=max(alarm.started_at_ms, 0))
    its = incidents.find(at, said, known)
    if its is not None and (its.incident == alarm.incident or its.gateway_peak is None):
        await _adopt(db, its, alarm)
    elif its is None or its.status != ExcursionStatus.CLOSED:
        await incidents.open_excursion(db, at, said, raised_by="gateway")
    return True


async def _adopt(db: AsyncSession, excursion: Excursion, alarm: AlarmEvent) -> None:
    """The gateway saw the same breach: by all readings, in their order."""
    if excursion.status == ExcursionStatus.CLOSED:
        return
    excursion.gateway_peak = alarm.value
    excursion.incident = alarm.incident
    excursion.started_at = clock.from_ms(alarm.started_at_ms)
    excursion.raised_at = clock.from_ms(alarm.recorded_at_ms)
    incidents.note_peak(excursion, excursion.peak_value)
    await db.flush()


async def _end(db: AsyncSession, batch: StoredBatch, sensor: KnownSensor, alarm: AlarmEvent) -> bool:
    its = select(Excursion).where(Excursion.sensor_id == sensor.id, Excursion.incident == alarm.incident)
    locked = its.with_for_update()
    excursion = (await db.scalars(locked, execution_options={"populate_existing": True})).one_or_none()
    if excursion is None:
        applied = await _applied(db, batch, sensor, alarm)
        if applied is not None and not applied.is_of_goods:
            await calm(db, Watched(sensor, applied.rule, batch.store), at_ms=alarm.recorded_at_ms)
        return False
    if excursion.status == ExcursionStatus.RECOVERED and excursion.ended_at is not None:
        excursion.ended_at = min(excursion.ended_at, clock.from_ms(alarm.recorded_at_ms))
    await incidents.recover(db, excursion, ended_at_ms=alarm.recorded_at_ms, peak=None, store=batch.store)
    return True


async def _applied(db: AsyncSession, batch: StoredBatch, sensor: KnownSensor, alarm: AlarmEvent) -> Applied | None:
    """The rule of ours that the gateway has judged by, as it is about this sensor; None: there is none any more."""
    its = (await applied_to(db, batch.gateway_id, [sensor])).get(sensor.id, ())
    return next((one for one in its if str(one.rule.id) == alarm.rule and isinstance(one.judged, Limit)), None)
