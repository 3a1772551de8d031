"""`/api/v1/warehouse/products/{id}/...`: variants, units, prices and bundles; `/api/v1/warehouse/tags`."""

import uuid
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.catalog.products import bundles, measures, prices, service, tags, variants
from cloud_api.catalog.products.models import Product, ProductPrice, ProductVariant, Tag
from cloud_api.catalog.products.part_schemas import (
    BundleItemRead,
    BundleReplace,
    Conversion,
    ConversionRead,
    PackReplace,
    PriceList,
    PriceQuery,
    PriceRead,
    ProductTagCreate,
    ProductTagRead,
    QuoteRead,
    UnitRead,
    VariantCreate,
    VariantRead,
    VariantUpdate,
)
from cloud_api.kernel import versions
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places import service as places

router = APIRouter(prefix="/warehouse/products/{id}", tags=["catalog"], route_class=ApiRoute)
words = APIRouter(prefix="/warehouse/tags", tags=["catalog"], route_class=ApiRoute)

_READ, _WRITE = [require("products:read")], [require("products:write")]


@router.get("/variants", response_model=list[VariantRead], dependencies=_READ)
async def list_variants(db: Db, id: uuid.UUID, query: Annotated[PageQuery, Depends()]) -> Page[VariantRead]:
    """The ways in which a product is offered, newest first."""
    await service.get_product(db, id)
    rows = await page(db, select(ProductVariant).where(ProductVariant.product_id == id), ProductVariant.id, query)
    return Page([variants.read(variant) for variant in rows.items], rows.limit, rows.next_cursor)


@router.post("/variants", response_model=VariantRead, status_code=201, dependencies=_WRITE)
async def create_variant(db: Db, id: uuid.UUID, body: VariantCreate) -> VariantRead:
    """One more way: a size, a cut, a pack; counted in the product's unit."""
    return variants.read(await variants.create_variant(db, id, new=body))


@router.put("/variants/{variant_id}", response_model=VariantRead, dependencies=_WRITE)
async def update_variant(db: Db, id: uuid.UUID, variant_id: uuid.UUID, body: VariantUpdate) -> VariantRead:
    """Change what is sent."""
    return variants.read(await variants.update_variant(db, id, variant_id, changes=body))


@router.delete("/variants/{variant_id}", status_code=204, dependencies=_WRITE)
async def delete_variant(db: Db, id: uuid.UUID, variant_id: uuid.UUID) -> None:
    """Take a variant away; 409 when there are lots of it: then it can only be offered no more."""
    await variants.delete_variant(db, id, variant_id)


@router.get("/units", response_model=list[UnitRead], dependencies=_READ)
async def get_product_units(db: Db, id: uuid.UUID) -> list[UnitRead]:
    """Every unit that quantities of a product can be said in, with exact factors."""
    return await _units(db, await service.get_product(db, id))


@router.put("/units", response_model=list[UnitRead], dependencies=_WRITE)
async def replace_product_units(db: Db, id: uuid.UUID, body: PackReplace) -> list[UnitRead]:
    """Say a product's own units, a crate that holds 12 kg, in the place of those that were said before."""
    product = await service.lock_product(db, id)
    said = [measures.Pack(one.unit, one.quantity, one.of, one.per) for one in body.packs]
    await versions.count(db, product, seen=body.version, what=f"product {product.sku}")
    await measures.replace_packs(db, product, said=said)
    return await _units(db, product)


@router.get("/quantity", response_model=ConversionRead, dependencies=_READ)
async def convert_quantity(db: Db, id: uuid.UUID, wanted: Annotated[Conversion, Depends()]) -> ConversionRead:
    """A quantity in the unit that stock is counted in; 422 when three decimals cannot hold it."""
    product = await service.get_product(db, id)
    quantity = await measures.to_stock_quantity(db, product, wanted.quantity, wanted.unit or product.unit)
    return ConversionRead(quantity=quantity, unit=product.unit)


@router.get("/prices", response_model=list[PriceRead], dependencies=_READ)
async def list_prices(db: Db, id: uuid.UUID, query: Annotated[PageQuery, Depends()]) -> Page[PriceRead]:
    """The lines of all of a product's lists, past and to come."""
    await service.get_product(db, id)
    rows = await page(db, select(ProductPrice).where(ProductPrice.product_id == id), ProductPrice.id, query)
    return Page([prices.read(line) for line in rows.items], rows.limit, rows.next_cursor)


@router.put("/prices", response_model=list[PriceRead], dependencies=_WRITE)
async def replace_price_list(db: Db, id: uuid.UUID, body: PriceList) -> list[PriceRead]:
    """Put a list in force from a day on; one that begins on the same day is replaced, by no lines taken back."""
    return [prices.read(line) for line in await prices.replace_list(db, id, new=body)]


@router.get("/price", response_model=QuoteRead, dependencies=_READ)
async def get_price(db: Db, id: uuid.UUID, wanted: Annotated[PriceQuery, Depends()]) -> QuoteRead:
    """What so much of a product costs on a day; of catch weight by what it weighs."""
    return await _quote(db, await service.get_product(db, id), wanted)


@router.get("/variants/{variant_id}/price", response_model=QuoteRead, dependencies=_READ)
async def get_variant_price(
    db: Db, id: uuid.UUID, variant_id: uuid.UUID, wanted: Annotated[PriceQuery, Depends()]
) -> QuoteRead:
    """The same of a variant: its own lists and price come before those of the product."""
    product = await service.get_product(db, id)
    return await _quote(db, product, wanted, variant=await service.get_variant(db, id, variant_id))


@router.get("/bundle", response_model=list[BundleItemRead], dependencies=_READ)
async def get_bundle(db: Db, id: uuid.UUID) -> Sequence[BundleItemRead]:
    """What a bundle is made of."""
    return await bundles.read_components(db, id)


@router.put("/bundle", response_model=list[BundleItemRead], dependencies=_WRITE)
async def replace_bundle(db: Db, id: uuid.UUID, body: BundleReplace) -> Sequence[BundleItemRead]:
    """Say what a bundle is made of, in the place of what was said before."""
    return await bundles.replace_components(db, id, lines=body.items)


@words.get("", response_model=list[ProductTagRead], dependencies=_READ)
async def list_tags(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Tag]:
    """Newest first."""
    return await page(db, select(Tag), Tag.id, query)


@words.post("", response_model=ProductTagRead, status_code=201, dependencies=_WRITE)
async def create_tag(db: Db, body: ProductTagCreate) -> Tag:
    """A word that products can be found by."""
    return await tags.create_tag(db, new=body)


@words.delete("/{id}", status_code=204, dependencies=_WRITE)
async def delete_tag(db: Db, id: uuid.UUID) -> None:
    """Take it away, from the products that have it too."""
    await tags.delete_tag(db, id)


async def _quote(db: Db, product: Product, wanted: PriceQuery, *, variant: ProductVariant | None = None) -> QuoteRead:
    on = wanted.on or await places.today_in(db, None)
    return await prices.quote(db, product, on=on, quantity=wanted.quantity, variant=variant, weight_g=wanted.weight_g)


async def _units(db: Db, product: Product) -> list[UnitRead]:
    own = await measures.packs_of(db, product.id)
    known = measures.factors(product.unit, own)
    return [
        _unit(unit, factor, of_this_product=unit in own)
        for unit, factor in sorted(known.items(), key=lambda one: one[0])
    ]


def _unit(unit: str, factor: Fraction, *, of_this_product: bool) -> UnitRead:
    return UnitRead(
        unit=unit, numerator=factor.numerator, denominator=factor.denominator, of_this_product=of_this_product
    )
