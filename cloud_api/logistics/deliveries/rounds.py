"""A driver's round: many verbs at its stops in one go, with one look at what they share.

A phone that was away tells hundreds of things at once. What they are about is locked first, in the sequence in which
everybody locks (routes, deliveries, orders, each by key), and each verb finds it in memory. What they all end in is
done once, by `settle`: pictures are shown, stock leaves the vans, the next stop hears that it is next. Locked and
settled in one savepoint: when anything fails all of it is undone, and nothing of the round is used any more.
"""

import uuid
from collections.abc import Collection, Sequence
from typing import Self, TypeVar

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.logistics.deliveries import lookup, stops
from cloud_api.logistics.deliveries.models import Delivery, Route
from cloud_api.media import service as media
from cloud_api.media.models import Media
from cloud_api.orders.book import service as orders
from cloud_api.orders.book.models import CustomerOrder

T = TypeVar("T")


class Round:
    """What is locked, and what is left to do."""

    def __init__(
        self,
        driver_id: uuid.UUID,
        *,
        routes: Sequence[Route] = (),
        deliveries: Sequence[Delivery] = (),
        its_orders: Sequence[CustomerOrder] = (),
        pictures: Sequence[Media] = (),
    ) -> None:
        self._driver_id = driver_id
        self._routes = {route.id: route for route in routes}
        self._deliveries = {delivery.id: delivery for delivery in deliveries}
        self._orders = {order.id: order for order in its_orders}
        self._pictures = {picture.sha256: picture for picture in pictures}
        self._handed: dict[uuid.UUID, Delivery] = {}
        self._shown: list[tuple[Media, uuid.UUID]] = []
        self._passed: dict[uuid.UUID, Route] = {}

    @classmethod
    async def lock(
        cls,
        db: AsyncSession,
        target_ids: Collection[uuid.UUID],
        *,
        driver_id: uuid.UUID,
        sha256s: Collection[str] = (),
    ) -> Self:
        """Lock those of these routes and deliveries that are the driver's own, with their orders.

        Args:
            target_ids: of routes and deliveries.
            sha256s: of the pictures that are going to be named.
        """
        if not target_ids:
            return cls(driver_id)
        on = select(Delivery.route_id).where(Delivery.id.in_(target_ids))
        wanted = select(Route).where(or_(Route.id.in_(target_ids), Route.id.in_(on)), Route.driver_id == driver_id)
        routes = (await db.scalars(_locked(wanted.order_by(Route.id)))).all()
        its = select(Delivery).where(Delivery.id.in_(target_ids), Delivery.route_id.in_([route.id for route in routes]))
        deliveries = (await db.scalars(_locked(its.order_by(Delivery.id)))).all()
        of = select(CustomerOrder).where(CustomerOrder.id.in_([delivery.order_id for delivery in deliveries]))
        its_orders = (await db.scalars(_locked(of.order_by(CustomerOrder.id)))).all()
        here = select(Media).where(Media.sha256.in_(sha256s))
        pictures = (await db.scalars(here)).all() if sha256s else []
        return cls(driver_id, routes=routes, deliveries=deliveries, its_orders=its_orders, pictures=pictures)

    def route(self, route_id: uuid.UUID) -> Route | None:
        """A route of the driver's own; None: it is not of this round."""
        return self._routes.get(route_id)

    async def stop(self, db: AsyncSession, delivery_id: uuid.UUID) -> tuple[Route, Delivery]:
        """A stop of the driver's own, with its route.

        Raises:
            NotFound: when the driver has no such delivery.
        """
        delivery = self._deliveries.get(delivery_id)
        route = None if delivery is None or delivery.route_id is None else self._routes.get(delivery.route_id)
        if delivery is None or route is None:
            return await lookup.driven_stop(db, delivery_id, driver_id=self._driver_id)
        return route, delivery

    async def order_of(self, db: AsyncSession, delivery: Delivery) -> CustomerOrder:
        """Whose goods they are."""
        return self._orders.get(delivery.order_id) or await orders.get_order(db, delivery.order_id)

    async def picture(self, db: AsyncSession, sha256: str) -> Media | None:
        """A picture that has arrived here; None: it has not."""
        return self._pictures.get(sha256) or await media.find(db, sha256)

    def show(self, delivery: Delivery, picture: Media) -> None:
        """A delivery shows a picture."""
        self._shown.append((picture, delivery.id))

    def hand_over(self, deliveries: Collection[Delivery]) -> None:
        """Their goods have left the van."""
        self._handed.update((delivery.id, delivery) for delivery in deliveries)

    def pass_by(self, route: Route) -> None:
        """Another stop of this route may be next."""
        self._passed[route.id] = route

    async def settle(self, db: AsyncSession) -> None:
        """Do what was left to do.

        Raises:
            StockOnHold: when a van was too warm: what is in it may not be handed over.
        """
        if self._shown:
            await media.attach_all(db, self._shown, entity_type="delivery")
        if self._handed:
            references = {delivery.order_id: delivery.number for delivery in self._handed.values()}
            await orders.deliver_orders(db, references, user_id=self._driver_id)
        for _, route in sorted(self._passed.items()):
            await stops.announce_next(db, route)


def _locked(these: Select[tuple[T]]) -> Select[tuple[T]]:
    """As nobody else changes them until the unit of work ends."""
    return these.with_for_update().execution_options(populate_existing=True)
