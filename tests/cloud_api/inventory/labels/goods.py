"""Goods with codes on them."""

import itertools
import uuid
from typing import Any

from biip.checksums import gs1_standard_check_digit

from tests.factories.stores import ColdStore, make_product, receive
from tests.platform_under_test import Tenant

LABELS = "/api/v1/warehouse/labels"
PRODUCTS = "/api/v1/warehouse/products"
_numbers = itertools.count(1)


def new_gtin() -> str:
    """One that no other test has."""
    digits = f"0{uuid.uuid4().int % 10**12:012d}"
    return digits + str(gs1_standard_check_digit(digits))


async def lot_with_gtin(store: ColdStore, *, lot: str = "L2107A", **fields: Any) -> tuple[str, Any]:
    """A received lot of a product with a GTIN: the GTIN, and the movement."""
    gtin = new_gtin()
    product_id = await make_product(store.tenant, gtin=gtin)
    return gtin, await receive(store, lot=lot, product_id=product_id, **fields)


async def make_item(tenant: Tenant, **fields: Any) -> Any:
    """Something that is lent."""
    return await tenant.post("/api/v1/items", {"name": f"Trolley {next(_numbers)}", **fields})
