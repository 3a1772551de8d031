"""What lists of excursions and alerts are filtered by: places, and the address that asks for them."""

from fastapi import Request

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.pages import Visitor


async def places_by_id(desk: Desk, visitor: Visitor) -> dict[str, Answer]:
    """Places by their ids, as far as they are for this person."""
    if not visitor.may("storage:read"):
        return {}
    return {place["id"]: place for place in await desk.every("/warehouse/storage/locations")}


def choices(places: dict[str, Answer]) -> list[tuple[str, str]]:
    """The places to filter by, in alphabetical order."""
    return sorted(((place["id"], place["name"]) for place in places.values()), key=lambda pair: str(pair[1]))


def address(request: Request) -> str:
    """Where the page is, with its filters: read again when something changes."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
