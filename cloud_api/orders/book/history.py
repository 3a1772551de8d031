"""What became of an order, and by whom: read from the trail, which is written with each change and cannot be mended."""

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.audit.queries import entries
from cloud_api.orders.book.models import CustomerOrder
from cloud_api.orders.book.queries import VisibleOrders
from cloud_api.orders.book.schemas import HistoryRead


async def history_of(db: AsyncSession, order: CustomerOrder, *, seen: VisibleOrders) -> list[HistoryRead]:
    """Each status that an order came to and each change of what was ordered, oldest first.

    Who of the store did it is the store's business: customers read their own name and no other.
    """
    its = entries(entity=CustomerOrder.__tablename__, entity_id=str(order.id))
    told = []
    for entry in await db.scalars(its.order_by("id")):
        new = entry.new or {}
        if not new.keys() & {"status", "version"}:
            continue
        own = seen.buyer_id is None or seen.buyer_id == entry.actor_id
        told.append(
            HistoryRead(
                status=_text(new.get("status")),
                version=new["version"] if isinstance(new.get("version"), int) else None,
                at=entry.occurred_at,
                by_kind=entry.actor_kind,
                by_name=entry.actor_name if own else "",
                reason=_text(new.get("cancel_reason")),
            )
        )
    return told


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
