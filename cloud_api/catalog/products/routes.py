"""`/api/v1/warehouse/products`; one product with its stock, and discontinuing, stand above: in inventory/stock."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends

from cloud_api.catalog.categories import service as categories
from cloud_api.catalog.categories.schemas import CategoryNode
from cloud_api.catalog.products import queries, service, shelving
from cloud_api.catalog.products.schemas import ProductCreate, ProductFilter, ProductRead, ProductUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, RowsQuery
from cloud_api.kernel.permissions import CurrentPrincipal, require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/warehouse/products", tags=["catalog"], route_class=ApiRoute)
#: to be mounted before `categories/{id}`
shelves = APIRouter(prefix="/warehouse/products/categories", tags=["catalog"], route_class=ApiRoute)


@shelves.get("/tree", response_model=list[CategoryNode], dependencies=[require("products:read")])
async def get_category_tree(db: Db) -> list[CategoryNode]:
    """All categories below each other, with how many products each has: its own, and with those below."""
    return await shelving.tree(db)


@shelves.delete("/{id}", status_code=204, dependencies=[require("products:write")])
async def delete_category(db: Db, id: uuid.UUID) -> None:
    """Delete a category; its children and its products move to its parent."""
    await shelving.delete_category(db, id)


@router.get("", response_model=list[ProductRead], dependencies=[require("products:read")])
async def list_products(
    db: Db, query: Annotated[RowsQuery, Depends()], wanted: Annotated[ProductFilter, Depends()]
) -> Page[ProductRead]:
    """Newest first, or as `sort` says. A page's cursor goes on with the same `sort`."""
    below = None if wanted.category_id is None else await categories.below(db, wanted.category_id)
    rows = await queries.sorted_page(db, queries.matching(wanted, below), sort=wanted.sort, query=query)
    return Page(await service.read_products(db, rows.items), rows.limit, rows.next_cursor)


@router.post("", response_model=ProductRead, status_code=201, dependencies=[require("products:write")])
async def create_product(db: Db, principal: CurrentPrincipal, body: ProductCreate) -> ProductRead:
    """Something with a stock-keeping number."""
    product = await service.create_product(db, new=body, created_by=principal.id)
    return (await service.read_products(db, [product]))[0]


@router.put("/{id}", response_model=ProductRead, dependencies=[require("products:write")])
async def update_product(db: Db, id: uuid.UUID, body: ProductUpdate) -> ProductRead:
    """Change what is sent. With the `version` that was seen, what somebody else did meanwhile is not overwritten."""
    product = await service.update_product(db, id, changes=body)
    return (await service.read_products(db, [product]))[0]
