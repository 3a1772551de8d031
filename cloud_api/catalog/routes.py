"""`/api/v1/warehouse/products`, and its categories: the Register that shows how one is made."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.catalog import service
from cloud_api.catalog.models import Category, Product
from cloud_api.catalog.schemas import CategoryCreate, CategoryRead, CategoryUpdate, ProductCreate, ProductRead
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.registers import Register, register_routes
from cloud_api.kernel.unit_of_work import Db

categories = APIRouter(prefix="/warehouse/products/categories", tags=["catalog"], route_class=ApiRoute)

register_routes(
    categories,
    Register(
        name="category",
        plural="categories",
        model=Category,
        create=CategoryCreate,
        update=CategoryUpdate,
        read=CategoryRead,
        read_permission="products:read",
        write_permission="products:write",
    ),
    unique_field="slug",
)

router = APIRouter(prefix="/warehouse/products", tags=["catalog"], route_class=ApiRoute)


@router.get("", response_model=list[ProductRead], dependencies=[require("products:read")])
async def list_products(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Product]:
    """Newest first."""
    return await page(db, select(Product), Product.id, query)


@router.post("", response_model=ProductRead, status_code=201, dependencies=[require("products:write")])
async def create_product(db: Db, body: ProductCreate) -> Product:
    """Something with a stock-keeping number."""
    return await service.create_product(db, new=body)


@router.get("/{id}", response_model=ProductRead, dependencies=[require("products:read")])
async def get_product(db: Db, id: uuid.UUID) -> Product:
    """One product."""
    return await service.get_product(db, id)
