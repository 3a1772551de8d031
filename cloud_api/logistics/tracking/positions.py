"""Positions as phones report them: checked entry by entry, written by one statement, never in the way of a route.

What they mean (fences, doors, expected arrivals) is looked at afterwards, by `watching`: a report only writes the
positions and the van's newest one, locks nothing else, and wakes who watches.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, literal, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import STAMPED
from cloud_api.logistics.deliveries.models import Route
from cloud_api.logistics.deliveries.queries import VisibleRoutes
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.fleet.models import Vehicle
from cloud_api.logistics.tracking.errors import NoVehicle
from cloud_api.logistics.tracking.models import VehicleLastPosition, VehiclePosition
from cloud_api.logistics.tracking.schemas import PositionReport, PositionResult, PositionsRead
from cloud_api.realtime.hub import topic_of

#: so far a phone's clock may be ahead
_AHEAD = timedelta(minutes=2)
_OLDEST = timedelta(days=7)
CLOCK_IMPLAUSIBLE, TOO_OLD = "CLOCK_IMPLAUSIBLE", "TOO_OLD"


@dataclass(frozen=True, slots=True)
class Van:
    """Whose positions they are."""

    vehicle_id: uuid.UUID
    route_id: uuid.UUID | None
    #: what was recorded before is of no route
    started_at: datetime | None = None

    def route_at(self, recorded_at: datetime) -> uuid.UUID | None:
        """The route that it was driving then."""
        return None if self.started_at is not None and recorded_at < self.started_at else self.route_id


async def van_of(db: AsyncSession, route_id: uuid.UUID | None, *, driver_id: uuid.UUID) -> Van:
    """The van of a driver's route; without one of the route under way, or else the driver's own.

    Raises:
        NotFound: when the driver has no such route.
        NoVehicle: when no route is named, none is under way, and no van is the driver's.
    """
    mine = select(Route.vehicle_id, Route.id, Route.started_at).where(VisibleRoutes(driver_id=driver_id).routes())
    if route_id is not None:
        found = (await db.execute(mine.where(Route.id == route_id))).one_or_none()
        if found is None:
            raise NotFound(f"no route with id {route_id}", field="route_id")
        return Van(found.vehicle_id, found.id)
    found = (await db.execute(mine.where(Route.status == RouteStatus.IN_PROGRESS))).one_or_none()
    if found is not None:
        return Van(found.vehicle_id, found.id, found.started_at)
    own = select(Vehicle.id).where(Vehicle.driver_id == driver_id, Vehicle.status == "active").order_by(Vehicle.id)
    vehicle_id = await db.scalar(own.limit(1))
    if vehicle_id is None:
        raise NoVehicle("you drive no van now: name the route that these positions are of", field="route_id")
    return Van(vehicle_id, None)


async def keep(db: AsyncSession, van: Van, reports: Sequence[PositionReport]) -> PositionsRead:
    """Write down what is plausible and new. Returns what became of each, in the order they came."""
    now = clock.now()
    good = {report.recorded_at: report for report in reversed(reports) if _refusal(report, now) is None}
    # in the order of their key: of two reports of the same positions neither waits for the other for ever
    written = await _write(db, van, [good[at] for at in sorted(good)]) if good else set()
    await _note_newest(db, van, good, has_news=bool(written), now=now)
    results, left = [], set(written)
    for report in reports:
        refused = _refusal(report, now)
        if refused is None:
            is_new = report.recorded_at in left
            left.discard(report.recorded_at)
            results.append(_taken(report.recorded_at, is_new=is_new))
        else:
            results.append(refused)
    refusals = sum(result.status == "refused" for result in results)
    return PositionsRead.model_construct(
        accepted=len(written),
        duplicates=len(reports) - len(written) - refusals,
        refused=refusals,
        results=results,
    )


def _taken(recorded_at: datetime, *, is_new: bool) -> PositionResult:
    # not checked again: there may be hundreds
    return PositionResult.model_construct(recorded_at=recorded_at, status="accepted" if is_new else "duplicate")


def _refusal(report: PositionReport, now: datetime) -> PositionResult | None:
    """Why a position is not believed; None: it is."""
    code, message = "", ""
    if report.recorded_at > now + _AHEAD:
        ahead_s = round((report.recorded_at - now).total_seconds())
        code, message = CLOCK_IMPLAUSIBLE, f"recorded_at lies {ahead_s} s ahead of us: set the phone's clock"
    elif report.recorded_at < now - _OLDEST:
        code, message = TOO_OLD, f"recorded_at is older than {_OLDEST.days} days: such positions are not kept any more"
    if not code:
        return None
    return PositionResult(recorded_at=report.recorded_at, status="refused", code=code, message=message)


async def _write(db: AsyncSession, van: Van, reports: Sequence[PositionReport]) -> set[datetime]:
    """The instants that were not known yet."""
    organization_id = db.sync_session.info["scope"].organization_id
    rows = [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "vehicle_id": van.vehicle_id,
            "route_id": van.route_at(report.recorded_at),
            **_measured(report),
        }
        for report in reports
    ]
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    # as many rows, and the statement is still one that was compiled before; whatever of them is null
    unless_known = insert(VehiclePosition).on_conflict_do_nothing().returning(VehiclePosition.recorded_at)
    written = await db.scalars(unless_known, rows, execution_options={STAMPED: organization_id, "render_nulls": True})
    return set(written.all())


def _measured(report: PositionReport) -> dict[str, object]:
    """The columns that both tables have."""
    return {
        "recorded_at": report.recorded_at,
        "latitude": report.latitude,
        "longitude": report.longitude,
        "speed_kmh": report.speed_kmh,
        "heading_deg": report.heading_deg,
        "accuracy_m": report.accuracy_m,
    }


async def _note_newest(
    db: AsyncSession, van: Van, good: Mapping[datetime, PositionReport], *, has_news: bool, now: datetime
) -> None:
    """The van's newest position, and that its phone was heard; one statement, whoever else reports at this moment."""
    if not good:
        return
    organization_id = db.sync_session.info["scope"].organization_id
    newest_at = max(good)
    values = {"route_id": van.route_at(newest_at), **_measured(good[newest_at])}
    is_newer = VehicleLastPosition.recorded_at < newest_at
    changed: dict[str, object] = {name: _if(is_newer, name, value) for name, value in values.items()}
    changed["heard_at"] = now
    if has_news:
        changed["is_judged"] = False
    row = {
        "id": new_id(),
        "organization_id": organization_id,
        "vehicle_id": van.vehicle_id,
        "heard_at": now,
        "judged_until": None,
        "is_judged": False,
        **values,
    }
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert(VehicleLastPosition).values(row)
    statement = statement.on_conflict_do_update(index_elements=["vehicle_id"], set_=changed)
    await db.execute(statement, execution_options={STAMPED: organization_id})
    if has_news and van.route_id is not None:
        announce(db, topic_of("route", organization_id, van.route_id))


def _if(is_newer: ColumnElement[bool], name: str, value: object) -> ColumnElement[object]:
    column = getattr(VehicleLastPosition, name)
    return case((is_newer, literal(value, column.type)), else_=column)
