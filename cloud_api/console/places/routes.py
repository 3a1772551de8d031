"""`/console/warehouses` and `/console/places`: all of it; static paths stand before their siblings with an id."""

from fastapi import APIRouter

from cloud_api.console.places.making import router as making
from cloud_api.console.places.places import router as places
from cloud_api.console.places.warehouses import router as warehouses

router = APIRouter(include_in_schema=False)
for part in (warehouses, making, places):
    router.include_router(part)
