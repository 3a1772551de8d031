"""What lists of excursions and alerts are filtered by: places, and the address that asks for them."""

from collections.abc import Sequence

from fastapi import Request

from cloud_api.console.asking import Answer
from cloud_api.console.choices import Options, options
from cloud_api.console.names import Names
from cloud_api.console.pages import Visitor

_MOST_ROOMS = 400


async def rooms_of(visitor: Visitor) -> Sequence[Answer]:
    """Rooms to filter by, as far as they are for this person."""
    if not visitor.may("storage:read"):
        return []
    places = "/warehouse/storage/locations"
    return await visitor.desk.every(places, location_type="room", most=_MOST_ROOMS, climate=False)


def choices(rooms: Sequence[Answer], names: Names) -> Options:
    """These rooms and the places that are named on the page, in alphabetical order."""
    known = {**{room["id"]: room for room in rooms}, **names.places}
    return sorted(options(known.values()), key=lambda pair: pair[1].casefold())


def places_on(request: Request, rows: Sequence[Answer]) -> list[str | None]:
    """The places of these rows, and the one that the address asks for."""
    return [request.query_params.get("location_id"), *(row["location_id"] for row in rows)]


def address(request: Request) -> str:
    """Where the page is, with its filters: read again when something changes."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
