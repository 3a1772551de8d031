"""What lies in a room and in what is inside it."""

from collections.abc import Sequence

from cloud_api.console.asking import Answer, together
from cloud_api.console.pages import Visitor

#: levels that are shown
SHOWN = 50
#: places inside a room whose stock is shown
MOST_INSIDE = 12


async def levels_in(visitor: Visitor, place_ids: Sequence[str]) -> list[Answer]:
    """Levels of stock in these places that hold something, the newest first; as many as there is room for."""
    if not visitor.may("stock:read"):
        return []
    pages = await together(
        *(
            visitor.desk.page("/warehouse/stock/levels", location_id=place_id, in_stock=True, limit=SHOWN)
            for place_id in place_ids[:MOST_INSIDE]
        )
    )
    return [level for page in pages for level in page.items][:SHOWN]


def inside(place_id: str, places: Sequence[Answer]) -> Sequence[str]:
    """The room and all that is in it, from the outside in."""
    found = [place_id]
    for at in found:
        found += [place["id"] for place in places if place["parent_id"] == at]
    return found
