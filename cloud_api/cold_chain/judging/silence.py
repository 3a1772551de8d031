"""Deciding, one thing at a time and under its lock: who is silent, who speaks again, what time alone has raised."""

import uuid
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.excursions.incidents import Watched
from cloud_api.cold_chain.judging import keeping
from cloud_api.cold_chain.judging.facts import applied_to
from cloud_api.cold_chain.judging.models import GatewaySilence, RuleState
from cloud_api.cold_chain.judging.warnings import warn
from cloud_api.cold_chain.rules import limits
from cloud_api.cold_chain.rules.known import GRACE_S, KnownRule, known, pauses_for
from cloud_api.cold_chain.rules.models import AlertRule
from cloud_api.devices.models import Gateway
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.places import service as places
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.stores.port import ReadingStore
from gateway import rules
from gateway.rules import Cleared, Limit, Raised, State, Watch

_GRACE_MS = GRACE_S * 1000


def is_overdue(gateway: Gateway, now_ms: int) -> bool:
    """Whether a gateway has missed a heartbeat and ten seconds; one that speaks in this very millisecond has not."""
    if gateway.last_seen_at is None or gateway.status == "decommissioned":
        return False
    return now_ms - clock.to_ms(gateway.last_seen_at) > gateway.heartbeat_interval_s * 1000 + _GRACE_MS


async def settle_gateway(db: AsyncSession, gateway_id: uuid.UUID, *, now_ms: int) -> None:
    """Raise the alert of a gateway that is silent; clear that of one that speaks again, or that nobody awaits."""
    await insert_missing(db, GatewaySilence, {"gateway_id": gateway_id, "since_ms": None, "back_at_ms": None})
    its = select(GatewaySilence).where(GatewaySilence.gateway_id == gateway_id).with_for_update()
    silence = (await db.scalars(its)).one()
    gateway = (await db.scalars(select(Gateway).where(Gateway.id == gateway_id))).one()
    overdue, subject = is_overdue(gateway, now_ms), f"gateway:{gateway_id}:offline"
    if overdue and silence.since_ms is None and gateway.last_seen_at is not None:
        silence.since_ms, silence.back_at_ms = clock.to_ms(gateway.last_seen_at), None
        await alerts.raise_alert(
            db,
            group=f"gateway_offline:{gateway_id}",
            subject=subject,
            alert_type="gateway_offline",
            severity="warning",
            title=f"{gateway.name} is offline",
            message=f"nothing was heard of it since {gateway.last_seen_at:%H:%M:%S} UTC",
            location_id=None,
            at=clock.from_ms(now_ms),
        )
    elif not overdue and silence.since_ms is not None:
        silence.since_ms, silence.back_at_ms = None, now_ms
        await alerts.clear_alert(db, subject=subject, at=clock.from_ms(now_ms))


async def settle_sensor(db: AsyncSession, sensor_id: uuid.UUID, rule_id: uuid.UUID, *, now_ms: int) -> None:
    """Raise the alert of a sensor that is silent, or clear that of one that is heard again."""
    rule = (await db.scalars(select(AlertRule).where(AlertRule.id == rule_id))).one()
    sensor = (await known_sensors(db, sensor_ids={sensor_id}))[sensor_id]
    if not rule.enabled or rule.deleted_at is not None or not await limits.is_about(db, known(rule), sensor):
        return
    row = await _lock_state(db, sensor_id, rule_id)
    series = (await db.scalars(select(SensorSeries).where(SensorSeries.sensor_id == sensor_id))).one()
    period_ms = _period_ms(known(rule), sensor, series)
    heard_ms = await _heard_since(db, sensor, series)
    if period_ms is None or heard_ms is None:
        await db.delete(row)
        return
    watch = Watch(str(rule_id), "silent", period_ms / 1000)
    state: State = keeping.load(row)
    if state.phase == "active":
        if series.heard_at_ms is not None and series.heard_at_ms > (state.last_at_ms or 0):
            state, event = rules.hear(watch, state, series.heard_at_ms)
            if isinstance(event, Cleared):
                await alerts.clear_alert(db, subject=subject_of(sensor_id, rule_id), at=clock.from_ms(event.at_ms))
    elif not await _is_gateway_silent(db, sensor.gateway_id, now_ms):
        pauses = pauses_for(
            await limits.pauses_of(db, sensor.gateway_id),
            sensor=sensor.code,
            quantity=sensor.quantity,
            rule=known(rule),
        )
        state, event = rules.tick(watch, replace(state, last_at_ms=heard_ms), now_ms, pauses)
        if isinstance(event, Raised):
            await _tell_silence(db, sensor, known(rule), event)
    await keeping.save(db, row, state, sensor_id=sensor_id, rule_id=rule_id, judged=watch)


async def settle_tick(
    db: AsyncSession, sensor_id: uuid.UUID, rule_id: uuid.UUID, *, now_ms: int, store: ReadingStore
) -> None:
    """Judge a value that holds, as it is now: a door left open says nothing more."""
    row = (await keeping.lock_states(db, [sensor_id]))[sensor_id].get(rule_id)
    sensor = (await known_sensors(db, sensor_ids={sensor_id}))[sensor_id]
    if row is None or await _is_gateway_silent(db, sensor.gateway_id, now_ms):
        return
    applied = (await applied_to(db, sensor.gateway_id, [sensor])).get(sensor_id, ())
    its = next((one for one in applied if one.rule.id == rule_id), None)
    if its is None or not isinstance(its.judged, Limit):
        return
    state, event = rules.tick(its.judged, keeping.load(row), now_ms, its.pauses)
    if isinstance(event, Raised):
        await warn(db, Watched(sensor, its.rule, store), at_ms=event.at_ms, value=event.value)
    await keeping.save(db, row, state, sensor_id=sensor_id, rule_id=rule_id, judged=its.judged)


def subject_of(sensor_id: uuid.UUID, rule_id: uuid.UUID) -> str:
    """Of the alert of a silent sensor."""
    return f"sensor:{sensor_id}:silent:{rule_id}"


async def _lock_state(db: AsyncSession, sensor_id: uuid.UUID, rule_id: uuid.UUID) -> RuleState:
    await insert_missing(db, RuleState, {"sensor_id": sensor_id, "rule_id": rule_id})
    its = select(RuleState).where(RuleState.sensor_id == sensor_id, RuleState.rule_id == rule_id)
    return (await db.scalars(its.with_for_update(), execution_options={"populate_existing": True})).one()


def _period_ms(rule: KnownRule, sensor: KnownSensor, series: SensorSeries) -> int | None:
    """How long it may be silent; None: nobody knows how often it speaks."""
    if rule.duration_s:
        return rule.duration_s * 1000
    cadence_ms = series.cadence_ms if sensor.interval_s is None else sensor.interval_s * 1000
    return None if cadence_ms is None else cadence_ms + _GRACE_MS


async def _heard_since(db: AsyncSession, sensor: KnownSensor, series: SensorSeries) -> int | None:
    """When it was heard, by our clock; no earlier than its gateway speaks again."""
    its = select(GatewaySilence.back_at_ms).where(GatewaySilence.gateway_id == sensor.gateway_id)
    back_at_ms = (await db.scalars(its)).one_or_none()
    return series.heard_at_ms if series.heard_at_ms is None else max(series.heard_at_ms, back_at_ms or 0)


async def _is_gateway_silent(db: AsyncSession, gateway_id: uuid.UUID, now_ms: int) -> bool:
    gateway = (await db.scalars(select(Gateway).where(Gateway.id == gateway_id))).one()
    return gateway.status == "decommissioned" or is_overdue(gateway, now_ms)


async def _tell_silence(db: AsyncSession, sensor: KnownSensor, rule: KnownRule, event: Raised) -> None:
    assert sensor.location_id is not None  # noqa: S101 - a rule is about places
    place = await places.get_location(db, sensor.location_id)
    await alerts.raise_alert(
        db,
        group=f"silent:{sensor.quantity}:{sensor.location_id}",
        subject=subject_of(sensor.id, rule.id),
        alert_type="sensor_failure",
        severity=rule.severity,
        title=f"{place.name}: {sensor.code} is silent",
        message=f"no {sensor.quantity.replace('_', ' ')} of it was heard since "
        f"{clock.from_ms(event.started_at_ms):%H:%M:%S} UTC",
        location_id=sensor.location_id,
        policy_id=rule.policy_id,
        rule_id=rule.id,
        at=clock.from_ms(event.at_ms),
    )
