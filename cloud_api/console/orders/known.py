"""What pages about orders have to know besides: names of products, warehouses and places, and who may enter."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

#: pages of the catalogue that are read through for names before single products are asked for
_MOST_PRODUCTS = 1_000


def need(visitor: Visitor, *permissions: str) -> None:
    """Turn away who has none of these, before a form is shown that nobody would take from them.

    Raises:
        Refused: saying what is missing.
    """
    if not visitor.may(*permissions):
        raise Refused(403, "FORBIDDEN", visitor.say("You may not do this: {what} is needed", what=permissions[0]))


async def warehouses(desk: Desk, visitor: Visitor) -> list[Answer]:
    """All that this person sees; none, when they may not read of places."""
    if not visitor.may("stock:read"):
        return []
    return [one for one in await desk.every("/warehouse/warehouses") if one["is_active"]]


async def places(desk: Desk, visitor: Visitor, warehouse_id: str) -> list[Answer]:
    """Where goods lie in a warehouse, by code."""
    if not visitor.may("stock:read"):
        return []
    found = await desk.every("/warehouse/storage/locations", warehouse_id=warehouse_id)
    return sorted(found, key=lambda one: str(one["code"]))


def names(rows: Iterable[Answer], field: str = "name") -> dict[str, str]:
    """Id -> name."""
    return {row["id"]: row[field] for row in rows}


async def products(desk: Desk, visitor: Visitor, ids: Iterable[str]) -> dict[str, Answer]:
    """Product id -> product, of those that are asked for and are there."""
    wanted = set(ids)
    if not wanted or not visitor.may("products:read"):
        return {}
    found = {one["id"]: one for one in await desk.every("/warehouse/products", most=_MOST_PRODUCTS)}
    missing = [one for one in wanted if one not in found]
    for one in await together(*(_product(desk, product_id) for product_id in missing)):
        found |= one
    return {product_id: found[product_id] for product_id in wanted if product_id in found}


async def _product(desk: Desk, product_id: str) -> dict[str, Answer]:
    try:
        return {product_id: await desk.get(f"/warehouse/products/{product_id}")}
    except Refused:
        return {}


async def stock_of(desk: Desk, visitor: Visitor, warehouse_id: str) -> Mapping[str, Decimal]:
    """Product id -> what of it is free in a warehouse."""
    if not warehouse_id or not visitor.may("stock:read"):
        return {}
    rows = await desk.every("/warehouse/stock/levels/summary", warehouse_id=warehouse_id, most=_MOST_PRODUCTS)
    return {row["product_id"]: Decimal(row["available"]) for row in rows}


def decimal(text: str) -> Decimal | None:
    """A number that somebody typed; None: it is none."""
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def minor(text: str) -> int | str:
    """A sum of money that somebody typed, in the smallest unit; what is no number stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else int((value * 100).to_integral_value())


def grams(text: str) -> int | str:
    """Kilograms that somebody typed, in grams; what is no number stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else int((value * 1000).to_integral_value())


def whole(text: str) -> int | str:
    """A whole number that somebody typed; what is none stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None or value != value.to_integral_value() else int(value)


def real(text: str) -> float | str:
    """A number that somebody typed, for measurements and coordinates; what is none stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else float(value)


def today(visitor: Visitor, ahead: int = 0) -> date:
    """Which day it is where the organisation is, or will be in so many days."""
    return (clock.now().astimezone(visitor.writing.zone) + timedelta(days=ahead)).date()


async def gathered(*asked: Awaitable[Answer]) -> list[Answer]:
    """What several questions are answered; None for one that is not answered."""
    said = await asyncio.gather(*asked, return_exceptions=True)
    for one in said:
        if isinstance(one, BaseException) and not isinstance(one, Refused):
            raise one
    return [None if isinstance(one, Refused) else one for one in said]
