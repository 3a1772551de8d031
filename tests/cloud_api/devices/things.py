"""What tests of devices look up behind the API: counters, events, histories."""

import uuid
from typing import Any

from sqlalchemy import select

from cloud_api.devices.models import Gateway
from cloud_api.devices.sensors.known import KnownSensor, known_sensors
from cloud_api.kernel.outbox import OutboxEvent
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform


async def facts_version(farm: Platform, store: ColdStore) -> int:
    """How often what is known of the gateway's sensors has changed."""
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return (await db.get_one(Gateway, uuid.UUID(store.gateway_id))).facts_version


async def known(farm: Platform, store: ColdStore, sensor_id: str | None = None) -> KnownSensor:
    """A sensor as ingest knows it."""
    wanted = uuid.UUID(sensor_id or store.sensor_id)
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return (await known_sensors(db, sensor_ids={wanted}))[wanted]


async def emitted(farm: Platform, store: ColdStore, kind: type) -> list[dict[str, Any]]:
    """The events of one type that the store's organisation has emitted, oldest first."""
    its = select(OutboxEvent).where(OutboxEvent.type == kind.__name__).order_by(OutboxEvent.id)
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        return [dict(event.payload) for event in await db.scalars(its)]
