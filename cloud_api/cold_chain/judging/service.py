"""What people and other rooms bring about of how rules stand."""

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.alerts import service as alerts
from cloud_api.cold_chain.excursions import incidents
from cloud_api.cold_chain.excursions.models import Excursion
from cloud_api.cold_chain.excursions.service import get_excursion
from cloud_api.cold_chain.judging import keeping
from cloud_api.cold_chain.judging.facts import Applied, applied_to
from cloud_api.cold_chain.judging.models import RuleState
from cloud_api.cold_chain.judging.warnings import subject_of
from cloud_api.cold_chain.rules import limits
from cloud_api.devices.commands import service as commands
from cloud_api.devices.commands.schemas import CommandCreate
from cloud_api.devices.errors import GatewayDecommissioned
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Conflict
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.telemetry.stores.port import ReadingStore
from gateway import rules
from gateway.rules import Cleared, Limit


class NotLatched(Conflict):
    """The excursion ends by itself."""

    code = "NOT_LATCHED"

    def __init__(self) -> None:
        super().__init__("this excursion is not latched: it is over when the value is, nobody has to reset it")


async def reset_excursion(
    db: AsyncSession, excursion_id: uuid.UUID, *, user_id: uuid.UUID, store: ReadingStore, seen: Visible = EVERYWHERE
) -> Excursion:
    """A person takes the latch off, here and at the gateway: it is over when the value is. Once more changes nothing.

    Raises:
        NotFound: when there is no such excursion.
        NotLatched: when it ends by itself.
    """
    found = await get_excursion(db, excursion_id, seen=seen)
    if not found.latched:
        raise NotLatched
    kept = (await keeping.lock_states(db, [found.sensor_id]))[found.sensor_id].get(found.rule_id)
    excursion = await get_excursion(db, excursion_id, seen=seen, locked=True)
    if excursion.reset_at is not None or excursion.status not in incidents.GOING_ON:
        return excursion
    excursion.reset_at, excursion.reset_by = clock.now(), user_id
    sensor = (await known_sensors(db, sensor_ids={excursion.sensor_id}))[excursion.sensor_id]
    limit = Limit(
        str(excursion.rule_id),
        "high" if excursion.kind == "high" else "low",
        excursion.set_at,
        excursion.clear_at,
        excursion.duration_s,
        latched=True,
    )
    state, event = rules.reset(limit, keeping.load(kept), clock.now_ms())
    await keeping.save(db, kept, state, sensor_id=sensor.id, rule_id=excursion.rule_id, judged=limit)
    if isinstance(event, Cleared):
        await incidents.recover(db, excursion, ended_at_ms=event.at_ms, peak=event.peak, store=store)
    try:
        reset = CommandCreate(kind="reset_alarm", target=str(excursion.rule_id))
        await commands.issue_command(db, sensor.gateway_id, new=reset, by=user_id)
    except (GatewayDecommissioned, commands.TooManyCommands):
        pass  # its own alarm is reset by whoever stands before it
    return excursion


async def end_what_applies_no_more(
    db: AsyncSession, *, store: ReadingStore, rule_id: uuid.UUID | None = None, sensor_id: uuid.UUID | None = None
) -> None:
    """End what a rule, or what was raised at a sensor, goes on with though the one is not about the other any more."""
    states, going_on = select(RuleState), select(Excursion).where(Excursion.status.in_(incidents.GOING_ON))
    if rule_id is not None:
        states = states.where(RuleState.rule_id == rule_id)
        going_on = going_on.where(Excursion.rule_id == rule_id)
    if sensor_id is not None:
        states = states.where(RuleState.sensor_id == sensor_id)
        going_on = going_on.where(Excursion.sensor_id == sensor_id)
    kept = (await db.scalars(states.order_by(RuleState.id).with_for_update())).all()
    excursions = (await db.scalars(going_on.order_by(Excursion.id).with_for_update())).all()
    pairs = {(row.sensor_id, row.rule_id) for row in kept} | {(one.sensor_id, one.rule_id) for one in excursions}
    over = await _applying_no_more(db, pairs)
    for row in kept:
        if (row.sensor_id, row.rule_id) in over:
            await db.delete(row)
            for subject in (subject_of(row.rule_id, row.sensor_id), f"sensor:{row.sensor_id}:silent:{row.rule_id}"):
                await alerts.clear_alert(db, subject=subject, at=clock.now())
    for excursion in excursions:
        ended_at_ms = over.get((excursion.sensor_id, excursion.rule_id))
        if ended_at_ms is not None:
            ended_at_ms = max(ended_at_ms, clock.to_ms(excursion.raised_at))
            await incidents.recover(db, excursion, ended_at_ms=ended_at_ms, peak=None, store=store)


async def _applying_no_more(
    db: AsyncSession, pairs: set[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], int]:
    """Of these sensors and rules those that have nothing to do with each other now, and since when."""
    sensors = await known_sensors(db, sensor_ids={sensor_id for sensor_id, _ in pairs})
    by_gateway: dict[uuid.UUID, list[KnownSensor]] = {}
    for sensor in sensors.values():
        by_gateway.setdefault(sensor.gateway_id, []).append(sensor)
    applied: dict[uuid.UUID, tuple[Applied, ...]] = {}
    for gateway_id, its in by_gateway.items():
        applied |= await applied_to(db, gateway_id, its)
    silent = {
        (sensor.id, rule.id)
        for rule in await limits.enabled_rules(db, {sensor.quantity for sensor in sensors.values()})
        if rule.kind == "silent"
        for sensor in sensors.values()
        if await limits.is_about(db, rule, sensor)
    }
    over: dict[tuple[uuid.UUID, uuid.UUID], int] = {}
    for sensor_id, rule_id in pairs - silent:
        last = next((one.stretches[-1] for one in applied.get(sensor_id, ()) if one.rule.id == rule_id), None)
        if last is None or last.to_ms != rules.FAR_MS:
            over[sensor_id, rule_id] = clock.now_ms() if last is None else last.to_ms
    return over
