"""`/api/v1/catalog/products`: the shop window. Anybody may look; who does is counted by their address."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from cloud_api.catalog.products.models import Product
from cloud_api.kernel.db import Database
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.paging import Page, PageQuery, page
from cloud_api.kernel.tenancy import OrganizationScope, SystemScope
from cloud_api.orders.book import shop
from cloud_api.orders.book.schemas import OfferRead

router = APIRouter(prefix="/catalog/products", tags=["customers"], route_class=ApiRoute)

Slug = Annotated[str, Query(min_length=1, max_length=120, pattern=r"^[^\x00]*$", description="Whose shop.")]


@router.get("", response_model=list[OfferRead])
async def browse_catalogue(
    request: Request, organization: Slug, query: Annotated[PageQuery, Depends()]
) -> Page[OfferRead]:
    """What an organisation offers to consumers, newest first, with its price and whether there is any.

    A slug that is nobody's has an empty shop.
    """
    database: Database = request.app.state.database
    async with database.unit_of_work(SystemScope("whose shop is this"), read_only=True) as db:
        organization_id = await shop.whose(db, organization)
    if organization_id is None:
        return Page([], query.limit, None)
    async with database.unit_of_work(OrganizationScope(organization_id), read_only=True) as db:
        rows = await page(db, shop.offered(), Product.id, query)
        return Page(await shop.read_offers(db, rows.items), rows.limit, rows.next_cursor)
