"""Positions as phones report them: checked entry by entry, written by one statement, never in the way of a route.

What they mean (fences, doors, expected arrivals) is looked at afterwards, by `watching`: a report only writes the
positions and the van's newest one, locks nothing else, and wakes who watches.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, or_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import clock
from cloud_api.kernel.db import announce
from cloud_api.kernel.errors import AppError, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.tenancy import STAMPED
from cloud_api.logistics.deliveries.models import Route
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
#: what of a van's last position is another with a newer one
_NEWEST = ("route_id", "recorded_at", "latitude", "longitude", "speed_kmh", "heading_deg", "accuracy_m")

#: a van, and when
At = tuple[uuid.UUID, datetime]


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


#: what was said of a van
Reported = tuple[Van, Sequence[PositionReport]]


async def van_of(db: AsyncSession, route_id: uuid.UUID | None, *, driver_id: uuid.UUID) -> Van:
    """The van of a driver's route; without one of the route under way, or else the driver's own.

    Raises:
        NotFound: when the driver has no such route.
        NoVehicle: when no route is named, none is under way, and no van is the driver's.
    """
    [van] = await vans_of(db, [(route_id, driver_id)])
    if isinstance(van, AppError):
        raise van
    return van


async def vans_of(
    db: AsyncSession, asked: Sequence[tuple[uuid.UUID | None, uuid.UUID]]
) -> Sequence[Van | NotFound | NoVehicle]:
    """The same of several drivers, each with the route that they name; of whom there is none, why."""
    named = {route_id for route_id, _ in asked if route_id is not None}
    others = {driver_id for route_id, driver_id in asked if route_id is None}
    either = or_(Route.id.in_(named), and_(Route.driver_id.in_(others), Route.status == RouteStatus.IN_PROGRESS))
    columns = (Route.id, Route.driver_id, Route.vehicle_id, Route.status, Route.started_at)
    routes = (await db.execute(select(*columns).where(either))).all()
    on = {(route.id, route.driver_id): Van(route.vehicle_id, route.id) for route in routes}
    driving = {
        route.driver_id: Van(route.vehicle_id, route.id, route.started_at)
        for route in routes
        if route.status == RouteStatus.IN_PROGRESS
    }
    own = await _own_vans(db, others - driving.keys())
    found: list[Van | NotFound | NoVehicle] = []
    for route_id, driver_id in asked:
        if route_id is not None:
            found.append(on.get((route_id, driver_id)) or NotFound(f"no route with id {route_id}", field="route_id"))
        else:
            van = driving.get(driver_id) or own.get(driver_id)
            found.append(
                van or NoVehicle("you drive no van now: name the route that these positions are of", field="route_id")
            )
    return found


async def _own_vans(db: AsyncSession, driver_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, Van]:
    """The first of each driver's own that is in service."""
    if not driver_ids:
        return {}
    its = select(Vehicle.driver_id, Vehicle.id).where(Vehicle.driver_id.in_(driver_ids), Vehicle.status == "active")
    rows = (await db.execute(its.order_by(Vehicle.id.desc()))).tuples()
    return {driver_id: Van(vehicle_id, None) for driver_id, vehicle_id in rows if driver_id is not None}


async def keep(db: AsyncSession, van: Van, reports: Sequence[PositionReport]) -> PositionsRead:
    """Write down what is plausible and new. Returns what became of each, in the order they came."""
    [answer] = await keep_all(db, [(van, reports)])
    return answer


async def keep_all(db: AsyncSession, said: Sequence[Reported]) -> Sequence[PositionsRead]:
    """The same of what several phones said at once. What the first says is new, the same again known."""
    now = clock.now()
    left = await write_down(db, said)
    return [_answer(van, reports, left, now=now) for van, reports in said]


async def write_down(db: AsyncSession, said: Sequence[Reported]) -> set[At]:
    """Write down what is plausible and new, by one statement for all of it. Returns what was new."""
    now = clock.now()
    good: dict[At, tuple[Van, PositionReport]] = {}
    for van, reports in said:
        for report in reports:
            if _refusal(report, now) is None:
                good.setdefault((van.vehicle_id, report.recorded_at), (van, report))
    # in the order of their key: of two reports of the same positions neither waits for the other for ever
    written = await _write(db, [good[at] for at in sorted(good)]) if good else set()
    await _note_newest(db, good, written, now=now)
    return written


def _answer(van: Van, reports: Sequence[PositionReport], left: set[At], *, now: datetime) -> PositionsRead:
    """What became of each; what is new is told once, and taken out of `left`."""
    results = []
    accepted = refusals = 0
    for report in reports:
        refused = _refusal(report, now)
        if refused is not None:
            refusals += 1
            results.append(refused)
            continue
        is_new = (van.vehicle_id, report.recorded_at) in left
        left.discard((van.vehicle_id, report.recorded_at))
        accepted += is_new
        results.append(_taken(report.recorded_at, is_new=is_new))
    return PositionsRead.model_construct(
        accepted=accepted, duplicates=len(reports) - accepted - refusals, refused=refusals, results=results
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


async def _write(db: AsyncSession, said: Sequence[tuple[Van, PositionReport]]) -> set[At]:
    """Those that were not known yet."""
    organization_id = db.sync_session.info["scope"].organization_id
    rows = [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "vehicle_id": van.vehicle_id,
            "route_id": van.route_at(report.recorded_at),
            **_measured(report),
        }
        for van, report in said
    ]
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    unless_known = insert(VehiclePosition).on_conflict_do_nothing()
    told = unless_known.returning(VehiclePosition.vehicle_id, VehiclePosition.recorded_at)
    # as many rows, and the statement is still the same; whatever of them is null
    written = await db.execute(told, rows, execution_options={STAMPED: organization_id, "render_nulls": True})
    return {(vehicle_id, recorded_at) for vehicle_id, recorded_at in written.tuples()}


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
    db: AsyncSession,
    good: Mapping[At, tuple[Van, PositionReport]],
    written: Collection[At],
    *,
    now: datetime,
) -> None:
    """Each van's newest position, and that its phone was heard; one statement, whoever else reports at this moment."""
    newest: dict[uuid.UUID, At] = {}
    for at in good:
        newest[at[0]] = max(at, newest.get(at[0], at))
    if not newest:
        return
    organization_id = db.sync_session.info["scope"].organization_id
    with_news = {vehicle_id for vehicle_id, _ in written}
    rows = []
    for vehicle_id, at in sorted(newest.items()):
        van, report = good[at]
        rows.append(
            {
                "id": new_id(),
                "organization_id": organization_id,
                "vehicle_id": vehicle_id,
                "heard_at": now,
                "judged_until": None,
                "is_judged": vehicle_id not in with_news,
                "route_id": van.route_at(report.recorded_at),
                **_measured(report),
            }
        )
    insert = sqlite_insert if db.get_bind().dialect.name == "sqlite" else postgresql_insert
    statement = insert(VehicleLastPosition)
    said = statement.excluded
    is_newer = VehicleLastPosition.recorded_at < said.recorded_at
    changed: dict[str, object] = {
        name: case((is_newer, said[name]), else_=getattr(VehicleLastPosition, name)) for name in _NEWEST
    }
    changed["heard_at"] = said.heard_at
    changed["is_judged"] = and_(VehicleLastPosition.is_judged, said.is_judged)
    statement = statement.on_conflict_do_update(index_elements=["vehicle_id"], set_=changed)
    await db.execute(statement, rows, execution_options={STAMPED: organization_id, "render_nulls": True})
    for route_id in {van.route_id for at, (van, _) in good.items() if at in written and van.route_id is not None}:
        announce(db, topic_of("route", organization_id, route_id))
