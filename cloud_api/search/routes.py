"""`/api/v1/search`, and `/api/v1/warehouse/products/search`."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.identity.roles.catalogue import permissions
from cloud_api.kernel.errors import Invalid
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import ALL, CurrentPrincipal, Principal, require
from cloud_api.kernel.unit_of_work import Db, platform_unit_of_work
from cloud_api.search import finding, rebuilding
from cloud_api.search.models import SearchEntry
from cloud_api.search.queries import Narrowed, Sight
from cloud_api.search.schemas import (
    FacetRead,
    FacetsRead,
    FacetValueRead,
    FoundRead,
    HitRead,
    ProductsFoundRead,
    ReindexRead,
    SuggestionRead,
)

router = APIRouter(prefix="/search", tags=["search"], route_class=ApiRoute)
products = APIRouter(prefix="/warehouse/products/search", tags=["catalog"], route_class=ApiRoute)

#: registered by `main`: the warehouses that somebody is confined to, or None
SeenWarehouses = Callable[[AsyncSession, Principal], Awaitable[frozenset[uuid.UUID] | None]]

Asked = Annotated[str, Query(max_length=500, description="Words, beginnings of words, or a number: any of its signs.")]
Kind = Annotated[str | None, Query(pattern=r"^[a-z_]{1,32}$", description="As `product`, `lot`, `order`.")]
Wished = Annotated[
    list[str],
    Query(
        default_factory=list,
        max_length=10,
        description="Narrows what is found, as `category:Greens`; each of them holds.",
    ),
]
Most = Annotated[int, Query(ge=1, le=200)]
_FACET = re.compile(r'([^:"\\\0]{1,100}):([^\0]{1,200})')

PlatformDb = Annotated[AsyncSession, Depends(platform_unit_of_work("rebuild the search index"), scope="function")]


async def sight(request: Request, db: Db, principal: CurrentPrincipal) -> Sight:
    """What the caller may find. Who may read no more than what is their own finds nothing of that kind."""
    seen: SeenWarehouses = request.app.state.seen_warehouses
    granted = None
    if ALL not in principal.permissions:
        granted = frozenset(each for each in permissions() if principal.may(each) and not principal.may_only_own(each))
    return Sight(granted, await seen(db, principal))


OwnSight = Annotated[Sight, Depends(sight, scope="function")]


@router.get("", response_model=FoundRead)
async def search_everything(
    db: Db, seen: OwnSight, q: Asked, facet: Wished, kind: Kind = None, limit: Most = 20
) -> FoundRead:
    """What has all the words asked for, of all that the caller may see: numbers first, then titles.

    When nothing has them, what may have been meant: words that are mistyped, or parts of words.
    """
    found = await finding.search(db, seen, q, narrowed=Narrowed(kind, _facets(facet)), limit=limit)
    return FoundRead(hits=[_hit(entry) for entry in found.entries], understood_as=found.understood_as)


@router.get("/suggest", response_model=list[SuggestionRead])
async def suggest(
    db: Db, seen: OwnSight, q: Asked, limit: Annotated[int, Query(ge=1, le=200)] = 8
) -> list[SuggestionRead]:
    """How what is being typed may go on."""
    entries = await finding.suggest(db, seen, q, limit=limit)
    return [SuggestionRead(text=entry.title, kind=entry.kind, id=entry.entity_id) for entry in entries]


@router.get("/facets", response_model=FacetsRead)
async def count_facets(db: Db, seen: OwnSight, facet: Wished, q: Asked = "", kind: Kind = None) -> FacetsRead:
    """Counts of what a question finds, by kind and by what else narrows it; of everything without a question."""
    return _read(await finding.facets(db, seen, q, narrowed=Narrowed(kind, _facets(facet))))


@router.post("/reindex", response_model=ReindexRead, status_code=202, dependencies=[require("platform:manage")])
async def reindex(db: PlatformDb) -> ReindexRead:
    """Build the index of every organisation again; it is in use meanwhile."""
    return ReindexRead(organizations=await rebuilding.request_reindex(db))


@products.get("", response_model=ProductsFoundRead, dependencies=[require("products:read")])
async def search_products(db: Db, seen: OwnSight, q: Asked, facet: Wished, limit: Most = 20) -> ProductsFoundRead:
    """Products by words and numbers, with counts of what narrows them."""
    narrowed = Narrowed("product", _facets(facet))
    found = await finding.search(db, seen, q, narrowed=narrowed, limit=limit)
    counts = await finding.facets(db, seen, found.understood_as or q, narrowed=narrowed)
    return ProductsFoundRead(
        hits=[_hit(entry) for entry in found.entries], understood_as=found.understood_as, facets=_read(counts)
    )


def _facets(wished: list[str]) -> Mapping[str, str]:
    parsed = {}
    for each in wished:
        match = _FACET.fullmatch(each)
        if match is None:
            raise Invalid("write a facet as name:value, as category:Greens", field="facet")
        parsed[match[1]] = match[2]
    return parsed


def _hit(entry: SearchEntry) -> HitRead:
    facets = {name: str(value) for name, value in entry.facets.items()}
    return HitRead(kind=entry.kind, id=entry.entity_id, title=entry.title, code=entry.code, facets=facets)


def _read(counted: finding.Facets) -> FacetsRead:
    return FacetsRead(
        facets=[
            FacetRead(
                name=name,
                values=[
                    FacetValueRead(value=value, count=count)
                    for value, count in sorted(values.items(), key=lambda each: (-each[1], each[0]))
                ],
            )
            for name, values in sorted(counted.counts.items())
        ],
        total=counted.total,
        complete=counted.complete,
        understood_as=counted.understood_as,
    )
