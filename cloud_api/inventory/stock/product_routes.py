"""Of `/api/v1/warehouse/products` what has to do with stock: it stands above the catalogue, which knows of none."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import case, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.errors import StockRemains
from cloud_api.catalog.products import bulk, service
from cloud_api.catalog.products.models import Product
from cloud_api.catalog.products.schemas import BulkRead, ProductBulk, ProductRead
from cloud_api.inventory.ledger.models import StockLevel
from cloud_api.kernel import columns
from cloud_api.kernel.http import ApiRoute, ResponseModel
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.quantity import Quantity, from_thousandths
from cloud_api.kernel.unit_of_work import Db
from cloud_api.places.models import Location
from cloud_api.places.queries import Visible
from cloud_api.places.visibility import VisiblePlaces

router = APIRouter(prefix="/warehouse/products", tags=["catalog"], route_class=ApiRoute)


class ProductStock(ResponseModel):
    """What lies of a product in one warehouse."""

    #: null: in vehicles and on the way
    warehouse_id: uuid.UUID | None
    on_hand: Quantity
    reserved: Quantity
    #: neither promised nor on hold
    available: Quantity
    #: of catch weight
    weight_g: int


class ProductWithStock(ProductRead):
    """A product, and what there is of it where the caller may look."""

    stock: Annotated[list[ProductStock], Field(description="one entry a warehouse that holds any")]
    current_stock: Quantity


@router.post("/bulk", response_model=BulkRead, dependencies=[require("products:write")])
async def change_products(db: Db, principal: CurrentPrincipal, body: ProductBulk) -> BulkRead:
    """Create, update and archive up to 1,000: all or nothing, or, when that is said, all that can be done."""
    return await bulk.change_many(db, bulk=body, discontinue=discontinue, by=principal.id)


@router.get("/{id}", response_model=ProductWithStock, dependencies=[require("products:read")])
async def get_product(db: Db, seen: VisiblePlaces, id: uuid.UUID) -> ProductWithStock:
    """One product with its stock by warehouse."""
    [product] = await service.read_products(db, [await service.get_product(db, id)])
    stock = await stock_of(db, id, seen=seen)
    total = sum((one.on_hand for one in stock), from_thousandths(0))
    return ProductWithStock(**product.model_dump(), stock=stock, current_stock=total)


@router.delete("/{id}", status_code=204, dependencies=[require("products:write")])
async def discontinue_product(db: Db, id: uuid.UUID) -> None:
    """Buy and sell it no more; 409 as long as there is any of it. What names it still does."""
    await discontinue(db, id)


async def discontinue(db: AsyncSession, product_id: uuid.UUID) -> Product:
    """Discontinue a product of which nothing is left, anywhere.

    Raises:
        NotFound: when there is none.
        StockRemains: naming how much of it there is.
    """
    product = await service.discontinue(db, product_id)
    left = sum((one.on_hand for one in await stock_of(db, product_id, seen=Visible())), from_thousandths(0))
    if left:
        raise StockRemains(
            f"{left:f} {product.unit} of {product.sku} are in stock: sell, move or write them off first", field="id"
        )
    return product


async def stock_of(db: AsyncSession, product_id: uuid.UUID, *, seen: Visible) -> list[ProductStock]:
    """What lies of a product in each warehouse, as far as `seen` goes."""
    free = case((StockLevel.status == "available", StockLevel.on_hand - StockLevel.reserved), else_=0)
    sums = [func.sum(column) for column in (StockLevel.on_hand, StockLevel.reserved, StockLevel.weight_g)]
    rows = await db.execute(
        select(Location.warehouse_id, type_coerce(func.sum(free), columns.Quantity), *sums)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.product_id == product_id, StockLevel.on_hand > 0, seen.warehouses(Location.warehouse_id))
        .group_by(Location.warehouse_id)
        .order_by(Location.warehouse_id)
    )
    return [
        ProductStock(
            warehouse_id=warehouse_id, on_hand=on_hand, reserved=reserved, available=available, weight_g=weight_g
        )
        for warehouse_id, available, on_hand, reserved, weight_g in rows
    ]
