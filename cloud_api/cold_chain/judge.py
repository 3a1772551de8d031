"""The cold chain's judge: shown every stored batch, in the transaction that stores it.

It runs the gateway's own state machine over the readings, and takes in what the gateway already decided. Both name a
breach by the same incident key, so whoever comes first opens the excursion and the other finds it.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain import limits, service
from cloud_api.cold_chain.models import AlertRule, RuleState
from cloud_api.devices.alarms.service import take_alarm
from cloud_api.devices.models import Sensor
from cloud_api.kernel.db import insert_missing
from cloud_api.telemetry.judges import StoredBatch, StoredReading
from gateway import rules
from gateway.contract import AlarmEvent


async def judge(db: AsyncSession, batch: StoredBatch) -> None:
    """Open and end the excursions that this batch brings about."""
    for sensor, alarm in batch.alarms:
        await take_alarm(db, batch.gateway_id, sensor, alarm)
        await _take_over(db, sensor, alarm)
    by_sensor: dict[uuid.UUID, list[StoredReading]] = {}
    for reading in batch.readings:
        if reading.quality != "bad" and reading.sensor.status == "active":
            by_sensor.setdefault(reading.sensor.id, []).append(reading)
    sensors = {readings[0].sensor.id: readings[0].sensor for readings in by_sensor.values()}
    rules_of = await limits.rules_of(db, list(sensors.values()))
    pauses = await limits.pauses_of(db, batch.gateway_id) if any(rules_of.values()) else []
    for sensor_id, its_rules in sorted(rules_of.items()):
        for rule in its_rules:
            on = limits.pauses_for(pauses, sensors[sensor_id], rule)
            await _judge_series(db, sensors[sensor_id], rule, by_sensor[sensor_id], on)


async def _judge_series(
    db: AsyncSession,
    sensor: Sensor,
    rule: AlertRule,
    readings: Sequence[StoredReading],
    pauses: Sequence[rules.Pause],
) -> None:
    """Run one rule over one sensor's new readings."""
    kept = await _lock_state(db, sensor, rule)
    limit, state = limits.limit_of(rule), _load(kept)
    for reading in readings:  # in the lane's order, as the gateway judged them: both find the same breaches
        state, event = rules.judge(limit, state, reading.recorded_at_ms, reading.value, pauses)
        if event is None:
            continue
        incident = rules.incident_key(sensor.code, sensor.quantity, str(rule.id), event.started_at_ms)
        if isinstance(event, rules.Raised):
            await service.open_excursion(
                db,
                incident=incident,
                sensor=sensor,
                rule=rule,
                started_at_ms=event.started_at_ms,
                raised_at_ms=event.at_ms,
                value=event.value,
                raised_by="cloud",
            )
        else:
            await service.recover_excursion(
                db, sensor=sensor, incident=incident, ended_at_ms=event.at_ms, peak=event.peak
            )
    if state.phase == "active" and state.peak is not None and state.started_at_ms is not None:
        incident = rules.incident_key(sensor.code, sensor.quantity, str(rule.id), state.started_at_ms)
        await service.note_peak(db, sensor=sensor, incident=incident, peak=state.peak)
    _save(kept, state)


async def _take_over(db: AsyncSession, sensor: Sensor, alarm: AlarmEvent) -> None:
    """Believe what the gateway decided: that a breach is over, or that one began of a rule that is still ours.

    What its watches have raised (silence, a quick change) is no excursion: it says nothing of the goods.
    """
    if alarm.event == "cleared":
        await service.recover_excursion(
            db, sensor=sensor, incident=alarm.incident, ended_at_ms=alarm.recorded_at_ms, peak=None
        )
        return
    if sensor.status != "active" or alarm.kind not in ("high", "low"):
        return
    its_rules = (await limits.rules_of(db, [sensor])).get(sensor.id, [])
    rule = next((rule for rule in its_rules if str(rule.id) == alarm.rule), None)
    if rule is None:
        return
    await service.open_excursion(
        db,
        incident=alarm.incident,
        sensor=sensor,
        rule=rule,
        started_at_ms=alarm.started_at_ms,
        raised_at_ms=alarm.recorded_at_ms,
        value=alarm.value,
        raised_by="gateway",
    )


async def _lock_state(db: AsyncSession, sensor: Sensor, rule: AlertRule) -> RuleState:
    await insert_missing(db, RuleState, {"sensor_id": sensor.id, "rule_id": rule.id, "phase": "clear"})
    return (
        await db.scalars(
            select(RuleState).where(RuleState.sensor_id == sensor.id, RuleState.rule_id == rule.id).with_for_update()
        )
    ).one()


def _load(kept: RuleState) -> rules.State:
    phases: dict[str, rules.Phase] = {"clear": "clear", "pending": "pending", "active": "active"}
    return rules.State(phases[kept.phase], kept.started_at_ms, kept.peak, kept.last_at_ms)


def _save(kept: RuleState, state: rules.State) -> None:
    kept.phase = state.phase
    kept.started_at_ms = state.started_at_ms
    kept.peak = state.peak
    kept.last_at_ms = state.last_at_ms
