"""`/console/assets`: all of it; static paths stand before their siblings with an id."""

from fastapi import APIRouter

from cloud_api.console.assets.deciding import router as deciding
from cloud_api.console.assets.editing import router as editing
from cloud_api.console.assets.lending import router as lending
from cloud_api.console.assets.listing import router as listing
from cloud_api.console.assets.page import router as page

router = APIRouter(include_in_schema=False)
for part in (listing, deciding, editing, lending, page):
    router.include_router(part)
