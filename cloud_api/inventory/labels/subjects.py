"""What stands on labels: names for people, codes for scanners."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import MalformedScan
from cloud_api.catalog.gs1 import Element, write
from cloud_api.catalog.products.models import Product, ProductVariant
from cloud_api.inventory.assets.models import Item
from cloud_api.inventory.assets.queries import visible_items
from cloud_api.inventory.labels import own_codes
from cloud_api.inventory.labels.schemas import SubjectKind
from cloud_api.inventory.labels.symbols import Symbology
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.kernel.db import Base
from cloud_api.kernel.errors import NotFound
from cloud_api.kernel.permissions import Principal, check
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible

#: what may be seen by whom is put on a label by whom
PERMISSIONS: Mapping[SubjectKind, str] = {
    "product": "products:read",
    "lot": "stock:read",
    "item": "items:read",
    "location": "stock:read",
}
R = TypeVar("R", bound=Base)


@dataclass(frozen=True)
class Subject:
    """What a label says."""

    title: str
    lines: tuple[str, ...]
    #: what it goes by here
    plain: str
    #: what it goes by everywhere; None: it has no GTIN, or a number that GS1 cannot write
    elements: tuple[Element, ...] | None
    #: unless another is asked for
    symbology: Symbology


async def describe(
    db: AsyncSession, wanted: Sequence[tuple[SubjectKind, uuid.UUID]], *, by: Principal, seen: Visible
) -> Mapping[tuple[SubjectKind, uuid.UUID], Subject]:
    """What the labels of these say; a few queries however many they are.

    Raises:
        Forbidden: when somebody may not see what they want labels of.
        NotFound: naming the first that is not there to be seen.
    """
    for kind in sorted({kind for kind, _ in wanted}):
        check(by, PERMISSIONS[kind])
    ids: dict[SubjectKind, set[uuid.UUID]] = {"product": set(), "lot": set(), "item": set(), "location": set()}
    for kind, id in wanted:
        ids[kind].add(id)
    lots = await _rows(db, Lot, ids["lot"], lambda: select(Lot).where(visible_lots(seen)))
    variant_ids = {lot.variant_id for lot in lots.values() if lot.variant_id is not None}
    variants = await _rows(db, ProductVariant, variant_ids, lambda: select(ProductVariant))
    product_ids = ids["product"] | {lot.product_id for lot in lots.values()}
    products = await _rows(db, Product, product_ids, lambda: select(Product))
    items = await _rows(db, Item, ids["item"], lambda: select(Item).where(visible_items(seen)))
    places = await _rows(db, Location, ids["location"], lambda: select(Location))
    said: dict[tuple[SubjectKind, uuid.UUID], Subject] = {}
    for id in ids["product"] & products.keys():
        said["product", id] = of_product(products[id])
    for id, lot in lots.items():
        variant = variants.get(lot.variant_id) if lot.variant_id else None
        said["lot", id] = of_lot(lot, products[lot.product_id], variant)
    for id, item in items.items():
        said["item", id] = of_item(item)
    for id, place in places.items():
        if seen.shows(place.warehouse_id):
            said["location", id] = of_location(place)
    for kind, id in wanted:
        if (kind, id) not in said:
            raise NotFound(f"no {kind} with id {id}", field="id")
    return said


async def _rows(
    db: AsyncSession, model: type[R], ids: Collection[uuid.UUID], statement: Callable[[], Select[tuple[R]]]
) -> dict[uuid.UUID, R]:
    if not ids:
        return {}
    key = model.id  # type: ignore[attr-defined]  # every table of an organisation has it
    return {row.id: row for row in await db.scalars(statement().where(key.in_(ids)))}  # type: ignore[attr-defined]


def of_product(product: Product) -> Subject:
    """A product goes by its stock-keeping number, and by its GTIN."""
    lines = (product.sku, *([f"GTIN {product.gtin}"] if product.gtin else []))
    elements = _elements([Element("01", product.gtin)]) if product.gtin else None
    return Subject(product.name, lines, product.sku, elements, "qr")


def of_lot(lot: Lot, product: Product, variant: ProductVariant | None) -> Subject:
    """A lot goes by its product's GTIN, its number and its expiry; without a GTIN by a code of ours.

    Something always stands behind its number: so a scanner that keeps the separator to itself is found out.
    """
    gtin = (variant.gtin if variant else None) or product.gtin
    named = f"{product.name}, {variant.name}" if variant else product.name
    lines = [f"Lot {lot.lot_number}", variant.sku if variant else product.sku]
    elements = None
    if gtin:
        goods, number = Element("01", gtin), Element("10", lot.lot_number)
        expiry = Element("17", f"{lot.expires_on:%y%m%d}") if lot.expires_on else None
        elements = _elements([goods, number, expiry] if expiry else [number, goods])
    if lot.expires_on:
        lines.insert(1, f"Exp. {lot.expires_on.isoformat()}")
    return Subject(named, tuple(lines), own_codes.of_lot(lot.id), elements, "gs1_datamatrix" if elements else "qr")


def of_item(item: Item) -> Subject:
    """An item goes by the bar code that it came with, or by its number here."""
    lines = (item.asset_code, *([f"S/N {item.serial_number}"] if item.serial_number else []))
    return Subject(item.name, lines, item.barcode or item.asset_code, None, "qr")


def of_location(place: Location) -> Subject:
    """A place goes by its code."""
    return Subject(place.name, (place.code,), place.code, None, "qr")


def _elements(wanted: Sequence[Element]) -> tuple[Element, ...] | None:
    try:
        write(wanted)
    except MalformedScan:
        return None
    return tuple(wanted)
