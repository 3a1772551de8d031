"""How an organisation plans when nobody says otherwise."""

import uuid

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import StaleVersion
from cloud_api.logistics.dispatch.models import PlanningConstraints
from cloud_api.logistics.dispatch.problems import Rules
from cloud_api.logistics.dispatch.schemas import Constraints, ConstraintsRead
from route_optimizer.problem import Objective


async def get(db: AsyncSession) -> Constraints:
    """What was set, or the defaults."""
    return _content(await _row(db))


async def read(db: AsyncSession) -> ConstraintsRead:
    """The same, with its version; 0: nobody has set anything."""
    row = await _row(db)
    content = _content(row).model_dump()
    if row is None:
        return ConstraintsRead(**content, version=0, changed_at=None, changed_by=None)
    return ConstraintsRead(**content, version=row.version, changed_at=row.changed_at, changed_by=row.changed_by)


async def put(
    db: AsyncSession, *, wanted: Constraints, user_id: uuid.UUID | None, version: int | None = None
) -> ConstraintsRead:
    """Set them, all of them. The same again changes nothing.

    Raises:
        StaleVersion: when they are not at the version that the caller has seen.
    """
    start = {"content": {}, "version": 0, "changed_at": clock.now(), "changed_by": user_id}
    await insert_missing(db, PlanningConstraints, start)
    row = (await db.scalars(select(PlanningConstraints).with_for_update())).one()
    if version is not None and version != row.version:
        raise StaleVersion("how you plan", seen=version, current=row.version)
    content = wanted.model_dump(mode="json")
    if row.content != content:
        row.content, row.version = content, row.version + 1
        row.changed_at, row.changed_by = clock.now(), user_id
        await db.flush()
    return await read(db)


def rules_of(constraints: Constraints, *, objective: str | None = None) -> Rules:
    """As a problem is built from them."""
    said = constraints
    wanted = Objective(objective or said.objective)
    return Rules(
        objective=wanted,
        service_time_s=said.service_time_s,
        service_s_per_100_kg=said.service_s_per_100_kg,
        speed_kmh=said.speed_kmh,
        detour_factor=said.detour_factor,
        weekday_factors=tuple(said.weekday_factors),
        weekend_factors=tuple(said.weekend_factors),
        drive_at_most_s=said.drive_at_most_s,
        rest_s=said.rest_s,
        max_stops=said.max_stops,
        max_distance_m=said.max_distance_m,
        chilled_aboard_s=said.chilled_aboard_s,
        frozen_aboard_s=said.frozen_aboard_s,
        late_tolerance_s=said.late_tolerance_s,
        late_cost_per_hour=said.late_cost_per_hour,
        driver_cost_per_hour_minor=said.driver_cost_per_hour_minor,
        fuel_price_minor_per_l=said.fuel_price_minor_per_l,
        co2_price_minor_per_kg=said.co2_price_minor_per_kg,
    )


async def _row(db: AsyncSession) -> PlanningConstraints | None:
    return (await db.scalars(select(PlanningConstraints))).one_or_none()


def _content(row: PlanningConstraints | None) -> Constraints:
    """What stands in the row; a field that an older version wrote otherwise is as if nobody had set it."""
    if row is None:
        return Constraints()
    known = {name: value for name, value in row.content.items() if name in Constraints.model_fields}
    try:
        return Constraints.model_validate(known)
    except ValidationError as error:
        wrong = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
        return Constraints.model_validate({name: value for name, value in known.items() if name not in wrong})
