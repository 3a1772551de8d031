"""Which limits a sensor has, and telling gateways theirs: the same limits, judged by the same code, on both sides."""

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.cold_chain.models import AlertRule
from cloud_api.devices.configuration import service as configuration
from cloud_api.devices.models import Gateway, Sensor
from cloud_api.devices.sensors.service import sensors_in, sensors_of_gateway
from cloud_api.kernel.errors import Invalid
from cloud_api.places import service as places
from gateway.contract import LimitConfig, PauseConfig
from gateway.rules import Limit, Pause


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


async def pauses_of(db: AsyncSession, gateway_id: uuid.UUID) -> Sequence[PauseConfig]:
    """When the gateway does not judge, or less strictly: then neither do we."""
    return (await configuration.get_config(db, await db.get_one(Gateway, gateway_id))).pauses


def pauses_for(pauses: Sequence[PauseConfig], sensor: Sensor, rule: AlertRule) -> list[Pause]:
    """Those of one rule of one sensor, as the state machine takes them."""
    return [
        Pause(pause.starts_at_ms, pause.duration_s, pause.every_s, pause.relax_by)
        for pause in pauses
        if (pause.sensor, pause.quantity) == (sensor.code, sensor.quantity)
        and (not pause.rules or str(rule.id) in pause.rules)
    ]


async def configure_gateway(db: AsyncSession, gateway_id: uuid.UUID) -> None:
    """Give a gateway the limits of its sensors as they are now."""
    gateway = await configuration.lock_config(db, gateway_id)
    sensors = await sensors_of_gateway(db, gateway_id)
    rules = await rules_of(db, sensors)
    limits = [_wire(sensor, rule) for sensor in sensors for rule in rules.get(sensor.id, [])]
    await configuration.configure_limits(db, gateway, limits)


async def configure_gateways_in(db: AsyncSession, location_id: uuid.UUID) -> None:
    """Do so for every gateway with a sensor in this place."""
    sensors: Sequence[Sensor] = await sensors_in(db, await places.within(db, location_id))
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
        holds=sensor.unit == "bool",  # a contact says when it changes, and nothing in between
    )
