"""From what a scanner read to what is in the books."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog import gs1
from cloud_api.catalog.errors import MalformedScan, SeparatorMissing
from cloud_api.catalog.products import service as catalog
from cloud_api.catalog.products.models import Product, ProductVariant
from cloud_api.inventory.assets.models import Item
from cloud_api.inventory.assets.queries import visible_items
from cloud_api.inventory.labels import own_codes
from cloud_api.inventory.labels.errors import AmbiguousCode
from cloud_api.inventory.labels.scan_schemas import (
    DecodedRead,
    Difference,
    ElementRead,
    Kind,
    ScannedItem,
    ScannedLocation,
    ScannedLot,
    ScannedProduct,
    ScannedVariant,
    ScanRead,
)
from cloud_api.inventory.ledger.models import Lot
from cloud_api.inventory.ledger.queries import visible_lots
from cloud_api.inventory.sightings.tags import epc as epcs
from cloud_api.inventory.sightings.tags import service as tags
from cloud_api.inventory.sightings.tags.models import Tag
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible

#: EPC memory is read as 12 bytes or more
_EPC = re.compile(r"(?:[0-9A-Fa-f]{2}){12,62}")
#: without a prefix or a separator, an element string is known by what it begins with: an SSCC, or a GTIN
_GOODS = re.compile(r"00\d{18}|0[12]\d{14}")


@dataclass(frozen=True)
class Onlooker:
    """Who scans: what they may see, and where."""

    seen: Visible
    may: Callable[[str], bool]


async def resolve(db: AsyncSession, code: str, *, by: Onlooker, fnc1: bool = False) -> ScanRead:
    """What a code says and what it is of; `unknown` when nothing in the books goes by it.

    Codes of products, items and places come before anything that can be decoded: what somebody has written down is no
    guess.

    Args:
        fnc1: the scanner is known to send separators.

    Raises:
        SeparatorMissing: when an element string can be read in more than one way.
        MalformedScan: when it is none that can be read.
        AmbiguousCode: when two things go by it.
    """
    symbology, text = gs1.strip_aim(code)
    if len(text) > gs1.LONGEST:
        raise MalformedScan(f"the scan has {len(text)} characters: no bar code holds so many", field="code")
    scan = ScanRead(code=code, symbology=symbology, kind="unknown")
    if symbology in gs1.CARRIERS or gs1.GS in text:
        return await _resolve_goods(db, scan, gs1.read(code, fnc1=fnc1), by)
    if await _resolve_own(db, scan, text, by) or await _resolve_written(db, scan, text, by):
        return scan
    if _EPC.fullmatch(text) and await _resolve_tag(db, scan, text, by):
        return scan
    if _GOODS.match(text):
        return await _resolve_goods(db, scan, gs1.read(code, fnc1=fnc1), by)
    return scan


async def resolved(db: AsyncSession, code: str, *, by: Onlooker) -> ScanRead:
    """The same of one of many codes: what cannot be read, or not in one way only, is `unknown`."""
    try:
        return await resolve(db, code, by=by)
    except (MalformedScan, SeparatorMissing, AmbiguousCode):
        return ScanRead(code=code, symbology="", kind="unknown")


async def _resolve_goods(db: AsyncSession, scan: ScanRead, reading: gs1.Reading, by: Onlooker) -> ScanRead:
    scan.decoded = _decoded(reading)
    found = None if reading.gtin is None else await catalog.find_by_code(db, reading.gtin)
    if found is not None:
        _say_product(scan, *found)
        lot_number = reading.value("10")
        if lot_number is not None:
            theirs = select(Lot).where(Lot.product_id == found[0].id, Lot.lot_number == lot_number)
            lot = (await db.scalars(theirs.where(visible_lots(by.seen)))).one_or_none()
            if lot is not None:
                _say_lot(scan, lot)
                scan.differences = _differences(scan.decoded, lot)
    sscc = reading.value("00")
    if found is None and sscc is not None:
        tag = (await db.scalars(select(Tag).where(Tag.gs1_key == sscc, Tag.unbound_at.is_(None)).limit(1))).first()
        if tag is not None:
            await _say_tag(db, scan, tag, by)
    return scan


async def _resolve_own(db: AsyncSession, scan: ScanRead, text: str, by: Onlooker) -> bool:
    lot_id = own_codes.lot_in(text)
    return lot_id is not None and await _find_lot(db, scan, lot_id, by)


async def _resolve_written(db: AsyncSession, scan: ScanRead, text: str, by: Onlooker) -> bool:
    """What somebody has given this code, be it a stock-keeping number, a bar code or the name of a place."""
    named: list[str] = []
    product = await catalog.find_by_code(db, text)
    if product is not None:
        _say_product(scan, *product)
        named.append(f"the product {product[0].sku}")
    if by.may("items:read"):
        theirs = select(Item).where(or_(Item.barcode == text, Item.asset_code == text), visible_items(by.seen))
        for item in await db.scalars(theirs.limit(2)):
            scan.kind, scan.item = "item", ScannedItem.model_validate(item)
            named.append(f"the item {item.asset_code}")
    if by.may("stock:read"):
        place = (await db.scalars(select(Location).where(Location.code == text))).one_or_none()
        if place is not None and by.seen.shows(place.warehouse_id):
            scan.kind, scan.location = "location", ScannedLocation.model_validate(place)
            named.append(f"the place {place.code}")
    if len(named) > 1:
        raise AmbiguousCode(f"{text!r} is the code of {' and of '.join(named)}: give one of them another", field="code")
    return bool(named)


async def _resolve_tag(db: AsyncSession, scan: ScanRead, text: str, by: Onlooker) -> bool:
    tag = await tags.find(db, text)
    if tag is not None:
        await _say_tag(db, scan, tag, by)
        return scan.kind != "unknown"
    try:
        key = epcs.decode(text).gs1_key
    except epcs.MalformedEpc:
        return False
    found = await catalog.find_by_code(db, key) if key else None
    if found is not None:
        _say_product(scan, *found)
    return found is not None


async def _say_tag(db: AsyncSession, scan: ScanRead, tag: Tag, by: Onlooker) -> None:
    match tag.entity_type:
        case "lot":
            if not await _find_lot(db, scan, tag.entity_id, by):
                return
        case "item":
            theirs = select(Item).where(Item.id == tag.entity_id, visible_items(by.seen))
            item = (await db.scalars(theirs)).one_or_none() if by.may("items:read") else None
            if item is None:
                return
            scan.kind, scan.item = "item", ScannedItem.model_validate(item)
        case "location":
            place = await db.get(Location, tag.entity_id)
            if place is None or not by.seen.shows(place.warehouse_id):
                return
            scan.kind, scan.location = "location", ScannedLocation.model_validate(place)
        case "pallet":
            scan.kind = "pallet"
        case "person":
            scan.kind = "person"
    scan.tag_id = tag.id


async def _find_lot(db: AsyncSession, scan: ScanRead, lot_id: uuid.UUID, by: Onlooker) -> bool:
    lot = (await db.scalars(select(Lot).where(Lot.id == lot_id, visible_lots(by.seen)))).one_or_none()
    if lot is None:
        return False
    variant = None if lot.variant_id is None else await db.get(ProductVariant, lot.variant_id)
    _say_product(scan, await catalog.get_product(db, lot.product_id), variant)
    _say_lot(scan, lot)
    return True


def _say_product(scan: ScanRead, product: Product, variant: ProductVariant | None) -> None:
    kind: Kind = "product" if variant is None else "variant"
    scan.kind, scan.product = kind, ScannedProduct.model_validate(product)
    scan.variant = None if variant is None else ScannedVariant.model_validate(variant)


def _say_lot(scan: ScanRead, lot: Lot) -> None:
    scan.kind, scan.lot = "lot", ScannedLot.model_validate(lot)


def _differences(decoded: DecodedRead, lot: Lot) -> list[Difference]:
    """What the label and the books do not agree on; days that only one of them knows are no difference."""
    pairs = (
        ("expires_on", decoded.expires_on or decoded.best_before_on, lot.expires_on),
        ("manufactured_on", decoded.produced_on, lot.manufactured_on),
    )
    return [
        Difference(field=field, scanned=scanned.isoformat(), recorded=recorded.isoformat())
        for field, scanned, recorded in pairs
        if scanned is not None and recorded is not None and scanned != recorded
    ]


def _decoded(reading: gs1.Reading) -> DecodedRead:
    return DecodedRead(
        gtin=reading.gtin,
        sscc=reading.value("00"),
        lot_number=reading.value("10"),
        serial_number=reading.value("21"),
        expires_on=reading.day("17"),
        best_before_on=reading.day("15"),
        produced_on=reading.day("11"),
        packed_on=reading.day("13"),
        count=reading.count,
        net_weight_g=reading.net_weight_g,
        elements=[ElementRead.model_validate(element) for element in reading.elements],
    )
