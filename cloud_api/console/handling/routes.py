"""`/console/receiving`, `/transfers`, `/counts`, `/labels`, `/movements` and `/sightings`."""

from fastapi import APIRouter

from cloud_api.console.handling import counts, labels, movements, receiving, sightings, transfers, weights

router = APIRouter(include_in_schema=False)
for _room in (receiving, transfers, counts, labels, movements, sightings, weights):
    router.include_router(_room.router)
