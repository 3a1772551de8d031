"""Calls of the catalogue that stories are told with."""

from typing import Any

import httpx2

from tests.factories.farms import make_person
from tests.platform_under_test import Platform, Tenant

PRODUCTS = "/api/v1/warehouse/products"
CATEGORIES = f"{PRODUCTS}/categories"
TAGS = "/api/v1/warehouse/tags"
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"


async def add(tenant: Tenant, sku: str, **fields: Any) -> Any:
    """A product: as it was answered."""
    return await tenant.post(PRODUCTS, {"sku": sku, "name": sku.title(), "unit": "kg", **fields})


async def shelve(tenant: Tenant, slug: str, **fields: Any) -> Any:
    """A category: as it was answered."""
    return await tenant.post(CATEGORIES, {"name": slug.title(), "slug": slug, **fields})


def refusal(answer: httpx2.Response) -> tuple[int, str, list[str]]:
    """Status, code and the fields that are named."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], [detail["field"] for detail in error["details"]]


async def colleague(platform: Platform, role: str = "inventory_staff") -> Tenant:
    """Another person of the same organisation."""
    return await make_person(platform, platform.tenant, role)
