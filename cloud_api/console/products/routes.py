"""`/console/products`: all of it; static paths stand before their siblings with an id."""

from fastapi import APIRouter

from cloud_api.console.products.asking_price import router as asking_price
from cloud_api.console.products.bundles import router as bundles
from cloud_api.console.products.categories import router as categories
from cloud_api.console.products.detail import router as detail
from cloud_api.console.products.editing import router as editing
from cloud_api.console.products.keywords import router as keywords
from cloud_api.console.products.listing import router as listing
from cloud_api.console.products.parts import router as parts

router = APIRouter(include_in_schema=False)
for part in (listing, categories, keywords, editing, parts, bundles, asking_price, detail):
    router.include_router(part)
