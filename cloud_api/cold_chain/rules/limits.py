"""Which rules are about a sensor, and telling gateways the limits among them: judged by the same code on both sides."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.rules.known import KnownRule, known
from cloud_api.cold_chain.rules.models import ANY_QUANTITY, AlertRule
from cloud_api.devices.configuration import service as configuration
from cloud_api.devices.gateways.service import count_change
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.devices.sensors.known import KnownSensor
from cloud_api.devices.sensors.service import sensors_in, sensors_of_gateway
from cloud_api.places import service as places
from gateway.contract import LimitConfig, PauseConfig


async def enabled_rules(db: AsyncSession, quantities: Collection[str]) -> list[KnownRule]:
    """What is judged of these quantities, in key order."""
    rules = await db.scalars(
        select(AlertRule)
        .where(AlertRule.enabled, AlertRule.deleted_at.is_(None))
        .where(AlertRule.quantity.in_({*quantities, ANY_QUANTITY}))
        .order_by(AlertRule.id)
    )
    return [known(rule) for rule in rules]


async def around(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Of each place: itself and the places around it, whose rules are its own."""
    return {location_id: set(await places.around(db, location_id)) for location_id in sorted(location_ids)}


async def is_about(db: AsyncSession, rule: KnownRule, sensor: KnownSensor) -> bool:
    """Whether a rule judges a sensor where it is now."""
    if sensor.status != "active" or sensor.location_id is None or rule.quantity not in (sensor.quantity, ANY_QUANTITY):
        return False
    return rule.location_id in await places.around(db, sensor.location_id)


async def pauses_of(db: AsyncSession, gateway_id: uuid.UUID) -> Sequence[PauseConfig]:
    """When the gateway does not judge, or less strictly: then neither do we."""
    return (await configuration.get_config(db, await db.get_one(Gateway, gateway_id))).pauses


async def configure_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> None:
    """Give a gateway the limits of its sensors as they are now, and let who keeps its facts read them again."""
    gateway = await configuration.lock_config(db, gateway_id)
    sensors = await sensors_of_gateway(db, gateway_id)
    rules = [rule for rule in await enabled_rules(db, {sensor.quantity for sensor in sensors})]
    near = await around(db, {sensor.location_id for sensor in sensors if sensor.location_id is not None})
    limits = [
        _wire(sensor, rule)
        for sensor in sensors
        for rule in rules
        if rule.kind in ("high", "low")
        and rule.quantity == sensor.quantity
        and sensor.location_id is not None
        and rule.location_id in near[sensor.location_id]
    ]
    await configuration.configure_limits(db, gateway, limits)
    await count_change(db, gateway_id)


async def configure_gateways_in(db: AsyncSession, location_id: uuid.UUID) -> None:
    """Do so for every gateway with a sensor in this place."""
    sensors: Sequence[Sensor] = await sensors_in(db, await places.within(db, location_id))
    for gateway_id in sorted({sensor.gateway_id for sensor in sensors}):
        await configure_gateway(db, gateway_id)


def _wire(sensor: Sensor, rule: KnownRule) -> LimitConfig:
    limit = rule.limit(holds=sensor.unit == "bool")
    return LimitConfig(
        rule=limit.rule,
        sensor=sensor.code,
        quantity=sensor.quantity,
        kind=limit.kind,
        set_at=limit.set_at,
        clear_at=limit.clear_at,
        duration_s=limit.duration_s,
        offset=sensor.offset,
        holds=limit.holds,
        latched=limit.latched,
        gain=sensor.gain,
    )
