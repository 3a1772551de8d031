"""`/console/receiving`, `/transfers`, `/counts`, `/labels`, `/movements` and `/sightings`."""

from fastapi import APIRouter

from cloud_api.console.handling import (
    counts,
    labels,
    movements,
    receiving,
    sightings,
    sweeping,
    tagging,
    tags,
    transfers,
    weights,
)

router = APIRouter(include_in_schema=False)
for _room in (receiving, transfers, sweeping, counts, labels, movements, sightings, tagging, tags, weights):
    router.include_router(_room.router)
