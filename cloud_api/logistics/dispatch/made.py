"""Routes that were made and have not left, as a solution that can be looked at and changed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.logistics.deliveries.states import RouteStatus
from cloud_api.logistics.dispatch import constraints, gathering, queries, standings
from cloud_api.logistics.dispatch.errors import NothingToReplan
from cloud_api.logistics.dispatch.problems import recipe_of
from cloud_api.logistics.dispatch.schemas import Move
from cloud_api.logistics.dispatch.solutions import Baseline, Figures, Solution, figures_of
from cloud_api.orders.book.models import CustomerOrder
from route_optimizer.whatif import drawn_up


@dataclass(frozen=True)
class DayOf:
    """A warehouse's day."""

    warehouse_id: uuid.UUID
    delivery_date: date


@dataclass(frozen=True)
class Concern:
    """What some changes by hand are about, among the routes of a day: neither the other vans nor who waits."""

    vehicle_ids: frozenset[uuid.UUID]
    routes: Sequence[Route]
    #: those that are named and wait for a van
    waiting: Sequence[CustomerOrder]


async def routes_of(db: AsyncSession, day: DayOf) -> Sequence[Route]:
    """The routes of a day that have not left, of each van the first."""
    return that_wait(await gathering.routes_of(db, day.delivery_date, day.warehouse_id))


def that_wait(routes: Sequence[Route]) -> Sequence[Route]:
    """Of these routes those that have not left, of each van the first."""
    return standings.one_a_van([route for route in routes if route.status == RouteStatus.PLANNED])


async def concern_of(db: AsyncSession, day: DayOf, routes: Sequence[Route], moves: Sequence[Move]) -> Concern:
    """The vans that these changes name or take a stop from, and the orders they bring in."""
    vans = {van for move in moves for van in (move.vehicle_id, move.with_vehicle_id) if van is not None}
    orders = {move.order_id for move in moves if move.order_id is not None}
    holding = select(Delivery.route_id).where(
        Delivery.order_id.in_(orders),
        Delivery.route_id.in_([route.id for route in routes]),
        Delivery.status.in_(standings.REMAINING),
    )
    held_by = set((await db.scalars(holding)).all())
    vans |= {route.vehicle_id for route in routes if route.id in held_by}
    its = queries.waiting(day.delivery_date, day.warehouse_id).where(CustomerOrder.id.in_(orders))
    return Concern(
        vehicle_ids=frozenset(vans),
        routes=[route for route in routes if route.vehicle_id in vans],
        waiting=(await db.scalars(its)).all(),
    )


async def as_solution(db: AsyncSession, day: DayOf, routes: Sequence[Route], concern: Concern) -> Solution:
    """The routes concerned, as they are; orders that wait are on none of them.

    Every van of the day is there, whatever it brings, so that the hours that ways are reckoned for are the same.

    Raises:
        NothingToReplan: when no van could drive that day, or nothing is there to be driven.
    """
    said = (await constraints.get(db)).model_copy(update={"overtime_s": 0})
    _, depot = await gathering.located(db, day.warehouse_id)
    stands = await standings.read(db, concern.routes)
    everybody = standings.Drives(day.delivery_date, day.warehouse_id, routes, stands.now)
    wagons = await standings.wagons(db, everybody, said, free=True)
    if not wagons or not (routes or concern.waiting):
        raise NothingToReplan("no route of that day waits to leave, and no order for a van", field="delivery_date")
    recipe = recipe_of(
        depot,
        await gathering.doors(db, [*stands.orders.values(), *concern.waiting], said),
        wagons,
        constraints.rules_of(said),
        midnight=await gathering.midnight(db, day.delivery_date),
    )
    problem = recipe.problem()
    orders = {
        str(route.vehicle_id): tuple(str(stop.order_id) for stop in stands.ahead[route.id])
        for route in concern.routes
        if stands.ahead[route.id]
    }
    plan = drawn_up(problem, orders)
    before = {route.vehicle: figures_of(problem, route) for route in plan.routes}
    return Solution(
        recipe=recipe,
        plan=plan,
        baseline=Baseline("the routes as they are", sum(before.values(), Figures()), len(stands.orders), 0),
        before=before,
        standing=stands.standing(),
        routes={str(route.vehicle_id): str(route.id) for route in concern.routes},
    )
