"""What bundles are made of."""

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import Cycle, NotABundle
from cloud_api.catalog.products import service
from cloud_api.catalog.products.models import BundleItem, Product
from cloud_api.catalog.products.part_schemas import BundleItemRead, BundleLine
from cloud_api.kernel.errors import Invalid, NotFound


async def replace_components(
    db: AsyncSession, bundle_id: uuid.UUID, *, lines: Sequence[BundleLine]
) -> Sequence[BundleItemRead]:
    """Let a bundle be made of these, and of nothing else.

    Raises:
        NotFound: when the bundle or a component is not there.
        NotABundle: when it is sold as it is.
        Cycle: when it would be a part of itself.
        Invalid, WrongQuantity: when a component stands there twice, or cannot have its quantity.
    """
    wanted = {line.component_id: line.quantity for line in lines}
    if len(wanted) != len(lines):
        raise Invalid("a component stands there twice: say its quantity once", field="items")
    # two that are right one by one may make a ring: bundles are few, and change one after the other
    every = select(Product.id).where(Product.product_type == "bundle").order_by(Product.id)
    await db.execute(every.with_for_update(key_share=True))
    bundle = await service.get_product(db, bundle_id)
    if bundle.product_type != "bundle":
        raise NotABundle(f"{bundle.sku} is a {bundle.product_type}: say product_type bundle first", field="id")
    parts = {part.id: part for part in await db.scalars(select(Product).where(Product.id.in_(wanted)))}
    for row, line in enumerate(lines):
        if line.component_id not in parts:
            raise NotFound(f"no product with id {line.component_id}", field=f"items.{row}.component_id")
        service.check_quantity(parts[line.component_id], line.quantity, field=f"items.{row}.quantity")
    if bundle_id in await _parts_of(db, set(wanted)):
        raise Cycle(f"{bundle.sku} would be a part of itself", field="items")
    there = {row.component_id: row for row in await db.scalars(_items(bundle_id))}
    for component_id, item in there.items():
        if component_id not in wanted:
            await db.delete(item)
    for component_id, quantity in wanted.items():
        item = there.get(component_id) or BundleItem(bundle_id=bundle_id, component_id=component_id)
        item.quantity = quantity
        db.add(item)
    await db.flush()
    return await read_components(db, bundle_id)


async def read_components(db: AsyncSession, bundle_id: uuid.UUID) -> Sequence[BundleItemRead]:
    """What a product is made of, as people see it; nothing, when it is no bundle.

    Raises:
        NotFound: when there is no such product.
    """
    await service.get_product(db, bundle_id)
    rows = await db.execute(
        select(BundleItem, Product)
        .join(Product, Product.id == BundleItem.component_id)
        .where(BundleItem.bundle_id == bundle_id)
        .order_by(Product.name, Product.id)
    )
    return [
        BundleItemRead(component_id=part.id, sku=part.sku, name=part.name, unit=part.unit, quantity=item.quantity)
        for item, part in rows
    ]


async def components_of(db: AsyncSession, bundle_id: uuid.UUID) -> Mapping[uuid.UUID, Decimal]:
    """What one bundle is made of in the end, bundles within it taken apart: product -> quantity; none: no bundle."""
    total: dict[uuid.UUID, Decimal] = {}
    pending = {bundle_id: Decimal(1)}
    while pending:
        rows = (await db.scalars(select(BundleItem).where(BundleItem.bundle_id.in_(pending)))).all()
        taken_apart = {row.bundle_id for row in rows}
        for product_id, quantity in pending.items():
            if product_id not in taken_apart and product_id != bundle_id:
                total[product_id] = total.get(product_id, Decimal(0)) + quantity
        inner: dict[uuid.UUID, Decimal] = {}
        for row in rows:
            inner[row.component_id] = inner.get(row.component_id, Decimal(0)) + row.quantity * pending[row.bundle_id]
        pending = inner
    return total


async def _parts_of(db: AsyncSession, product_ids: set[uuid.UUID]) -> set[uuid.UUID]:
    """These and everything that is a part of them."""
    found, pending = set(product_ids), set(product_ids)
    while pending:
        within = select(BundleItem.component_id).where(BundleItem.bundle_id.in_(pending))
        pending = set(await db.scalars(within)) - found
        found |= pending
    return found


def _items(bundle_id: uuid.UUID) -> Select[tuple[BundleItem]]:
    return select(BundleItem).where(BundleItem.bundle_id == bundle_id)
