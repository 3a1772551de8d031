"""`/console/stock`: all of it."""

from fastapi import APIRouter

from cloud_api.console.stock.adjusting import router as adjusting
from cloud_api.console.stock.holds import router as holds
from cloud_api.console.stock.on_the_way import router as on_the_way
from cloud_api.console.stock.overview import router as overview
from cloud_api.console.stock.replenishing import router as replenishing
from cloud_api.console.stock.reserving import router as reserving

router = APIRouter(include_in_schema=False)
for part in (overview, adjusting, replenishing, reserving, on_the_way, holds):
    router.include_router(part)
