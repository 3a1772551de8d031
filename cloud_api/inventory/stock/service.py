"""The verbs of stock: receipts, corrections, movements of every type, their undoing, and the records of levels."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.errors import LevelNotEmpty, LotDiffers, WeightMissing, WrongMovement
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.holds.models import HeldLevel
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement, StockReservation
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.inventory.occupancy import service as occupancy
from cloud_api.inventory.stock.booking import book, check_weight, in_stock_units
from cloud_api.inventory.stock.schemas import LevelUpdate, MovementCreate
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.kernel.ids import new_id
from cloud_api.kernel.money import unit_price_to_integer
from cloud_api.places import service as places
from cloud_api.places.queries import EVERYWHERE, Visible

#: the sign of each type that has one
_SIGN = {"inbound": 1, "opening": 1, "return": 1, "outbound": -1, "waste": -1, "transfer": -1}

#: what is carried to a place by these must be allowed to lie there
_PUT_AWAY = ("inbound", "return", "transfer")
#: what a receipt says of a lot that it begins
_SAID_OF_LOTS = (
    "variant_id",
    "lot_number",
    "expires_on",
    "manufactured_on",
    "grade",
    "supplier",
    "unit_cost",
    "received_at",
)


async def receive_goods(
    db: AsyncSession,
    *,
    product_id: uuid.UUID,
    location_id: uuid.UUID,
    lot_number: str,
    expires_on: date | None,
    quantity: Decimal,
    unit: str | None = None,
    weight_g: int | None = None,
    variant_id: uuid.UUID | None = None,
    manufactured_on: date | None = None,
    grade: str | None = None,
    supplier: str = "",
    unit_cost: int | None = None,
    reference: str = "",
    source: str = "manual",
    effective_at: datetime | None = None,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> StockMovement:
    """Take goods in: their lot, a movement, the level. What arrives in a place under a hold is held.

    Args:
        unit: what `quantity` is said in; None: the product's own.
        weight_g: of catch weight, and of nothing else.
        unit_cost: ten-thousandths of the organisation's currency, of the product's own unit.
        effective_at: when they came in; None: now.

    Raises:
        NotFound: when the product, the variant or the place is not there.
        LotDiffers: when the lot number stands for other goods.
        UnknownUnit, WrongQuantity: when the quantity cannot be kept so.
        WeightMissing: when catch weight has no weight, or other goods have one.
        PlaceClosed, WrongStorage, PlaceFull: when they may not lie there.
    """
    product = await catalog.get_product(db, product_id)
    location = await places.get_location(db, location_id, seen=seen)
    quantity = await in_stock_units(db, product, quantity, unit)
    weight_g = check_weight(product, quantity, weight_g)
    if manufactured_on is not None and expires_on is not None and manufactured_on > expires_on:
        raise Invalid("goods are made before they expire", field="manufactured_on")
    about = {"grade": grade, "supplier": supplier, "unit_cost": unit_cost, "received_at": effective_at or clock.now()}
    dates = {"manufactured_on": manufactured_on, "expires_on": expires_on}
    lot = await begin_lot(db, product, Lot(lot_number=lot_number, variant_id=variant_id, **dates, **about))
    await occupancy.check_put_away(db, [occupancy.Arrival(location, product, quantity, weight_g)])
    entry = ledger.Entry(
        movement_type="inbound",
        lot=lot,
        location_id=location.id,
        quantity=quantity,
        weight_g=weight_g,
        unit_cost=unit_cost,
        reference=reference,
        source=source,
        effective_at=effective_at,
        recorded_by=recorded_by,
    )
    [movement] = await book(db, [entry])
    return movement


async def adjust_stock(
    db: AsyncSession,
    *,
    lot_id: uuid.UUID,
    location_id: uuid.UUID,
    delta: Decimal,
    reason: str,
    weight_g: int | None = None,
    source: str = "manual",
    effective_at: datetime | None = None,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> StockMovement:
    """Correct what a place holds of a lot, by a counter-entry.

    Raises:
        NotFound: when the lot or the place is not there.
        NotEnoughStock: when less would be left than is reserved, now or at the time it happened.
        WrongQuantity: when `delta` is zero, or not whole where it must be.
        WeightMissing: when more catch weight is there and nobody said what it weighs, or other goods are weighed.
    """
    lot = await ledger.get_lot(db, lot_id, seen=seen)
    await places.get_location(db, location_id, seen=seen)
    product = await catalog.get_product(db, lot.product_id)
    catalog.check_quantity(product, delta, field="delta")
    entry = ledger.Entry(
        movement_type="adjustment",
        lot=lot,
        location_id=location_id,
        quantity=delta,
        weight_g=check_weight(product, delta, weight_g),
        reference=reason,
        source=source,
        effective_at=effective_at,
        recorded_by=recorded_by,
    )
    [movement] = await book(db, [entry])
    return movement


async def count_stock(
    db: AsyncSession,
    *,
    lot_id: uuid.UUID,
    location_id: uuid.UUID,
    counted: Decimal,
    reason: str,
    weight_g: int | None = None,
    source: str = "manual",
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> StockMovement | None:
    """Say what lies in a place: the difference is booked, and when it was counted. None: it is what was thought.

    Args:
        weight_g: what all of it weighs; of catch weight, and of nothing else.

    Raises:
        NotFound: when the lot or the place is not there.
        NotEnoughStock: when less was counted than is reserved.
        WrongQuantity: when it is not whole where it must be.
        WeightMissing: when catch weight was not weighed, or other goods were.
    """
    lot = await ledger.get_lot(db, lot_id, seen=seen)
    await places.get_location(db, location_id, seen=seen)
    product = await catalog.get_product(db, lot.product_id)
    if counted:
        catalog.check_quantity(product, counted, field="counted")
    if product.catch_weight != (weight_g is not None) and (counted or weight_g):
        raise WeightMissing("of catch weight, and of nothing else, say what all of it weighs", field="weight_g")
    level = await ledger.lock_level(db, lot, location_id)
    level.last_counted_at = clock.now()
    more, heavier = counted - level.on_hand, (weight_g or 0) - level.weight_g
    entry = ledger.Entry(
        movement_type="adjustment",
        lot=lot,
        location_id=location_id,
        quantity=more,
        weight_g=heavier if product.catch_weight else None,
        reference=reason,
        source=source,
        recorded_by=recorded_by,
    )
    if more:
        entries = [entry]
    elif heavier:  # as many pieces, of another weight: all of them go out and come in again, promised as they were
        again = replace(entry, group_id=new_id(), weight_g=weight_g, quantity=counted, reserved=level.reserved)
        entries = [replace(again, weight_g=None, quantity=-counted, reserved=-level.reserved), again]
    else:
        await db.flush()
        return None
    return (await book(db, entries))[-1]


async def record_movements(
    db: AsyncSession,
    wanted: Sequence[MovementCreate],
    *,
    recorded_by: uuid.UUID | None = None,
    seen: Visible = EVERYWHERE,
) -> list[StockMovement]:
    """Book movements together, each upon what those before it left, or none. A transfer makes two entries.

    Raises:
        NotFound, WrongMovement, UnknownUnit, WrongQuantity, WeightMissing: naming the movement and its field.
        NotEnoughStock, NotYet, StockOnHold, StockExpired: as `booking.book`.
    """
    lots = await _lots_of(db, wanted, seen)
    group_id = new_id() if len(wanted) > 1 or wanted[0].movement_type == "transfer" else None
    entries: list[ledger.Entry] = []
    for number, one in enumerate(wanted):
        at = "" if len(wanted) == 1 else f"movements.{number}."
        entries += await _entries_of(db, one, lots.get(one.lot_id), group_id, recorded_by, at=at, seen=seen)
    await _check_put_away(db, entries)
    return await book(db, entries)


async def _check_put_away(db: AsyncSession, entries: Sequence[ledger.Entry]) -> None:
    """Whether what arrives may lie where it is put. What was counted or made there does lie there."""
    arrivals = [
        occupancy.Arrival(
            await places.get_location(db, entry.location_id),
            await catalog.get_product(db, entry.lot.product_id),
            entry.quantity,
            entry.weight_g,
        )
        for entry in entries
        if entry.quantity > 0 and entry.movement_type in _PUT_AWAY
    ]
    if arrivals:
        leaving = {entry.location_id for entry in entries if entry.quantity < 0}
        await occupancy.check_put_away(db, arrivals, leaving=leaving)


async def reverse_movement(
    db: AsyncSession, movement_id: uuid.UUID, *, reason: str, recorded_by: uuid.UUID | None, seen: Visible = EVERYWHERE
) -> list[StockMovement]:
    """Undo a booking, and all that was booked together with it.

    Raises:
        As `ledger.reverse`.
    """
    written = await ledger.reverse(db, movement_id, reference=reason, recorded_by=recorded_by, seen=seen)
    for movement, level in written:
        if movement.quantity > 0:
            await holds.hold_arrival(db, level)
    return [movement for movement, _ in written]


async def get_level(
    db: AsyncSession, level_id: uuid.UUID, *, seen: Visible = EVERYWHERE, locked: bool = False
) -> StockLevel:
    """One record; locked until the unit of work ends when it is to change.

    Raises:
        NotFound: when there is none to be seen.
    """
    its = select(StockLevel).where(StockLevel.id == level_id, seen.locations(StockLevel.location_id))
    level = (await db.scalars(its.with_for_update() if locked else its)).one_or_none()
    if level is None:
        raise NotFound(f"no stock level with id {level_id}")
    return level


async def level_at(db: AsyncSession, *, lot_id: uuid.UUID, location_id: uuid.UUID) -> StockLevel:
    """The record of a lot in a place where it has been."""
    its = select(StockLevel).where(StockLevel.lot_id == lot_id, StockLevel.location_id == location_id)
    return (await db.scalars(its)).one()


async def update_level(
    db: AsyncSession, level_id: uuid.UUID, *, changes: LevelUpdate, seen: Visible = EVERYWHERE
) -> StockLevel:
    """Change what is said of a record.

    Raises:
        NotFound: when there is none to be seen.
        Invalid: when the limits are the wrong way round, or it is said to have been counted later than now.
    """
    level = await get_level(db, level_id, seen=seen, locked=True)
    for field in changes.model_fields_set:
        setattr(level, field, getattr(changes, field))
    if level.min_level is not None and level.max_level is not None and level.min_level > level.max_level:
        raise Invalid("min_level must not lie above max_level", field="min_level")
    if level.last_counted_at is not None and level.last_counted_at > clock.now():
        raise Invalid("nothing was counted later than now", field="last_counted_at")
    await db.flush()
    return level


async def remove_level(db: AsyncSession, level_id: uuid.UUID, *, seen: Visible = EVERYWHERE) -> None:
    """Take an empty record away. The ledger keeps what happened.

    Raises:
        NotFound: when there is none to be seen.
        LevelNotEmpty: when something lies there, or it was promised or held from there: that names the record.
    """
    location_id = (await get_level(db, level_id, seen=seen)).location_id
    await places.keep(db, location_id)
    level = await get_level(db, level_id, seen=seen, locked=True)
    if level.on_hand or level.reserved or level.weight_g:
        raise LevelNotEmpty(f"{level.on_hand} lie there, {level.reserved} of it promised: book them out first")
    promised = select(StockReservation.id).where(StockReservation.stock_level_id == level.id).limit(1)
    held = select(HeldLevel.id).where(HeldLevel.stock_level_id == level.id).limit(1)
    if await db.scalar(promised) or await db.scalar(held):
        raise LevelNotEmpty("stock was promised or held from here: the record stays, for whoever traces it")
    await db.delete(level)
    await db.flush()


async def open_lot(
    db: AsyncSession,
    product: Product,
    *,
    lot_number: str,
    variant_id: uuid.UUID | None,
    expires_on: date | None,
    manufactured_on: date | None,
    grade: str | None,
    supplier: str,
    unit_cost: int | None,
    received_at: datetime,
) -> Lot:
    """As `begin_lot`, of facts."""
    new = Lot(
        lot_number=lot_number,
        variant_id=variant_id,
        expires_on=expires_on,
        manufactured_on=manufactured_on,
        grade=grade,
        supplier=supplier,
        unit_cost=unit_cost,
        received_at=received_at,
    )
    return await begin_lot(db, product, new)


async def begin_lot(db: AsyncSession, product: Product, new: Lot) -> Lot:
    """The lot of this number, begun where there was none: what is known of it is what was said when it began.

    Raises:
        NotFound: when the product has no such variant.
        LotDiffers: when the number stands for another expiry date or variant.
    """
    if new.variant_id is not None:
        await catalog.get_variant(db, product.id, new.variant_id)
    facts = {name: getattr(new, name) for name in _SAID_OF_LOTS}
    await insert_missing(db, Lot, {"product_id": product.id, **facts})
    its = select(Lot).where(Lot.product_id == product.id, Lot.lot_number == new.lot_number)
    lot = (await db.scalars(its)).one()
    if lot.expires_on != new.expires_on:
        raise LotDiffers(
            f"lot {lot.lot_number} of {product.sku} expires on {lot.expires_on}, not on {new.expires_on}: "
            "give other goods another lot number",
            field="expires_on",
        )
    if lot.variant_id != new.variant_id:
        raise LotDiffers(
            f"lot {lot.lot_number} of {product.sku} is of another variant: give other goods another lot number",
            field="variant_id",
        )
    return lot


async def _lots_of(db: AsyncSession, wanted: Sequence[MovementCreate], seen: Visible) -> dict[uuid.UUID, Lot]:
    its = select(Lot).where(Lot.id.in_({one.lot_id for one in wanted}), visible_lots(seen))
    return {lot.id: lot for lot in await db.scalars(its)}


async def _entries_of(
    db: AsyncSession,
    one: MovementCreate,
    lot: Lot | None,
    group_id: uuid.UUID | None,
    recorded_by: uuid.UUID | None,
    *,
    at: str,
    seen: Visible,
) -> list[ledger.Entry]:
    """What a movement writes into the ledger."""
    if lot is None:
        raise NotFound(f"no lot with id {one.lot_id}", field=f"{at}lot_id")
    sign = _SIGN.get(one.movement_type)
    if sign is not None and one.quantity <= 0:
        raise WrongMovement(
            f"say how much as a positive number: {one.movement_type} gives it its sign", field=f"{at}quantity"
        )
    if (one.movement_type == "transfer") != (one.to_location_id is not None):
        raise WrongMovement("a transfer, and nothing else, goes to another place", field=f"{at}to_location_id")
    if one.to_location_id == one.location_id:
        raise WrongMovement("a transfer goes to another place", field=f"{at}to_location_id")
    for place in filter(None, (one.location_id, one.to_location_id)):
        await places.get_location(db, place, seen=seen)
    product = await catalog.get_product(db, lot.product_id)
    quantity = await in_stock_units(db, product, (sign or 1) * one.quantity, one.unit, field=f"{at}quantity")
    entry = ledger.Entry(
        movement_type=one.movement_type,
        lot=lot,
        location_id=one.location_id,
        quantity=quantity,
        weight_g=check_weight(product, quantity, one.weight_g, field=f"{at}weight_g"),
        unit_cost=None if one.unit_cost is None else unit_price_to_integer(one.unit_cost),
        reference=one.reference,
        source=one.source,
        group_id=group_id,
        effective_at=one.effective_at,
        recorded_by=recorded_by,
    )
    if one.to_location_id is None:
        return [entry]
    return [entry, replace(entry, location_id=one.to_location_id, quantity=-quantity, weight_g=None, mirrors_last=True)]
