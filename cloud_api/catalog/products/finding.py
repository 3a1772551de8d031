"""Products in the search index."""

import uuid
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products.models import Product, ProductTag, ProductVariant, Tag
from cloud_api.search import service as search

KIND = "product"
PERMISSION = "products:read"
_AT_ONCE = 300
#: of a facet's value: what is longer is text
_MAX_FACET_LENGTH = 100


async def put(db: AsyncSession, product: Product) -> None:
    """Let a product be found as it is now."""
    await put_all(db, [product])


async def put_all(db: AsyncSession, products: Sequence[Product]) -> None:
    """Let these be found as they are now."""
    for entry in await _entries(db, products):
        await search.put(db, entry)


async def everything(db: AsyncSession, after: uuid.UUID | None) -> Sequence[search.Entry]:
    """Products as they are found, in the order of their ids."""
    following = select(Product).order_by(Product.id).limit(_AT_ONCE)
    if after is not None:
        following = following.where(Product.id > after)
    return await _entries(db, (await db.scalars(following)).all())


async def _entries(db: AsyncSession, products: Sequence[Product]) -> list[search.Entry]:
    ids = [product.id for product in products]
    words = defaultdict[uuid.UUID, list[str]](list)
    tagged = select(ProductTag.product_id, Tag.name).join(Tag, Tag.id == ProductTag.tag_id)
    for product_id, name in await db.execute(tagged.where(ProductTag.product_id.in_(ids)).order_by(Tag.name)):
        words[product_id].append(name)
    variants = select(ProductVariant).where(ProductVariant.product_id.in_(ids)).order_by(ProductVariant.id)
    for variant in await db.scalars(variants):
        words[variant.product_id] += [variant.sku, variant.name, variant.gtin or "", variant.barcode or ""]
    return [_entry(product, words[product.id]) for product in products]


def _entry(product: Product, words: Sequence[str]) -> search.Entry:
    facets = {"status": product.status, "product_type": product.product_type}
    # by its id: a category that gets another name moves no product
    for name, value in (
        ("category_id", product.category_id),
        ("brand", product.brand),
        ("storage_type", product.storage_type),
    ):
        if value:
            facets[name] = str(value)
    for name, said in product.attributes.items():
        shown = str(said).lower() if isinstance(said, bool) else str(said)
        if shown and len(shown) <= _MAX_FACET_LENGTH:
            facets[f"attribute.{name}"] = shown
    told = [product.product_code, product.gtin or "", product.barcode or "", product.brand, *words, product.description]
    return search.Entry(
        kind=KIND,
        id=product.id,
        title=product.name,
        code=product.sku,
        text=" ".join(filter(None, told)),
        facets=facets,
        permission=PERMISSION,
    )
