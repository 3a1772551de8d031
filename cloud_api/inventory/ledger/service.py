"""The ledger: the only place that writes movements, and with each the level it changes.

Nothing here is ever rewritten: what was wrong is undone by a counter-entry, what was forgotten is written later with
the time it happened. Whoever writes keeps the places from being put on hold meanwhile, then locks the levels; several
of either in key order, in one statement each.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.inventory.errors import AlreadyReversed, NotEnoughStock, NotReversible, NotYet
from cloud_api.inventory.ledger import searchable
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.kernel import clock
from cloud_api.kernel.db import announce, insert_missing
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.quantity import to_thousandths
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible
from cloud_api.realtime.hub import topic_of

_At = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written into the ledger."""

    movement_type: str
    lot: Lot
    location_id: uuid.UUID
    #: signed, in the product's unit, not zero
    quantity: Decimal
    #: signed: what it changes of what is promised there
    reserved: Decimal = Decimal(0)
    #: signed likewise; of goods that are counted and weighed (catch weight). None: nothing, or of what leaves a level
    #: that has a weight the share that belongs to the quantity
    weight_g: int | None = None
    #: it weighs what the entry before it weighed, the other way round: the other end of a transfer
    mirrors_last: bool = False
    #: ten-thousandths of the organisation's currency a unit
    unit_cost: int | None = None
    reference: str = ""
    source: str = "manual"
    group_id: uuid.UUID | None = None
    reverses_id: uuid.UUID | None = None
    #: when it happened; None: now
    effective_at: datetime | None = None
    recorded_by: uuid.UUID | None = None
    #: where it stands in what somebody sent, as `portions.1.`: before the names of fields in complaints
    at: str = ""


async def append(db: AsyncSession, entry: Entry) -> tuple[StockMovement, StockLevel]:
    """Write one movement and change its level by it.

    Raises:
        NotEnoughStock: when the place would hold, now or at the time it happened, less than what is reserved there,
            or less than no weight.
        NotYet: when it is to have happened later than now.
    """
    [written] = await append_all(db, [entry])
    return written


async def append_all(db: AsyncSession, entries: Sequence[Entry]) -> list[tuple[StockMovement, StockLevel]]:
    """Write several movements, each upon what those before it left, or none of them.

    Raises:
        NotEnoughStock: naming the first entry that takes more than there is, and what there is.
        NotYet: when one is to have happened later than now.
    """
    if not entries:
        return []
    now = clock.now()
    for entry in entries:
        if entry.effective_at is not None and entry.effective_at > now:
            raise NotYet(
                f"{entry.effective_at.isoformat()} has not come yet: book what has happened", field="effective_at"
            )
    await places.keep_all(db, {entry.location_id for entry in entries})
    levels = await _lock_levels(db, entries)
    written = []
    weight_g: int | None = None
    for number, entry in enumerate(entries):
        level = levels[entry.lot.id, entry.location_id]
        weight_g = (None if weight_g is None else -weight_g) if entry.mirrors_last else _weighed(level, entry)
        _change(level, entry, weight_g, where="" if len(entries) == 1 else f" (entry {number + 1})")
        movement = StockMovement(
            id=new_id(),
            movement_type=entry.movement_type,
            product_id=entry.lot.product_id,
            lot_id=entry.lot.id,
            location_id=entry.location_id,
            quantity=entry.quantity,
            weight_g=weight_g,
            unit_cost=entry.unit_cost,
            reference=entry.reference,
            source=entry.source,
            group_id=entry.group_id,
            reverses_id=entry.reverses_id,
            effective_at=entry.effective_at or now,
            recorded_at=now,
            recorded_by=entry.recorded_by,
        )
        db.add(movement)
        written.append((movement, level))
    await db.flush()
    await _check_history(db, [movement for movement, _ in written])
    await searchable.put_lots(db, [level for movement, level in written if level.on_hand == movement.quantity > 0])
    announce_change(db, {entry.location_id for entry in entries})
    return written


def announce_change(db: AsyncSession, location_ids: Collection[uuid.UUID]) -> None:
    """Wake those who watch what lies in these places, or what is booked anywhere, once this is committed."""
    organization_id = db.sync_session.info["scope"].organization_id
    for topic in (organization_id, *location_ids):
        announce(db, topic_of("stock", organization_id, topic))


async def reverse(
    db: AsyncSession, movement_id: uuid.UUID, *, reference: str, recorded_by: uuid.UUID | None, seen: Visible
) -> list[tuple[StockMovement, StockLevel]]:
    """Undo an entry, and all that was booked together with it, by counter-entries that belong together likewise.

    Raises:
        NotFound: when there is none to be seen, or a part of its group lies where `seen` does not show.
        NotReversible: when it is itself an undoing, or a document's.
        AlreadyReversed: when it has been undone.
        NotEnoughStock: when what it brought is gone, or promised.
    """
    one = await get_movement(db, movement_id, seen=seen)
    its = StockMovement.id == one.id if one.group_id is None else StockMovement.group_id == one.group_id
    rows = await db.execute(
        select(StockMovement, Lot)
        .join(Lot, Lot.id == StockMovement.lot_id)
        .where(its)
        .order_by(StockMovement.id.desc())
    )
    booked = rows.tuples().all()
    for movement, _ in booked:
        await places.get_location(db, movement.location_id, seen=seen)
        if movement.reverses_id is not None:
            raise NotReversible("this entry undoes another: book what is right instead")
        if movement.source == "system" or (movement.movement_type == "transfer" and movement.group_id is None):
            raise NotReversible(f"this was booked for {movement.reference or 'a document'}: undo it there")
    entries = [
        Entry(
            movement_type=movement.movement_type,
            lot=lot,
            location_id=movement.location_id,
            quantity=-movement.quantity,
            weight_g=None if movement.weight_g is None else -movement.weight_g,
            unit_cost=movement.unit_cost,
            reference=reference,
            group_id=None if one.group_id is None else _undone(one.group_id),
            reverses_id=movement.id,
            recorded_by=recorded_by,
        )
        for movement, lot in booked
    ]
    await places.keep_all(db, {entry.location_id for entry in entries})
    await _lock_levels(db, entries)  # whoever undoes the same waits here, and then sees that it is done
    undone = select(StockMovement.reverses_id).where(
        StockMovement.reverses_id.in_([movement.id for movement, _ in booked])
    )
    if (await db.scalars(undone)).first() is not None:
        raise AlreadyReversed("this has been undone: an entry can be undone once")
    return await append_all(db, entries)


def _undone(group_id: uuid.UUID) -> uuid.UUID:
    """The group of the counter-entries to a group."""
    return uuid.uuid5(group_id, "undone")


async def open_level(db: AsyncSession, *, product_id: uuid.UUID, lot_id: uuid.UUID, location_id: uuid.UUID) -> None:
    """Begin the level of a lot in a place, at nothing, unless it has been begun."""
    await insert_missing(
        db,
        StockLevel,
        {
            "product_id": product_id,
            "lot_id": lot_id,
            "location_id": location_id,
            "on_hand": Decimal(0),
            "reserved": Decimal(0),
            "weight_g": 0,
            "status": "available",
        },
    )


async def lock_level(db: AsyncSession, lot: Lot, location_id: uuid.UUID) -> StockLevel:
    """The level of a lot in a place, begun where there was none, locked until the unit of work ends."""
    await places.keep(db, location_id)
    await open_level(db, product_id=lot.product_id, lot_id=lot.id, location_id=location_id)
    return (await _locked(db, [(lot.id, location_id)]))[lot.id, location_id]


async def keep_until(db: AsyncSession, *, lot_id: uuid.UUID, location_id: uuid.UUID, day: date) -> None:
    """Let a lot be sold from a place until that day and no longer, after what temperatures did to it there.

    Never later than its label says, and never later than what was written before: whatever is said twice, or in the
    wrong order, the earliest stands. Several are said in the order of their levels' keys.
    """
    label = await db.scalar(select(Lot.expires_on).where(Lot.id == lot_id))
    day = day if label is None else min(day, label)
    await db.execute(
        update(StockLevel)
        .where(
            StockLevel.lot_id == lot_id,
            StockLevel.location_id == location_id,
            or_(StockLevel.keeps_until.is_(None), StockLevel.keeps_until > day),
        )
        .values(keeps_until=day)
    )


async def _lock_levels(db: AsyncSession, entries: Sequence[Entry]) -> dict[_At, StockLevel]:
    """The levels that entries change, begun where there were none, locked in key order."""
    products = {(entry.lot.id, entry.location_id): entry.lot.product_id for entry in entries}
    found = await _locked(db, products)
    if len(found) < len(products):
        for (lot_id, location_id), product_id in sorted(products.items()):
            if (lot_id, location_id) not in found:
                await open_level(db, product_id=product_id, lot_id=lot_id, location_id=location_id)
        found = await _locked(db, products)
    return found


async def _locked(db: AsyncSession, wanted: Collection[_At]) -> dict[_At, StockLevel]:
    levels = await db.scalars(
        select(StockLevel)
        .where(tuple_(StockLevel.lot_id, StockLevel.location_id).in_(list(wanted)))
        .order_by(StockLevel.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(level.lot_id, level.location_id): level for level in levels}


def _weighed(level: StockLevel, entry: Entry) -> int | None:
    """What an entry weighs. Whatever takes the last of a level takes all the weight that is left."""
    if entry.quantity > 0 or level.weight_g == 0:
        return entry.weight_g
    if level.on_hand + entry.quantity == 0:
        return -level.weight_g
    if entry.weight_g is not None:
        return entry.weight_g
    taken, of = to_thousandths(-entry.quantity), to_thousandths(level.on_hand)
    return -((2 * level.weight_g * taken + of) // (2 * of)) if of > 0 else None


def _change(level: StockLevel, entry: Entry, weight_g: int | None, *, where: str) -> None:
    on_hand, reserved = level.on_hand + entry.quantity, level.reserved + entry.reserved
    number = entry.lot.lot_number
    if on_hand < reserved or reserved < 0:
        promised = f", of which {level.reserved} are promised" if level.reserved else ""
        raise NotEnoughStock(
            f"of lot {number} {-entry.quantity:.3f} are to leave{where} and {level.on_hand} lie here{promised}: "
            "book less, or what is missing first",
            field=f"{entry.at}quantity",
        )
    weight_left = level.weight_g + (weight_g or 0)
    if weight_left < 0:
        raise NotEnoughStock(
            f"of lot {number} {-(weight_g or 0)} g are to leave{where} and {level.weight_g} g lie here: weigh again",
            field=f"{entry.at}weight_g",
        )
    if level.on_hand == 0 and entry.quantity > 0:
        level.keeps_until = None  # an empty shelf forgets what its last goods went through
    level.on_hand, level.reserved, level.weight_g = on_hand, reserved, weight_left


async def _check_history(db: AsyncSession, movements: Sequence[StockMovement]) -> None:
    """Refuse what was written later and takes what was not there at the time it happened."""
    first = dict[_At, datetime]()
    for movement in movements:
        if movement.quantity < 0 and movement.effective_at < movement.recorded_at:
            at = (movement.lot_id, movement.location_id)
            first[at] = min(movement.effective_at, first.get(at, movement.effective_at))
    for (lot_id, location_id), since in sorted(first.items()):
        at_once = (
            select(
                StockMovement.effective_at,
                func.sum(StockMovement.quantity).over(order_by=StockMovement.effective_at).label("on_hand"),
                func.sum(func.coalesce(StockMovement.weight_g, 0))
                .over(order_by=StockMovement.effective_at)
                .label("weight_g"),
            )
            .where(StockMovement.lot_id == lot_id, StockMovement.location_id == location_id)
            .subquery()
        )
        least, lightest = (
            await db.execute(
                select(func.min(at_once.c.on_hand), func.min(at_once.c.weight_g)).where(at_once.c.effective_at >= since)
            )
        ).one()
        if least < 0 or lightest < 0:
            raise NotEnoughStock(
                "so much did not lie there at that time, or what was left has been booked out since: "
                f"then there would have been {least}; book what came in first, at the time it came",
                field="effective_at",
            )


async def get_lot(db: AsyncSession, lot_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> Lot:
    """One lot.

    Raises:
        NotFound: when there is none to be seen.
    """
    lot = (await db.scalars(select(Lot).where(Lot.id == lot_id, visible_lots(seen)))).one_or_none()
    if lot is None:
        raise NotFound(f"no lot with id {lot_id}", field="lot_id")
    return lot


async def get_movement(db: AsyncSession, movement_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> StockMovement:
    """One entry of the ledger.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockMovement).where(StockMovement.id == movement_id, seen.locations(StockMovement.location_id))
    movement = (await db.scalars(its)).one_or_none()
    if movement is None:
        raise NotFound(f"no movement with id {movement_id}")
    return movement


async def differences(db: AsyncSession) -> list[tuple[uuid.UUID, uuid.UUID, Decimal, Decimal]]:
    """Where levels and ledger disagree: (lot, place, level says, ledger says). Empty when all is well."""
    booked = (
        select(
            StockMovement.lot_id,
            StockMovement.location_id,
            func.sum(StockMovement.quantity).label("quantity"),
        )
        .group_by(StockMovement.lot_id, StockMovement.location_id)
        .subquery()
    )
    rows = await db.execute(
        select(
            func.coalesce(StockLevel.lot_id, booked.c.lot_id),
            func.coalesce(StockLevel.location_id, booked.c.location_id),
            StockLevel.on_hand,
            booked.c.quantity,
        )
        .select_from(StockLevel)
        .join(
            booked,
            (booked.c.lot_id == StockLevel.lot_id) & (booked.c.location_id == StockLevel.location_id),
            full=True,
        )
    )
    zero = Decimal(0)
    return [
        (lot_id, location_id, on_hand or zero, quantity or zero)
        for lot_id, location_id, on_hand, quantity in rows
        if (on_hand or zero) != (quantity or zero)
    ]
