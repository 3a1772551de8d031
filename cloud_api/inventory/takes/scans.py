"""Which lot somebody counted: by its id, by product and number, or by what a scanner read.

Where a scan does not tell where a lot number ends, it is refused instead of guessed at (`catalog.gs1`).
"""

import re
import uuid
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog import gs1
from cloud_api.catalog.errors import MalformedScan, SeparatorMissing
from cloud_api.catalog.gs1 import Element, Reading
from cloud_api.catalog.products import service as catalog
from cloud_api.inventory.takes import counting
from cloud_api.inventory.takes.counting import Count
from cloud_api.inventory.takes.schemas import CountEnter
from cloud_api.kernel.errors import Invalid, NotFound

#: an identifier in brackets, and its value
_BRACKETS = re.compile(r"\((\d{2,4})\)([^(]*)")
_G_PER_KG = 1000


async def resolve(db: AsyncSession, entered: Sequence[CountEnter]) -> list[Count]:
    """Each count with the id of its lot, and with what the scan says and nobody entered.

    Raises:
        NotFound: when a product is not there.
        Invalid: when a scan is no GS1 data, or says too little.
        LotDiffers: when a lot number stands for another expiry date.
    """
    return [await _resolve(db, one, number) for number, one in enumerate(entered)]


def parse(scanned: str, *, field: str) -> Reading:
    """What a scanner read, or the text under the bars with its brackets: `(01)...(10)...`.

    Raises:
        MalformedScan, SeparatorMissing: as `gs1.read`.
        Invalid: when it names no GTIN and lot.
    """
    try:
        if scanned.startswith("("):
            under_the_bars = [Element(ai, value) for ai, value in _BRACKETS.findall(scanned)]
            reading = gs1.read(gs1.write(under_the_bars), fnc1=True)
        else:
            reading = gs1.read(scanned)
    except (MalformedScan, SeparatorMissing) as error:
        raise type(error)(error.message, field=field) from None
    if reading.gtin is None or reading.value("10") is None:
        raise Invalid("the scan names no GTIN (01) and lot (10): enter the lot by hand", field=field)
    return reading


async def _resolve(db: AsyncSession, one: CountEnter, number: int) -> Count:
    lot_id, quantity, weight_g = one.lot_id, one.quantity, one.weight_g
    if one.scanned is not None:
        field = f"counts.{number}.scanned"
        lot_id, quantity, weight_g = await _by_scan(db, one, parse(one.scanned, field=field), field=field)
    elif one.product_id is not None and one.lot_number is not None:
        lot = await counting.open_lot(
            db, product_id=one.product_id, lot_number=one.lot_number, expires_on=one.expires_on
        )
        lot_id = lot.id
    if lot_id is None or quantity is None:
        raise Invalid("say which lot it is, and how much of it", field=f"counts.{number}")
    return Count(
        lot_id=lot_id,
        location_id=one.location_id,
        quantity=quantity,
        weight_g=weight_g,
        method=one.method,
        additive=one.additive,
    )


async def _by_scan(
    db: AsyncSession, one: CountEnter, scan: Reading, *, field: str
) -> tuple[uuid.UUID, Decimal | None, int | None]:
    """The lot, and how much of it, of which more is believed to who counted than to the label."""
    gtin, lot_number, grams = scan.gtin or "", scan.value("10") or "", scan.net_weight_g
    named = await catalog.find_by_code(db, gtin)
    if named is None:
        raise NotFound(f"no product has GTIN {gtin}: enter it in the catalogue first", field=field)
    product = named[0]
    lot = await counting.open_lot(db, product_id=product.id, lot_number=lot_number, expires_on=scan.day("17"))
    quantity = one.quantity if one.quantity is not None or scan.count is None else Decimal(scan.count)
    if quantity is None and grams is not None and product.unit == "kg":
        quantity = grams / _G_PER_KG
    if quantity is None:
        raise Invalid("the scan does not say how many: enter the quantity", field=field)
    weight_g = one.weight_g if one.weight_g is not None or grams is None else round(grams)
    return lot.id, quantity, weight_g if product.catch_weight else one.weight_g
