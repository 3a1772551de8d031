"""What inventory does when it hears itself: promised stock that went on hold is promised anew, or reported."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.people import service as people
from cloud_api.inventory.events import ReservationsAtRisk, StockHeld
from cloud_api.inventory.reservations import service as reservations
from cloud_api.inventory.sightings.reactions import REACTIONS as SIGHTINGS
from cloud_api.kernel import outbox
from cloud_api.kernel.outbox import Subscription, reaction
from cloud_api.notifications import service as notifications
from cloud_api.places import service as places


async def replace_held_stock(db: AsyncSession, event: StockHeld) -> None:
    """Promise what is on hold from elsewhere; tell those who pack orders of what cannot be."""
    place = await places.get_location(db, event.location_id)
    today = await places.today_in(db, place.warehouse_id)
    at_risk = await reservations.replace_held(db, event.stock_level_ids, location_id=place.id, today=today)
    if not at_risk:
        return
    sources = tuple(sorted({reservation.source for reservation in at_risk}))
    packers = await people.users_with_permission(db, "orders:fulfill")
    await notifications.notify(
        db,
        user_ids=await places.who_may_see(db, packers, location_id=event.location_id),
        title=f"{place.name}: promised stock is on hold",
        message=f"{len(sources)} promises are of stock that may not leave, and nothing else can be promised instead: "
        "decide about it, buy more, or tell the customers.",
        severity="warning",
        category="inventory",
        subject=f"hold:{event.hold_id}",
    )
    outbox.emit(db, ReservationsAtRisk(event.hold_id, event.location_id, sources))


REACTIONS: list[Subscription] = [
    reaction(StockHeld, "inventory.replace_held_stock", replace_held_stock),
    *SIGHTINGS,
]
