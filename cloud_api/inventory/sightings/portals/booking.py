"""From a passage to the ledger: at once when the rule says so, otherwise when somebody accepts the proposal.

What a passage asks for is done once, whatever is delivered or sent twice: its row is locked, and its state says whether
it is done. The tag says where the books have its goods: what they have already is not booked again.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.inventory.assets import service as assets
from cloud_api.inventory.errors import StockOnHold
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.ledger.service import Entry
from cloud_api.inventory.occupancy import service as occupancy
from cloud_api.inventory.occupancy.service import Arrival
from cloud_api.inventory.sightings.events import PassageReady
from cloud_api.inventory.sightings.portals import queries
from cloud_api.inventory.sightings.portals.errors import GoodsGone, GoodsNowhere, LateSighting, NothingToBook
from cloud_api.inventory.sightings.portals.models import Passage
from cloud_api.inventory.sightings.portals.states import PASSAGE, PassageAction, PassageStatus
from cloud_api.inventory.sightings.tags import service as tags
from cloud_api.inventory.sightings.tags.models import OF_GOODS, Tag, TagContent
from cloud_api.inventory.stock.booking import book
from cloud_api.inventory.transfers.schemas import MoveCreate
from cloud_api.inventory.transfers.service import transfer_stock
from cloud_api.kernel import clock
from cloud_api.kernel.errors import AppError, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be booked of a passage, by whom."""

    passage: Passage
    tag: Tag
    #: None: by itself
    by: uuid.UUID | None
    #: where the goods were, as somebody says who knows better than the books; None: as the books have it
    from_location_id: uuid.UUID | None = None


async def book_passage(db: AsyncSession, event: PassageReady) -> None:
    """Book a passage by itself; what cannot be booked becomes a proposal that says why."""
    passage = await get_passage(db, event.passage_id, locked=True)
    if passage.status != PassageStatus.READY:
        return
    try:
        async with db.begin_nested():
            await _carry_out(db, _Order(passage, await _tag_of(db, passage), by=None))
    except AppError as refusal:
        await db.refresh(passage)  # what was tried is forgotten
        action = PassageAction.SKIP if isinstance(refusal, NothingToBook) else PassageAction.PROPOSE
        passage.reason, passage.message = refusal.code, refusal.message
    else:
        action = PassageAction.BOOK
    passage.status = PASSAGE.apply(PassageStatus(passage.status), action)
    await db.flush()


async def accept(
    db: AsyncSession,
    passage_id: uuid.UUID,
    *,
    by: uuid.UUID,
    from_location_id: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> Passage:
    """Book what a proposal says. Doing it again changes nothing.

    Args:
        from_location_id: where the goods were before, when that is not where the books have them.

    Raises:
        NotFound: when there is no such passage, or a place is not there.
        InvalidTransition: when it is no proposal.
        AppError: when it cannot be booked, as its verb says; the proposal stays.
    """
    passage = await get_passage(db, passage_id, seen=seen, locked=True)
    if passage.status == PassageStatus.BOOKED:
        return passage
    status = PASSAGE.apply(PassageStatus(passage.status), PassageAction.BOOK)
    for location_id in (from_location_id, passage.to_location_id):
        if location_id is not None:
            await places.get_location(db, location_id, seen=seen)
    await _carry_out(db, _Order(passage, await _tag_of(db, passage), by, from_location_id))
    passage.status, passage.reason, passage.message = status, "", ""
    passage.decided_by, passage.decided_at = by, clock.now()
    await db.flush()
    return passage


async def reject(
    db: AsyncSession, passage_id: uuid.UUID, *, by: uuid.UUID, reason: str, seen: Visible = EVERYWHERE
) -> Passage:
    """Book nothing of a proposal. Doing it again changes nothing.

    Raises:
        NotFound: when there is no such passage.
        InvalidTransition: when it is no proposal.
    """
    passage = await get_passage(db, passage_id, seen=seen, locked=True)
    if passage.status == PassageStatus.REJECTED:
        return passage
    passage.status = PASSAGE.apply(PassageStatus(passage.status), PassageAction.REJECT)
    passage.message, passage.decided_by, passage.decided_at = reason, by, clock.now()
    await db.flush()
    return passage


async def get_passage(
    db: AsyncSession, passage_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> Passage:
    """One passage; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(Passage).where(Passage.id == passage_id, queries.visible_passages(seen))
    its = its.execution_options(populate_existing=locked)
    passage = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if passage is None:
        raise NotFound(f"no passage with id {passage_id}")
    return passage


async def _tag_of(db: AsyncSession, passage: Passage) -> Tag:
    assert passage.tag_id is not None  # noqa: S101 - what is ready or proposed has one
    return await tags.get_tag(db, passage.tag_id, locked=True)


async def _carry_out(db: AsyncSession, order: _Order) -> None:
    """Do what a passage asks for.

    Raises:
        NothingToBook: when the books have it already.
        GoodsNowhere, GoodsGone, LateSighting: when the books cannot know what to do.
        StockOnHold: when it is on hold, and is to go by itself or to leave.
        NotEnoughStock: when the books have less there, or have promised it.
    """
    passage, tag = order.passage, order.tag
    if tag.unbound_at is not None:
        raise NothingToBook("the tag has been taken off what it was on", field="id")
    if tag.goods_moved_at is not None and order.by is None and passage.began_at <= tag.goods_moved_at:
        raise LateSighting("something later was booked of this tag already", field="id")
    if tag.entity_type not in OF_GOODS:
        assert passage.to_location_id is not None and tag.item_id is not None  # noqa: S101, PT018 - settled so
        await assets.move_item(db, tag.item_id, location_id=passage.to_location_id, by=order.by, text=_reference(order))
        return
    contents = (await tags.contents_of(db, [tag.id])).get(tag.id, ())
    from_id = order.from_location_id or tag.goods_location_id
    match passage.action:
        case "receive":
            await _receive(db, order, contents, from_id)
        case "ship":
            await _ship(db, order, contents, from_id)
        case _:
            await _transfer(db, order, contents, from_id)
    tag.goods_moved_at = max(filter(None, (tag.goods_moved_at, passage.ended_at)))
    passage.from_location_id = from_id
    await db.flush()


async def _receive(db: AsyncSession, order: _Order, contents: Sequence[TagContent], from_id: uuid.UUID | None) -> None:
    """Goods come in; what has come in already does not again."""
    to_id = _destination(order)
    if from_id is not None:
        raise NothingToBook("the books have received these goods", field="id")
    if order.tag.goods_gone_at is not None:
        raise GoodsGone("the books have shipped these goods: bind the tag anew to what it is on now", field="id")
    location, lots = await places.get_location(db, to_id), await _lots(db, contents)
    arrivals = [
        Arrival(
            location=location,
            product=await catalog.get_product(db, lots[row.lot_id].product_id),
            quantity=row.quantity,
            weight_g=row.weight_g,
        )
        for row in contents
    ]
    await occupancy.check_put_away(db, arrivals)
    order.passage.group_id = new_id()
    await book(db, [_entry(order, "inbound", lots[row.lot_id], to_id, row, sign=1) for row in contents])
    order.tag.goods_location_id = to_id


async def _ship(db: AsyncSession, order: _Order, contents: Sequence[TagContent], from_id: uuid.UUID | None) -> None:
    """Goods leave."""
    if order.tag.goods_gone_at is not None:
        raise NothingToBook("the books have shipped these goods", field="id")
    at = _known(from_id)
    lots = await _lots(db, contents)
    order.passage.group_id = new_id()
    await book(db, [_entry(order, "outbound", lots[row.lot_id], at, row, sign=-1) for row in contents])
    order.tag.goods_location_id, order.tag.goods_gone_at = None, order.passage.ended_at


async def _transfer(db: AsyncSession, order: _Order, contents: Sequence[TagContent], from_id: uuid.UUID | None) -> None:
    """Goods go from where the books have them to where they were seen; their holds go with them."""
    to_id = _destination(order)
    if order.tag.goods_gone_at is not None and order.from_location_id is None:
        raise GoodsGone("the books have shipped these goods: bind the tag anew to what it is on now", field="id")
    at = _known(from_id)
    if at == to_id:
        raise NothingToBook("the books have the goods there", field="id")
    await _check_free(db, order, contents, at)
    lines = [
        MoveCreate(
            lot_id=row.lot_id,
            from_location_id=at,
            to_location_id=to_id,
            quantity=row.quantity,
            weight_g=row.weight_g,
        )
        for row in contents
    ]
    moved = await transfer_stock(db, lines=lines, reference=_reference(order), source="rfid", moved_by=order.by)
    order.passage.group_id = moved[0].group_id
    order.tag.goods_location_id = to_id


async def _check_free(db: AsyncSession, order: _Order, contents: Sequence[TagContent], at: uuid.UUID) -> None:
    """Stock on hold goes nowhere by itself: somebody looks first."""
    if order.by is not None:
        return
    held = select(Lot.lot_number).join(StockLevel, StockLevel.lot_id == Lot.id)
    held = held.where(
        StockLevel.location_id == at,
        StockLevel.lot_id.in_([row.lot_id for row in contents]),
        StockLevel.status == "on_hold",
    )
    number = await db.scalar(held.order_by(Lot.lot_number).limit(1))
    if number is not None:
        raise StockOnHold(f"lot {number} is on hold there: accept the proposal to move it with its hold", field="id")


async def _lots(db: AsyncSession, contents: Sequence[TagContent]) -> dict[uuid.UUID, Lot]:
    return {lot.id: lot for lot in await db.scalars(select(Lot).where(Lot.id.in_([row.lot_id for row in contents])))}


def _entry(
    order: _Order,
    movement_type: str,
    lot: Lot,
    location_id: uuid.UUID,
    row: TagContent,
    *,
    sign: int,
) -> Entry:
    return Entry(
        movement_type=movement_type,
        lot=lot,
        location_id=location_id,
        quantity=sign * row.quantity,
        weight_g=None if row.weight_g is None else sign * row.weight_g,
        unit_cost=lot.unit_cost if movement_type == "inbound" else None,
        reference=_reference(order),
        source="rfid",
        group_id=order.passage.group_id,
        recorded_by=order.by,
    )


def _reference(order: _Order) -> str:
    return f"passage:{order.passage.id}"


def _destination(order: _Order) -> uuid.UUID:
    assert order.passage.to_location_id is not None  # noqa: S101 - its rule has one
    return order.passage.to_location_id


def _known(location_id: uuid.UUID | None) -> uuid.UUID:
    if location_id is None:
        raise GoodsNowhere(
            "the books do not know where these goods are: say from_location_id", field="from_location_id"
        )
    return location_id
