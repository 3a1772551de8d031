"""`/api/v1/telemetry/weights`, and when the weights of a scale are believed."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.sightings.models import Weight
from cloud_api.inventory.sightings.queries import visible_sightings
from cloud_api.inventory.sightings.weighing import service
from cloud_api.inventory.sightings.weighing.models import WeighingRule, WeightUse
from cloud_api.inventory.sightings.weighing.schemas import (
    StabilityRead,
    StabilityWrite,
    WeightApply,
    WeightRead,
    WeightUseRead,
)
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(tags=["inventory"], route_class=ApiRoute)


@router.get("/telemetry/weights", response_model=list[WeightRead], dependencies=[require("telemetry:read")])
async def list_weights(
    db: Db,
    seen: VisiblePlaces,
    query: Annotated[PageQuery, Depends()],
    scale_id: uuid.UUID | None = None,
    applied: bool | None = None,
) -> Page[WeightRead]:
    """What scales showed standing still, newest first; with `applied=false` what nobody has used."""
    mine = select(Weight).where(visible_sightings(Weight, seen))
    if scale_id is not None:
        mine = mine.where(Weight.scale_id == scale_id)
    if applied is not None:
        used = select(WeightUse.id).where(WeightUse.weight_id == Weight.id).exists()
        mine = mine.where(used if applied else ~used)
    rows = await page(db, mine, Weight.id, query)
    return Page(await _read(db, rows.items), rows.limit, rows.next_cursor)


@router.get("/telemetry/weights/{id}", response_model=WeightRead, dependencies=[require("telemetry:read")])
async def get_weight(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> WeightRead:
    """What a scale showed standing still, and what it was used for."""
    [read] = await _read(db, [await service.get_weight(db, id, seen=seen)])
    return read


@router.post(
    "/telemetry/weights/{id}/apply",
    response_model=WeightUseRead,
    status_code=201,
    dependencies=[require("stock:write")],
)
async def apply_weight(
    db: Db, principal: CurrentPrincipal, seen: VisiblePlaces, id: uuid.UUID, body: WeightApply
) -> WeightUseRead:
    """Use a weight for a receipt, a pick, a count or a correction: once."""
    use, quantity = await service.apply_weight(db, id, wish=body, by=principal.id, seen=seen)
    said = {name: getattr(use, name) for name in WeightUseRead.model_fields if name != "quantity"}
    return WeightUseRead.model_validate({**said, "quantity": quantity})


@router.get("/edge/scales/{id}/stability", response_model=StabilityRead, dependencies=[require("devices:read")])
async def get_scale_stability(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> WeighingRule:
    """When a weight of a scale is believed beyond what the scale itself says."""
    return await service.stability_of(db, id, seen=seen)


@router.put("/edge/scales/{id}/stability", response_model=StabilityRead, dependencies=[require("devices:write")])
async def set_scale_stability(db: Db, seen: VisiblePlaces, id: uuid.UUID, body: StabilityWrite) -> WeighingRule:
    """Say how many weights in how much time must say the same within one division."""
    return await service.set_stability(db, id, wish=body, seen=seen)


async def _read(db: AsyncSession, weights: Sequence[Weight]) -> list[WeightRead]:
    uses = await db.execute(
        select(WeightUse.weight_id, WeightUse.kind).where(WeightUse.weight_id.in_([weight.id for weight in weights]))
    )
    kinds = dict(uses.tuples().all())
    return [
        WeightRead.model_validate(weight).model_copy(update={"applied_as": kinds.get(weight.id)}) for weight in weights
    ]
