"""What a replan changes, and changing it: only that, and only as long as it still holds."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.kernel import outbox
from cloud_api.logistics.deliveries import service as deliveries
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.schemas import DeliveryStatusChange
from cloud_api.logistics.deliveries.states import DeliveryStatus
from cloud_api.logistics.dispatch import checks, history, queries
from cloud_api.logistics.dispatch.solutions import Figures, Solution, Standing, figures_of
from cloud_api.logistics.events import RouteChanged
from cloud_api.orders.book.states import OrderStatus
from route_optimizer import plan as plans
from route_optimizer.problem import Problem

ChangeKind = Literal["added", "removed", "moved", "handed_over", "resequenced", "later", "sooner", "left_out"]
#: an arrival that moves by less is none that anybody has to look at
_SHIFT_S = 300


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one order."""

    order_id: str
    kind: ChangeKind
    #: vehicles; None: none
    before: str | None
    after: str | None
    #: seconds that its van comes later than planned; negative: sooner; None: none came, or comes
    shift_s: int | None
    #: in words, where there is more to say
    why: str = ""


def changes_of(solution: Solution) -> Sequence[Change]:
    """What a replan does to the orders of a day, and to none of the others; sorted by order."""
    after = {
        visit.stop: (route.vehicle, number, visit.start_s)
        for route in solution.plan.routes
        for number, visit in enumerate(route.visits, start=1)
        if visit.stop not in solution.fetched
    }
    turns = _turned(solution)
    changes = [_of_standing(solution, name, stood, after.get(name), turns) for name, stood in solution.standing.items()]
    changes += [
        Change(name, "added", None, vehicle, None)
        for name, (vehicle, _, _) in after.items()
        if name not in solution.standing
    ]
    return sorted((each for each in changes if each is not None), key=lambda each: each.order_id)


def _of_standing(
    solution: Solution, name: str, stood: Standing, now: tuple[str, int, int] | None, turned: frozenset[str]
) -> Change | None:
    if name in solution.removed:
        return Change(name, "removed", stood.vehicle_id, None, None, solution.removed[name])
    if now is None:
        return Change(name, "left_out", stood.vehicle_id, None, None)
    vehicle, _, start_s = now
    shift_s = start_s - stood.planned_s
    if vehicle != stood.vehicle_id:
        return Change(name, "handed_over" if stood.aboard else "moved", stood.vehicle_id, vehicle, shift_s)
    if name in turned:
        return Change(name, "resequenced", vehicle, vehicle, shift_s)
    if abs(shift_s) < _SHIFT_S:
        return None
    return Change(name, "later" if shift_s > 0 else "sooner", vehicle, vehicle, shift_s)


def _turned(solution: Solution) -> frozenset[str]:
    """Orders that stay with their van, and have another one before them that did not come before."""
    turned = set[str]()
    for route in solution.plan.routes:
        stay = [name for visit in route.visits if (name := visit.stop) in solution.standing]
        stay = [name for name in stay if solution.standing[name].vehicle_id == route.vehicle]
        stood = sorted(stay, key=lambda name: solution.standing[name].sequence)
        turned.update(name for name, other in zip(stay, stood, strict=True) if name != other)
    return frozenset(turned)


@dataclass(frozen=True, slots=True)
class Errand:
    """Whose routes are changed, why, and by what."""

    warehouse_id: uuid.UUID
    delivery_date: date
    objective: str
    #: told to the drivers
    why: str
    user_id: uuid.UUID | None
    kind: Literal["edit", "replan"]
    job_id: uuid.UUID | None = None


async def apply(db: AsyncSession, solution: Solution, errand: Errand) -> None:
    """Change the routes as a solution says, all of it or nothing.

    Raises:
        PlanOutdated: when a stop is no longer where it was, an order cannot be added any more, or a van is gone.
    """
    changes = {change.order_id: change for change in changes_of(solution)}
    routes = {
        route.id: route for route in await deliveries.lock_routes(db, list(map(uuid.UUID, solution.routes.values())))
    }
    stops = await _stops(db, solution, changes)
    outdated = await _outdated(db, solution, changes, stops, routes)
    if outdated:
        raise checks.refusal(outdated, solution.recipe.names)
    for name, change in changes.items():
        if change.kind in ("moved", "removed", "left_out"):
            await _take_away(db, stops[name], change)
    await db.flush()
    problem = solution.recipe.problem()
    touched = {change.before for change in changes.values()} | {change.after for change in changes.values()}
    for planned in sorted(solution.plan.routes, key=lambda each: solution.routes.get(each.vehicle, "")):
        if planned.vehicle in touched:
            await _drive(db, errand, solution, problem, planned, stops=stops)
    emptied = {name for name in touched if name is not None} - {each.vehicle for each in solution.plan.routes}
    for vehicle in sorted(emptied & solution.routes.keys()):
        await _left_alone(db, errand, uuid.UUID(solution.routes[vehicle]))


async def _stops(db: AsyncSession, solution: Solution, changes: Mapping[str, Change]) -> dict[str, Delivery]:
    """The deliveries of all orders on the routes concerned, as they are now, by order."""
    ids = [uuid.UUID(stood.delivery_id) for stood in solution.standing.values()]
    its = select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id).with_for_update()
    found = await db.scalars(its.execution_options(populate_existing=True))
    return {str(stop.order_id): stop for stop in found}


async def _outdated(
    db: AsyncSession,
    solution: Solution,
    changes: Mapping[str, Change],
    stops: Mapping[str, Delivery],
    routes: Mapping[uuid.UUID, Route],
) -> dict[str, str]:
    """Order -> why it cannot be changed any more as the replan says."""
    fresh = [uuid.UUID(each.vehicle) for each in solution.plan.routes if each.vehicle not in solution.routes]
    unfit = await checks.unfit_vans(db, fresh) if fresh else {}
    added = [uuid.UUID(name) for name, change in changes.items() if change.kind == "added"]
    orders = await checks.locked_orders(db, added)
    taken = set((await db.scalars(queries.taken_orders().where(Delivery.order_id.in_(added)))).all())
    found: dict[str, str] = {}
    for name, change in changes.items():
        reason = unfit.get(change.after or "", "")
        if change.kind == "added":
            order = orders.get(uuid.UUID(name))
            if order is None or order.status != OrderStatus.PACKED or order.id in taken:
                reason = "it does not wait for a van any more"
        elif change.kind in ("moved", "handed_over", "left_out", "resequenced"):
            reason = reason or _gone(solution.standing[name], stops.get(name))
        target = routes.get(uuid.UUID(solution.routes[change.after])) if change.after in solution.routes else None
        if target is not None and target.status not in queries.OPEN_ROUTES:
            reason = f"route {target.number} is {target.status} by now"
        if reason:
            found[name] = reason
    return found


def _gone(stood: Standing, stop: Delivery | None) -> str:
    """Why a stop is not where it stood, in words; empty: it is."""
    if stop is None or str(stop.route_id) != stood.route_id:
        return "it is on another route by now, or on none"
    if stop.status == DeliveryStatus.OUT_FOR_DELIVERY and stood.aboard:
        return ""
    if stop.status == DeliveryStatus.ASSIGNED and not stood.aboard:
        return ""
    return "" if stop.status == DeliveryStatus.ARRIVED and stood.aboard else f"it is {stop.status} by now"


async def _take_away(db: AsyncSession, stop: Delivery, change: Change) -> None:
    """A stop leaves its route: for another, because nobody is to bring it, or because nobody can."""
    if stop.status == DeliveryStatus.ASSIGNED:
        await deliveries.take_off(db, stop)
    elif change.kind == "removed" and stop.status in (DeliveryStatus.OUT_FOR_DELIVERY, DeliveryStatus.ARRIVED):
        failed = DeliveryStatusChange(status="failed", failure_reason="excursion", note=change.why)
        await deliveries.move_by_dispatcher(db, stop.id, change=failed)


async def _drive(
    db: AsyncSession,
    errand: Errand,
    solution: Solution,
    problem: Problem,
    planned: plans.Route,
    *,
    stops: Mapping[str, Delivery],
) -> None:
    """One van's rest of the day: a new route, or its own with other stops."""
    visits = [visit for visit in planned.visits if visit.stop not in solution.fetched]
    if planned.vehicle not in solution.routes:
        route = await _new_route(db, errand, solution, planned)
    else:
        route = await deliveries.get_route(db, uuid.UUID(solution.routes[planned.vehicle]))
        arrivals = []
        for visit in visits:
            at = checks.instant(visit.start_s)
            stop = stops.get(visit.stop)
            if stop is None:
                stop = await deliveries.open_attempt(db, uuid.UUID(visit.stop))
            if stop.status == DeliveryStatus.PENDING:
                stop = await deliveries.assign(db, stop, route=route, planned_arrival_at=at)
            elif stop.route_id != route.id and stop.status == DeliveryStatus.OUT_FOR_DELIVERY:
                stop = await deliveries.hand_over(
                    db, stop, to_route=route, planned_arrival_at=at, user_id=errand.user_id
                )
            if stop.status in (DeliveryStatus.ASSIGNED, DeliveryStatus.OUT_FOR_DELIVERY):
                arrivals.append((stop.id, at))
        await deliveries.resequence(db, route.id, arrivals)
        outbox.emit(db, RouteChanged(route.id, errand.why))
    before, after = solution.before.get(planned.vehicle, Figures()), figures_of(problem, planned)
    if planned.vehicle in solution.routes:
        route.distance_m = max(0, route.distance_m + after.distance_m - before.distance_m)
        route.duration_s = max(0, route.duration_s + after.duration_s - before.duration_s)
    history.note(
        db,
        route.id,
        before=before,
        after=after,
        kind=errand.kind,
        objective=errand.objective,
        job_id=errand.job_id,
    )


async def _new_route(db: AsyncSession, errand: Errand, solution: Solution, planned: plans.Route) -> Route:
    driver_id = solution.recipe.drivers.get(planned.vehicle)
    return await deliveries.create_route(
        db,
        new=deliveries.NewRoute(
            vehicle_id=uuid.UUID(planned.vehicle),
            driver_id=None if driver_id is None else uuid.UUID(driver_id),
            warehouse_id=errand.warehouse_id,
            delivery_date=errand.delivery_date,
            departs_at=checks.instant(planned.start_s),
            distance_m=planned.distance_m,
            duration_s=planned.duration_s,
            stops=[
                deliveries.PlannedStop(uuid.UUID(visit.stop), checks.instant(visit.start_s)) for visit in planned.visits
            ],
            planning_job_id=errand.job_id,
        ),
    )


async def _left_alone(db: AsyncSession, errand: Errand, route_id: uuid.UUID) -> None:
    """A route from which everything was taken away: given up where it has not left."""
    route = await deliveries.get_route(db, route_id)
    its = await deliveries.deliveries_of(db, route_id)
    if route.status == "planned" and all(stop.status == DeliveryStatus.CANCELLED for stop in its):
        await deliveries.cancel_route(db, route_id, reason=errand.why or "its stops went to other vans")
    else:
        outbox.emit(db, RouteChanged(route_id, errand.why))
