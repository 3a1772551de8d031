"""Reusable reads of products: narrowed, sorted, page by page."""

import json
import uuid
from collections.abc import Collection
from typing import cast

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cloud_api.catalog.products.models import Product, ProductTag
from cloud_api.catalog.products.schemas import ProductFilter
from cloud_api.kernel.paging import BadCursor, Page, PageQuery, asked_for, decode_cursor, encode_cursor, page

#: what has no price comes before what costs nothing
_SORTED_BY: dict[str, InstrumentedAttribute[str] | ColumnElement[int]] = {
    "name": Product.name,
    "sku": Product.sku,
    "price": func.coalesce(Product.price, -1),
}


def matching(wanted: ProductFilter, categories: Collection[uuid.UUID] | None) -> Select[tuple[Product]]:
    """Products as `wanted` says; `categories` are its category with all below it."""
    found = select(Product)
    if categories is not None:
        found = found.where(Product.category_id.in_(categories))
    if wanted.tag_id is not None:
        found = found.where(Product.id.in_(select(ProductTag.product_id).where(ProductTag.tag_id == wanted.tag_id)))
    if wanted.status is not None:
        found = found.where(Product.status == wanted.status)
    if wanted.is_active is not None:
        found = found.where(Product.status == "active" if wanted.is_active else Product.status != "active")
    if wanted.product_type is not None:
        found = found.where(Product.product_type == wanted.product_type)
    if wanted.search:
        begins = (Product.sku, Product.name, Product.product_code)
        found = found.where(or_(*(column.istartswith(wanted.search, autoescape=True) for column in begins)))
    return found


async def sorted_page(
    db: AsyncSession, statement: Select[tuple[Product]], *, sort: str, query: PageQuery
) -> Page[Product]:
    """The page of `statement` that `query` asks for, sorted: the same rows once each, whatever is added meanwhile.

    Args:
        sort: a name of `_SORTED_BY` or `created_at`; after a minus sign the other way round.

    Raises:
        BadCursor: when the cursor is none of a page that was sorted like this.
    """
    if sort == "-created_at":
        return await page(db, statement, Product.id, query)
    descending, name = sort.startswith("-"), sort.lstrip("-")
    value = _SORTED_BY.get(name)
    statement = statement.where(*asked_for(Product.id, query))
    if query.cursor is not None:
        statement = statement.where(_after(query.cursor, sort, value))
    keys = [Product.id] if value is None else [value, Product.id]
    statement = statement.order_by(*(key.desc() if descending else key.asc() for key in keys))
    rows = (await db.scalars(statement.limit(query.limit + 1))).all()
    kept = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(kept, query.limit, encode_cursor(_key(kept[-1], sort, name)) if more else None)


def _key(last: Product, sort: str, name: str) -> bytes:
    value = {"name": last.name, "sku": last.sku, "price": -1 if last.price is None else last.price}.get(name)
    return json.dumps([sort, value, last.id.hex], ensure_ascii=True).encode()


def _after(
    cursor: str, sort: str, value: InstrumentedAttribute[str] | ColumnElement[int] | None
) -> ColumnElement[bool]:
    """What comes after the row that a cursor names."""
    try:
        made_for, last, raw = json.loads(decode_cursor(cursor))
        last_id = uuid.UUID(hex=raw)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadCursor from None
    numeric = sort.lstrip("-") == "price"
    fits = last is None if value is None else isinstance(last, int if numeric else str) and last is not True
    if made_for != sort or not fits or (numeric and abs(last) >= 2**63) or "\0" in str(last):
        raise BadCursor
    descending = sort.startswith("-")
    later = Product.id < last_id if descending else Product.id > last_id
    if value is None:
        return later
    beyond = cast(ColumnElement[bool], value < last if descending else value > last)
    return or_(beyond, and_(value == last, later))
