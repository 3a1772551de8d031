"""`/api/v1/warehouse/products/categories`; the tree and what deleting does to products stand in the room above."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import select

from cloud_api.catalog.categories import service
from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.categories.schemas import CategoryBulk, CategoryCreate, CategoryRead, CategoryUpdate
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.permissions import require
from cloud_api.kernel.unit_of_work import Db

router = APIRouter(prefix="/warehouse/products/categories", tags=["catalog"], route_class=ApiRoute)


@router.get("", response_model=list[CategoryRead], dependencies=[require("products:read")])
async def list_categories(db: Db, query: Annotated[PageQuery, Depends()]) -> Page[Category]:
    """Newest first, without those that were deleted."""
    return await page(db, select(Category).where(Category.archived_at.is_(None)), Category.id, query)


@router.post("", response_model=CategoryRead, status_code=201, dependencies=[require("products:write")])
async def create_category(db: Db, body: CategoryCreate) -> Category:
    """A shelf of the catalogue, at the top or under another."""
    return await service.create_category(db, new=body)


@router.post("/bulk", response_model=list[CategoryRead], dependencies=[require("products:write")])
async def change_categories(db: Db, body: CategoryBulk) -> Sequence[Category]:
    """Create, move, reorder and activate many, in their order: all, or none and why not, row by row."""
    return await service.change_many(db, bulk=body)


@router.get("/{id}", response_model=CategoryRead, dependencies=[require("products:read")])
async def get_category(db: Db, id: uuid.UUID) -> Category:
    """One category."""
    return await service.get_category(db, id)


@router.put("/{id}", response_model=CategoryRead, dependencies=[require("products:write")])
async def update_category(db: Db, id: uuid.UUID, body: CategoryUpdate) -> Category:
    """Change what is sent; another `parent_id` moves it with all that lies below it."""
    return await service.update_category(db, id, changes=body)
