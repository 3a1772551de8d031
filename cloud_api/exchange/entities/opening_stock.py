"""What lay there on the first day: a lot in a place, booked once. A row is recognised by its product, lot and place."""

import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import date
from decimal import Decimal

from pydantic import Field, ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product
from cloud_api.exchange.entities.kinds import (
    By,
    Column,
    Entity,
    Outcome,
    RowRefused,
    Values,
    day,
    decimal,
    refused,
    text,
    whole,
)
from cloud_api.exchange.values import Cell
from cloud_api.inventory.ledger import service as ledger
from cloud_api.inventory.ledger.models import Lot, StockLevel, StockMovement
from cloud_api.inventory.stock import service as stock
from cloud_api.inventory.stock.booking import book, check_weight, in_stock_units
from cloud_api.inventory.stock.schemas import Grade, LotNumber, Unit, WeightG
from cloud_api.kernel import clock
from cloud_api.kernel.errors import Detail
from cloud_api.kernel.http import RequestModel
from cloud_api.kernel.money import UnitPrice, unit_price_from_integer, unit_price_to_integer
from cloud_api.kernel.quantity import PositiveQuantity
from cloud_api.places.models import Location

_AT_ONCE = 500

COLUMNS = (
    Column("sku", text, "SPINACH-BABY", required=True, aliases=("product sku", "item code", "sku no")),
    Column("lot_number", text, "LOT-2026-001", required=True, aliases=("batch", "batch number", "batch no", "lot")),
    Column("location", text, "COLD-1", required=True, aliases=("location code", "bin")),
    Column("quantity", decimal, "120.5", required=True, aliases=("qty",)),
    Column("unit", text, "kg", aliases=("uom",)),
    Column("weight_g", whole, None),
    Column("expires_on", day, date(2026, 12, 31), aliases=("expiry", "expiry date", "best before")),
    Column("manufactured_on", day, date(2026, 12, 1), aliases=("mfg date", "manufacturing date")),
    Column("grade", text, "good"),
    Column("supplier", text, "Dew Farms"),
    Column("unit_cost", decimal, "30.00", aliases=("cost",)),
)


class OpeningRow(RequestModel):
    """A row, when each of its fields can be so."""

    sku: str
    lot_number: LotNumber
    location: str
    quantity: PositiveQuantity
    unit: Unit | None = None
    weight_g: WeightG | None = None
    expires_on: date | None = None
    manufactured_on: date | None = None
    grade: Grade | None = None
    supplier: str = Field(default="", max_length=120)
    unit_cost: UnitPrice | None = None


def check(values: Values) -> None:
    """Whether each field can be so, by itself.

    Raises:
        RowRefused: when one cannot.
    """
    row = _row(values)
    if row.manufactured_on and row.expires_on and row.manufactured_on > row.expires_on:
        raise RowRefused([Detail("manufactured_on", "goods are made before they expire")])


async def apply(db: AsyncSession, values: Values, by: By) -> Outcome:
    """Begin the lot and book what lay there, unless that was done."""
    row = _row(values)
    product = (await db.scalars(select(Product).where(Product.sku == row.sku))).one_or_none()
    if product is None:
        raise RowRefused([Detail("sku", f"no product has the sku {row.sku!r}: import it first")])
    place = select(Location).where(Location.code == row.location, by.seen.warehouses(Location.warehouse_id))
    location = (await db.scalars(place.where(Location.removed_at.is_(None)))).one_or_none()
    if location is None:
        raise RowRefused([Detail("location", f"no place has the code {row.location!r}")])
    quantity = await in_stock_units(db, product, row.quantity, row.unit)
    lot = await stock.open_lot(
        db,
        product,
        lot_number=row.lot_number,
        variant_id=None,
        expires_on=row.expires_on,
        manufactured_on=row.manufactured_on,
        grade=row.grade,
        supplier=row.supplier,
        unit_cost=None if row.unit_cost is None else unit_price_to_integer(row.unit_cost),
        received_at=clock.now(),
    )
    await ledger.lock_level(db, lot, location.id)  # of two runs with one row, the second sees what the first booked
    opened = await _opened(db, lot.id, location.id)
    if opened == quantity:
        return Outcome.UNCHANGED
    if opened:
        said = f"{opened} {product.unit} of this lot were booked there as opening stock: correct them by an adjustment"
        raise RowRefused([Detail("quantity", said)])
    entry = ledger.Entry(
        movement_type="opening",
        lot=lot,
        location_id=location.id,
        quantity=quantity,
        weight_g=check_weight(product, quantity, row.weight_g),
        unit_cost=lot.unit_cost,
        reference=by.reference,
        source="import",
        recorded_by=by.user_id,
    )
    await book(db, [entry])
    return Outcome.CREATED


async def export(db: AsyncSession, by: By) -> AsyncIterator[Mapping[str, Cell]]:
    """What lies where now, of what may be seen."""
    after: uuid.UUID | None = None
    while True:
        following = (
            select(StockLevel, Lot, Product, Location.code)
            .join(Lot, Lot.id == StockLevel.lot_id)
            .join(Product, Product.id == StockLevel.product_id)
            .join(Location, Location.id == StockLevel.location_id)
            .where(StockLevel.on_hand > Decimal(0), by.seen.locations(StockLevel.location_id))
        )
        if after is not None:
            following = following.where(StockLevel.id > after)
        rows = (await db.execute(following.order_by(StockLevel.id).limit(_AT_ONCE))).all()
        for level, lot, product, code in rows:
            yield {
                "sku": product.sku,
                "lot_number": lot.lot_number,
                "location": code,
                "quantity": level.on_hand,
                "unit": product.unit,
                "weight_g": level.weight_g if product.catch_weight else None,
                "expires_on": lot.expires_on,
                "manufactured_on": lot.manufactured_on,
                "grade": lot.grade,
                "supplier": lot.supplier,
                "unit_cost": None if lot.unit_cost is None else unit_price_from_integer(lot.unit_cost),
            }
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0].id


def _row(values: Values) -> OpeningRow:
    try:
        return OpeningRow.model_validate(values)
    except ValidationError as error:
        raise refused(error) from None


async def _opened(db: AsyncSession, lot_id: uuid.UUID, location_id: uuid.UUID) -> Decimal:
    """What stands booked as opening stock of a lot in a place, without what was undone."""
    undone = select(StockMovement.reverses_id).where(
        StockMovement.lot_id == lot_id, StockMovement.reverses_id.is_not(None)
    )
    booked = select(func.sum(StockMovement.quantity)).where(
        StockMovement.lot_id == lot_id,
        StockMovement.location_id == location_id,
        StockMovement.movement_type == "opening",
        StockMovement.reverses_id.is_(None),
        StockMovement.id.not_in(undone),
    )
    return await db.scalar(booked) or Decimal(0)


OPENING_STOCK = Entity(
    name="opening_stock",
    columns=COLUMNS,
    key=("sku", "lot_number", "location"),
    read_permission="stock:read",
    write_permission="stock:write",
    check=check,
    apply=apply,
    export=export,
    said_by={"product_id": "sku", "lot_id": "lot_number", "location_id": "location", "variant_id": "sku"},
)
