"""What no reading tells: silence of sensors and gateways, and values that hold too long.

Any number of watchdogs may run beside each other. Each only looks for what may have to be decided; a decision is made
in a unit of work of its own, under the lock of its row, by what is true then.
"""

import asyncio
import uuid

import structlog
from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from cloud_api.cold_chain.judging import silence
from cloud_api.cold_chain.judging.models import GatewaySilence, RuleState
from cloud_api.cold_chain.rules.known import GRACE_S
from cloud_api.cold_chain.rules.models import ANY_QUANTITY, AlertRule
from cloud_api.devices.gateways.service import silent_gateways
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.kernel import clock
from cloud_api.kernel.db import Database
from cloud_api.kernel.tenancy import Actor, OrganizationScope, SystemScope
from cloud_api.telemetry.models import SensorSeries
from cloud_api.telemetry.stores.port import ReadingStore

log = structlog.get_logger(__name__)

_POLL_S = 2.0
_GRACE_MS = GRACE_S * 1000
_ACTOR = Actor("worker", None, "watchdog")
#: organisation, sensor, rule
Pair = tuple[uuid.UUID, uuid.UUID, uuid.UUID]


class Watchdog:
    """Looks again and again."""

    def __init__(self, database: Database, store: ReadingStore, *, poll_s: float = _POLL_S) -> None:
        self._database = database
        self._store = store
        self._poll_s = poll_s

    async def run(self) -> None:
        """Look until cancelled; a database that does not answer is asked again."""
        while True:
            try:
                await self.look(clock.now_ms())
            except (SQLAlchemyError, OSError) as error:
                log.warning("watchdog_failed", error=str(error))
            await asyncio.sleep(self._poll_s)

    async def look(self, now_ms: int) -> None:
        """Decide all that is to be decided now: gateways first, whose sensors nobody can hear."""
        for organization_id, gateway_id in await self._gateways(now_ms):
            async with self._database.unit_of_work(OrganizationScope(organization_id), actor=_ACTOR) as db:
                await silence.settle_gateway(db, gateway_id, now_ms=now_ms)
        for organization_id, sensor_id, rule_id in await self._sensors(now_ms):
            async with self._database.unit_of_work(OrganizationScope(organization_id), actor=_ACTOR) as db:
                await silence.settle_sensor(db, sensor_id, rule_id, now_ms=now_ms)
        for organization_id, sensor_id, rule_id in await self._ticking(now_ms):
            async with self._database.unit_of_work(OrganizationScope(organization_id), actor=_ACTOR) as db:
                await silence.settle_tick(db, sensor_id, rule_id, now_ms=now_ms, store=self._store)

    async def _gateways(self, now_ms: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Those that fell silent, and those that are missed but speak."""
        async with self._database.unit_of_work(SystemScope("look for silent gateways"), read_only=True) as db:
            silent = {row.id: row.organization_id for row in await silent_gateways(db, clock.from_ms(now_ms))}
            missed = await db.execute(
                select(GatewaySilence.gateway_id, GatewaySilence.organization_id).where(
                    GatewaySilence.since_ms.is_not(None)
                )
            )
            known = {gateway_id: organization_id for gateway_id, organization_id in missed}
        changed = silent.keys() ^ known.keys()
        return [((silent | known)[gateway_id], gateway_id) for gateway_id in sorted(changed)]

    async def _sensors(self, now_ms: int) -> list[Pair]:
        """Those that are overdue by a rule and not known to be silent, and those that were and have been heard."""
        period_ms = case(
            (AlertRule.duration_s > 0, AlertRule.duration_s * 1000),
            else_=func.coalesce(Sensor.interval_s * 1000, SensorSeries.cadence_ms) + _GRACE_MS,
        )
        overdue = and_(RuleState.id.is_(None), SensorSeries.heard_at_ms + period_ms <= now_ms)
        heard = and_(RuleState.phase == "active", SensorSeries.heard_at_ms > RuleState.last_at_ms)
        its = (
            select(Sensor.organization_id, Sensor.id, AlertRule.id)
            .join(SensorSeries, SensorSeries.sensor_id == Sensor.id)
            .join(Gateway, Gateway.id == Sensor.gateway_id)
            .join(
                AlertRule,
                and_(
                    AlertRule.organization_id == Sensor.organization_id,
                    AlertRule.quantity.in_((Sensor.quantity, ANY_QUANTITY)),
                ),
            )
            .outerjoin(RuleState, and_(RuleState.sensor_id == Sensor.id, RuleState.rule_id == AlertRule.id))
            .where(AlertRule.kind == "silent", AlertRule.enabled, AlertRule.deleted_at.is_(None))
            .where(Sensor.status == "active", Sensor.location_id.is_not(None), Gateway.status == "active")
            .where(or_(overdue, heard))
            .order_by(Sensor.id, AlertRule.id)
        )
        return await self._found(its, "look for silent sensors")

    async def _ticking(self, now_ms: int) -> list[Pair]:
        """Values that hold, and have held long enough; heard of long enough ago that nothing newer is on its way."""
        its = (
            select(RuleState.organization_id, RuleState.sensor_id, RuleState.rule_id)
            .join(AlertRule, AlertRule.id == RuleState.rule_id)
            .join(SensorSeries, SensorSeries.sensor_id == RuleState.sensor_id)
            .where(RuleState.ticks, SensorSeries.heard_at_ms <= now_ms - _GRACE_MS)
            .where(
                or_(
                    RuleState.phase == "clear",
                    RuleState.started_at_ms + AlertRule.duration_s * 1000 <= now_ms,
                )
            )
            .order_by(RuleState.id)
        )
        return await self._found(its, "look for values that hold")

    async def _found(self, its: Select[Pair], reason: str) -> list[Pair]:
        async with self._database.unit_of_work(SystemScope(reason), read_only=True) as db:
            return [(row[0], row[1], row[2]) for row in await db.execute(its)]
