"""`/api/v1/warehouse/batches/{id}/exposure`: what a lot has been through."""

import uuid

from fastapi import APIRouter

from cloud_api.cold_chain.exposure import history
from cloud_api.cold_chain.exposure.schemas import (
    ExposureRead,
    GapRead,
    HoursRead,
    LotExposureRead,
    ShelfLifeRead,
    StretchRead,
)
from cloud_api.cold_chain.exposure.shelf_life import ShelfLife
from cloud_api.kernel import clock
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/batches", tags=["cold chain"], route_class=ApiRoute)


@router.get("/{id}/exposure", response_model=ExposureRead, dependencies=[require("stock:read")])
async def get_lot_exposure(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ExposureRead:
    """Where the lot lay, what was measured there hour by hour, what excursions did to it, and what is left of it."""
    found = await history.exposure(db, id, seen=seen)
    return ExposureRead(
        lot_id=found.lot.id,
        lot_number=found.lot.lot_number,
        minutes=found.total.minutes,
        degree_minutes=found.total.degree_minutes,
        exposures=[LotExposureRead.model_validate(row) for row in found.exposures],
        shelf_life=None if found.shelf_life is None else _shelf_life(found.shelf_life),
        stretches=[_stretch(stretch) for stretch in found.stretches],
    )


def _shelf_life(found: ShelfLife) -> ShelfLifeRead:
    return ShelfLifeRead(
        reference_c=found.ageing.reference_c,
        q10=found.ageing.q10,
        total_days=round(found.total_days, 2),
        used_days=round(found.used_days, 2),
        remaining_days=round(found.remaining_days, 2),
        unknown_hours=round(found.unknown_hours, 2),
    )


def _stretch(found: history.Stretch) -> StretchRead:
    watch = found.watch
    return StretchRead(
        location_id=found.stay.location_id,
        since=clock.from_ms(found.from_ms),
        until=clock.from_ms(found.to_ms),
        present=found.stay.to_ms is None,
        sensor_id=None if watch is None else watch.sensor.id,
        sensor_location_id=None if watch is None else watch.location_id,
        hours=HoursRead(
            begins_at=[clock.from_ms(hour.begins_ms) for hour in found.hours],
            minimum=[round(hour.minimum, 3) for hour in found.hours],
            mean=[round(hour.mean, 3) for hour in found.hours],
            maximum=[round(hour.maximum, 3) for hour in found.hours],
        ),
        gaps=[GapRead(since=clock.from_ms(since), until=clock.from_ms(until)) for since, until in found.gaps],
    )
