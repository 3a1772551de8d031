"""Writing counts down: each against what the books say at that moment, with the level locked.

Whatever happens to the level before is in the books by then, and whatever happens after is not in the count.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product
from cloud_api.inventory.errors import WeightMissing
from cloud_api.inventory.ledger.locking import At, lock_levels
from cloud_api.inventory.ledger.models import Lot, StockLevel
from cloud_api.inventory.stock import service as stock
from cloud_api.inventory.takes import queries
from cloud_api.inventory.takes.errors import CountAgain, CountedElsewhere
from cloud_api.inventory.takes.models import StockTake, StockTakeCount, StockTakeLine
from cloud_api.kernel import clock
from cloud_api.kernel.db import insert_missing
from cloud_api.kernel.errors import Invalid, NotFound
from cloud_api.places import service as places


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What somebody, or something, counted of a lot in a place."""

    lot_id: uuid.UUID
    location_id: uuid.UUID
    #: in the product's unit; 0: nothing lies there
    quantity: Decimal
    #: of goods that are counted and weighed, and of no others
    weight_g: int | None = None
    #: one of `models.METHODS`
    method: str = "manual"
    #: it goes on top of what was counted before, instead of taking its place
    additive: bool = False


async def scope_of(db: AsyncSession, take: StockTake) -> set[uuid.UUID]:
    """The places that a take counts."""
    if not take.location_ids:
        return set(await places.of_warehouse(db, take.warehouse_id)) if take.warehouse_id else set()
    inside: set[uuid.UUID] = set()
    for location_id in take.location_ids:
        inside.update(await places.within(db, uuid.UUID(location_id)))
    return inside


async def open_lot(db: AsyncSession, *, product_id: uuid.UUID, lot_number: str, expires_on: date | None) -> Lot:
    """The lot of this number, of which nobody need have heard before it was found.

    Raises:
        NotFound: when the product is not there.
        LotDiffers: when the number stands for another expiry date.
    """
    product = await catalog.get_product(db, product_id)
    its = select(Lot).where(Lot.product_id == product_id, Lot.lot_number == lot_number)
    lot = (await db.scalars(its)).one_or_none()
    if lot is not None and expires_on in {None, lot.expires_on}:
        return lot
    return await stock.open_lot(
        db,
        product,
        lot_number=lot_number,
        variant_id=None if lot is None else lot.variant_id,
        expires_on=expires_on,
        manufactured_on=None,
        grade=None,
        supplier="",
        unit_cost=None,
        received_at=clock.now(),
    )


async def enter(
    db: AsyncSession, take: StockTake, counts: Sequence[Count], *, counted_by: uuid.UUID | None
) -> list[StockTakeLine]:
    """Write counts down; of two of the same lot in the same place the last one holds, unless it is additive.

    What nobody expected becomes a line of its own. The take is locked against being submitted.

    Returns:
        The line of each count, in their order.

    Raises:
        NotFound: when a lot is not there.
        Invalid: when a place or a product is none of this take's, or a quantity is below 0.
        WrongQuantity, WeightMissing: when the product cannot be counted so.
        CountedElsewhere: when another take counts the same.
        CountAgain: when something moved between the parts of an additive count.
    """
    lots = await _lots(db, take, counts)
    await places.keep_all(db, {count.location_id for count in counts})
    levels = await lock_levels(
        db, {(count.lot_id, count.location_id): lots[count.lot_id].product_id for count in counts}
    )
    lines = await _lines(db, take, lots, levels)
    now = clock.now()
    for count in counts:
        _write(lines[count.lot_id, count.location_id], count, levels[count.lot_id, count.location_id])
        lines[count.lot_id, count.location_id].counted_by = counted_by
        lines[count.lot_id, count.location_id].counted_at = now
    db.add_all(
        StockTakeCount(
            take_id=take.id,
            line_id=lines[count.lot_id, count.location_id].id,
            quantity=count.quantity,
            weight_g=count.weight_g,
            method=count.method,
            additive=count.additive,
            counted_by=counted_by,
            counted_at=now,
        )
        for count in counts
    )
    await db.flush()
    later = await queries.written_later(db, StockTakeLine.id.in_(line.id for line in lines.values()))
    for line in lines.values():
        line.written_later, line.written_later_weight_g = later.get(line.id, (Decimal(0), 0))
    await db.flush()
    return [lines[count.lot_id, count.location_id] for count in counts]


async def _lots(db: AsyncSession, take: StockTake, counts: Sequence[Count]) -> dict[uuid.UUID, Lot]:
    """The lots of counts that this take can have."""
    wanted = {count.lot_id for count in counts}
    rows = await db.execute(select(Lot, Product).join(Product, Product.id == Lot.product_id).where(Lot.id.in_(wanted)))
    found = {lot.id: (lot, product) for lot, product in rows.tuples()}
    scope = await scope_of(db, take)
    for number, count in enumerate(counts):
        if count.lot_id not in found:
            raise NotFound(f"no lot with id {count.lot_id}", field=f"counts.{number}.lot_id")
        _, product = found[count.lot_id]
        if count.location_id not in scope:
            raise Invalid(
                f"place {count.location_id} is not counted in {take.number}: count it in a take of its own",
                field=f"counts.{number}.location_id",
            )
        if take.product_ids and str(product.id) not in take.product_ids:
            raise Invalid(
                f"{product.sku} is not counted in {take.number}: count it in a take of its own",
                field=f"counts.{number}.lot_id",
            )
        _check(count, product, number)
    return {lot_id: lot for lot_id, (lot, _) in found.items()}


def _check(count: Count, product: Product, number: int) -> None:
    if count.quantity < 0:
        raise Invalid("what was counted is not less than 0", field=f"counts.{number}.quantity")
    if count.quantity > 0:
        catalog.check_quantity(product, count.quantity, field=f"counts.{number}.quantity")
    if product.catch_weight and count.weight_g is None and count.quantity > 0:
        raise WeightMissing(
            f"{product.sku} is counted and weighed: say what it weighs", field=f"counts.{number}.weight_g"
        )
    if count.weight_g and not (product.catch_weight and count.quantity > 0):
        raise WeightMissing(f"{product.sku} is not weighed here: leave weight_g out", field=f"counts.{number}.weight_g")


async def _lines(
    db: AsyncSession, take: StockTake, lots: dict[uuid.UUID, Lot], levels: dict[At, StockLevel]
) -> dict[At, StockTakeLine]:
    """The lines of these levels, locked; one for each that has none."""
    its = (
        select(StockTakeLine)
        .where(
            StockTakeLine.take_id == take.id,
            StockTakeLine.lot_id.in_(lots),
            StockTakeLine.location_id.in_({location_id for _, location_id in levels}),
        )
        .order_by(StockTakeLine.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {(line.lot_id, line.location_id): line for line in await db.scalars(its)}
    missing = sorted(set(levels) - set(found))
    for lot_id, location_id in missing:
        values = {
            "take_id": take.id,
            "product_id": lots[lot_id].product_id,
            "lot_id": lot_id,
            "location_id": location_id,
            "is_open": True,
            "expected": Decimal(0),
            "expected_weight_g": 0,
        }
        await insert_missing(db, StockTakeLine, values)
    if missing:
        found = {(line.lot_id, line.location_id): line for line in await db.scalars(its)}
    for lot_id, location_id in missing:
        if (lot_id, location_id) not in found:
            raise CountedElsewhere(
                f"lot {lots[lot_id].lot_number} is being counted in this place in another stock take: "
                "finish or cancel that one first",
                field="lot_id",
            )
    return found


def _write(line: StockTakeLine, count: Count, level: StockLevel) -> None:
    counted, weight_g = count.quantity, count.weight_g or 0
    if count.additive and line.counted is not None:
        if (line.booked, line.booked_weight_g) != (level.on_hand, level.weight_g):
            raise CountAgain(
                "something was booked between the parts of this count: count all of it again, in one go",
                field="additive",
            )
        counted, weight_g = counted + line.counted, weight_g + (line.counted_weight_g or 0)
    line.counted, line.counted_weight_g = counted, weight_g
    line.booked, line.booked_weight_g = level.on_hand, level.weight_g
    line.method = count.method
