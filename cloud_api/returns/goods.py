"""How returned goods move through the ledger: into quarantine, on hold, and out of it again, for sale or as waste."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.inventory.holds import service as holds
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.occupancy import service as occupancy
from cloud_api.inventory.occupancy.service import Arrival
from cloud_api.inventory.stock.booking import book, check_weight
from cloud_api.kernel import clock
from cloud_api.kernel.ids import new_id
from cloud_api.places.models import Location
from cloud_api.returns import queries
from cloud_api.returns.chain import HOLD_PREFIX
from cloud_api.returns.errors import MixedStock
from cloud_api.returns.models import CustomerReturn, ReturnedGoods


async def into_quarantine(
    db: AsyncSession,
    one: CustomerReturn,
    goods: Sequence[ReturnedGoods],
    *,
    location: Location,
    levels: Sequence[StockLevel],
    by: uuid.UUID | None,
) -> None:
    """Book goods in, on hold before they lie there; what warmth did to them before they left still counts.

    Args:
        levels: what they were handed over from.

    Raises:
        MixedStock: when other goods of such a lot lie in that place.
        WeightMissing: when catch weight has no weight, or other goods have one.
        PlaceClosed, WrongStorage, PlaceFull: when they may not lie there.
    """
    lots = {lot.id: lot for lot in await db.scalars(select(Lot).where(Lot.id.in_({row.lot_id for row in goods})))}
    products = {lot.id: await db.get_one(Product, lot.product_id) for lot in lots.values()}
    for number, row in enumerate(goods):
        check_weight(products[row.lot_id], row.quantity, row.weight_g, field=f"goods.{number}.weight_g")
    arrivals = [Arrival(location, products[row.lot_id], row.quantity, row.weight_g) for row in goods]
    await occupancy.check_put_away(db, arrivals)
    for lot_id in sorted(lots):
        await _refuse_mixing(db, lots[lot_id], location)
        await holds.hold(
            db,
            location_id=location.id,
            lot_id=lot_id,
            kind="quarantine",
            reason=f"given back: {one.number}",
            source=_hold_of(one, lot_id),
        )
    entries = [
        ledger.Entry(
            movement_type="return",
            lot=lots[row.lot_id],
            location_id=location.id,
            quantity=row.quantity,
            weight_g=row.weight_g,
            reference=f"return:{one.number}",
            source="system",
            recorded_by=by,
        )
        for row in goods
    ]
    await book(db, entries)
    for lot_id in sorted(lots):
        await holds.stop_covering_arrivals(db, source=_hold_of(one, lot_id))
        days = [level.keeps_until for level in levels if level.lot_id == lot_id and level.keeps_until is not None]
        if days:
            await ledger.keep_until(db, lot_id=lot_id, location_id=location.id, day=min(days))


async def restock(
    db: AsyncSession, one: CustomerReturn, goods: ReturnedGoods, *, to: Location, by: uuid.UUID | None
) -> None:
    """Take goods from quarantine to where they are sold from. Its own hold does not go with them.

    Raises:
        PlaceClosed, WrongStorage, PlaceFull: when they may not lie there.
    """
    lot = await db.get_one(Lot, goods.lot_id)
    product = await db.get_one(Product, lot.product_id)
    arrival = Arrival(to, product, goods.quantity, goods.weight_g)
    await occupancy.check_put_away(db, [arrival], leaving={goods.location_id})
    left = ledger.Entry(
        movement_type="transfer",
        lot=lot,
        location_id=goods.location_id,
        quantity=-goods.quantity,
        weight_g=None if goods.weight_g is None else -goods.weight_g,
        reference=f"return:{one.number}",
        source="system",
        group_id=new_id(),
        recorded_by=by,
    )
    arrived = replace(left, location_id=to.id, quantity=goods.quantity, weight_g=None, mirrors_last=True)
    (_, from_level), (_, to_level) = await ledger.append_all(db, [left, arrived])
    if from_level.keeps_until is not None:
        await ledger.keep_until(db, lot_id=lot.id, location_id=to.id, day=from_level.keeps_until)
    await holds.hold_arrival(db, to_level)
    goods.disposition, goods.to_location_id = "restock", to.id
    await _dispose(db, one, goods, by=by, reason="restocked")


async def scrap(
    db: AsyncSession, one: CustomerReturn, goods: ReturnedGoods, *, reason: str, by: uuid.UUID | None
) -> None:
    """Book goods off as waste."""
    waste = ledger.Entry(
        movement_type="waste",
        lot=await db.get_one(Lot, goods.lot_id),
        location_id=goods.location_id,
        quantity=-goods.quantity,
        weight_g=None if goods.weight_g is None else -goods.weight_g,
        reference=f"return:{one.number} {reason}"[:200],
        source="system",
        recorded_by=by,
    )
    await book(db, [waste])
    goods.disposition = "scrap"
    await _dispose(db, one, goods, by=by, reason=reason)


async def _dispose(
    db: AsyncSession, one: CustomerReturn, goods: ReturnedGoods, *, by: uuid.UUID | None, reason: str
) -> None:
    """Note who decided; when nothing of a lot is left of this return, it holds nothing any more."""
    goods.disposed_by, goods.disposed_at = by, clock.now()
    await db.flush()
    left = [row for row in await queries.goods_of(db, one.id) if row.lot_id == goods.lot_id and not row.disposition]
    if not left:
        await holds.release(db, source=_hold_of(one, goods.lot_id), reason=reason, decided_by=by)


async def _refuse_mixing(db: AsyncSession, lot: Lot, location: Location) -> None:
    its = select(StockLevel).where(StockLevel.lot_id == lot.id, StockLevel.location_id == location.id)
    level = (await db.scalars(its)).one_or_none()
    back = await queries.in_quarantine(db, lot_id=lot.id, location_id=location.id)
    if level is not None and level.on_hand > back:
        raise MixedStock(
            f"{level.on_hand - back} of lot {lot.lot_number} lie in {location.code} for sale: choose a place that is "
            "kept for what comes back",
            field="location_id",
        )


def _hold_of(one: CustomerReturn, lot_id: uuid.UUID) -> str:
    return f"{HOLD_PREFIX}{one.id}:{lot_id}"
