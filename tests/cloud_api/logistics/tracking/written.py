"""What stands in the database of a road's organisation."""

import uuid

from sqlalchemy import select

from cloud_api.kernel.outbox import OutboxEvent
from cloud_api.logistics.tracking import service
from cloud_api.logistics.tracking.models import DeliveryTrack, EtaPromise, VehicleLastPosition, VehiclePosition
from tests.factories.roads import Road


async def kept(road: Road) -> list[VehiclePosition]:
    """The positions of a road's van, oldest first."""
    async with road.platform.database.unit_of_work(road.tenant.organization, read_only=True) as db:
        its = select(VehiclePosition).where(VehiclePosition.vehicle_id == uuid.UUID(road.vehicle_id))
        return [*(await db.scalars(its.order_by(VehiclePosition.recorded_at))).all()]


async def newest(road: Road) -> VehicleLastPosition:
    async with road.platform.database.unit_of_work(road.tenant.organization, read_only=True) as db:
        return (await service.last_positions(db, [uuid.UUID(road.vehicle_id)]))[uuid.UUID(road.vehicle_id)]


async def told(road: Road, type: str) -> list[dict[str, object]]:
    """Events of a type in the road's organisation, oldest first."""
    async with road.platform.database.unit_of_work(road.tenant.organization, read_only=True) as db:
        its = select(OutboxEvent.payload).where(OutboxEvent.type == type).order_by(OutboxEvent.id)
        return [*(await db.scalars(its)).all()]


async def track_of(road: Road, stop: int) -> DeliveryTrack | None:
    async with road.platform.database.unit_of_work(road.tenant.organization, read_only=True) as db:
        its = select(DeliveryTrack).where(DeliveryTrack.delivery_id == uuid.UUID(road.delivery_ids[stop]))
        return (await db.scalars(its)).one_or_none()


async def promised(road: Road) -> list[EtaPromise]:
    async with road.platform.database.unit_of_work(road.tenant.organization, read_only=True) as db:
        return [*(await db.scalars(select(EtaPromise).order_by(EtaPromise.id))).all()]
