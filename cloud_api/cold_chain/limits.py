"""Which limits a sensor has, and telling gateways theirs: the same limits, judged by the same code, on both sides."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.models import AlertRule
from cloud_api.devices import service as devices
from cloud_api.devices.models import Sensor
from cloud_api.kernel.errors import Invalid
from cloud_api.places import service as places
from gateway.contract import LimitConfig
from gateway.rules import Limit


def limit_of(rule: AlertRule) -> Limit:
    """The rule as the state machine takes it.

    Raises:
        Invalid: when `clear_at` lies on the wrong side of `set_at`.
    """
    try:
        return Limit(
            rule=str(rule.id),
            kind="high" if rule.kind == "high" else "low",
            set_at=rule.set_at,
            clear_at=rule.clear_at,
            duration_s=rule.duration_s,
        )
    except ValueError as error:
        raise Invalid(str(error), field="clear_at") from None


async def rules_of(db: AsyncSession, sensors: Collection[Sensor]) -> dict[uuid.UUID, list[AlertRule]]:
    """The enabled rules of each sensor that has a place: its own place's and those of the places around it."""
    rules = (
        await db.scalars(
            select(AlertRule)
            .where(AlertRule.enabled, AlertRule.quantity.in_({sensor.quantity for sensor in sensors}))
            .order_by(AlertRule.id)
        )
    ).all()
    if not rules:
        return {}
    around = {
        location_id: set(await places.around(db, location_id))
        for location_id in {sensor.location_id for sensor in sensors if sensor.location_id is not None}
    }
    return {
        sensor.id: [
            rule
            for rule in rules
            if rule.quantity == sensor.quantity and rule.location_id in around[sensor.location_id]
        ]
        for sensor in sensors
        if sensor.location_id is not None
    }


async def configure_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> None:
    """Give a gateway the limits of its sensors as they are now."""
    gateway = await devices.lock_config(db, gateway_id)
    sensors = await devices.sensors_of_gateway(db, gateway_id)
    rules = await rules_of(db, sensors)
    limits = [_wire(sensor, rule) for sensor in sensors for rule in rules.get(sensor.id, [])]
    await devices.configure_limits(db, gateway, limits)


async def configure_gateways_in(db: AsyncSession, location_id: uuid.UUID) -> None:
    """Do so for every gateway with a sensor in this place."""
    sensors: Sequence[Sensor] = await devices.sensors_in(db, await places.within(db, location_id))
    for gateway_id in sorted({sensor.gateway_id for sensor in sensors}):
        await configure_gateway(db, gateway_id)


def _wire(sensor: Sensor, rule: AlertRule) -> LimitConfig:
    return LimitConfig(
        rule=str(rule.id),
        sensor=sensor.code,
        quantity=sensor.quantity,
        kind="high" if rule.kind == "high" else "low",
        set_at=rule.set_at,
        clear_at=rule.clear_at,
        duration_s=rule.duration_s,
        offset=sensor.offset,
    )
