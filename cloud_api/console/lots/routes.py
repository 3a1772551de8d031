"""`/console/lots`: all of it; static paths stand before their siblings with an id."""

from fastapi import APIRouter

from cloud_api.console.lots.acting import router as acting
from cloud_api.console.lots.detail import router as detail
from cloud_api.console.lots.listing import router as listing
from cloud_api.console.lots.recalls import router as recalls
from cloud_api.console.lots.remaking import router as remaking

router = APIRouter(include_in_schema=False)
for part in (listing, recalls, detail, remaking, acting):
    router.include_router(part)
