"""`/console/find`: pages by their names, and orders, lots, customers and more by number or name."""

from collections.abc import Mapping

from fastapi import Request, Response

from cloud_api.console.asking import together
from cloud_api.console.navigation import open_to
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/find")
_MOST = 12
_PLACES = 4
_SHORTEST = 2
#: what the search finds -> what it is among, and the page that shows one; what has no page is not offered
PLACES: Mapping[str, tuple[str, str]] = {
    "order": ("Orders", "/console/orders"),
    "customer": ("Customers", "/console/customers"),
    "product": ("Products", "/console/products"),
    "lot": ("Lots", "/console/lots"),
    "item": ("Assets", "/console/assets"),
    "sensor": ("Sensors", "/console/gateways/sensors"),
}


@router.get("")
async def find(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What fits what was typed: pages first."""
    typed = request.query_params.get("q", "").strip()
    hits: list[dict[str, str]] = []
    if len(typed) >= _SHORTEST:
        found, hits = await together(desk.get("/search", q=typed[:200], limit=_MOST), _places(who, typed))
        for hit in found["hits"]:
            if hit["kind"] in PLACES:
                among, path = PLACES[hit["kind"]]
                hits.append({**hit, "among": among, "address": f"{path}/{hit['id']}"})
    return show(request, "finding/found.html", typed=typed, pages=_pages(who, typed), hits=hits)


async def _places(who: Visitor, typed: str) -> list[dict[str, str]]:
    """Places by code or name, where they are to be seen: the index of what can be found has none."""
    if not who.may("storage:read"):
        return []
    found = await who.desk.page("/warehouse/storage/locations", search=typed[:100], climate=False, limit=_PLACES)
    return [
        {"title": one["name"], "code": one["code"], "among": "Places", "address": f"/console/places/{one['id']}"}
        for one in found.items
    ]


def _pages(who: Visitor, typed: str) -> list[tuple[str, str, str]]:
    """(title, address, icon) of pages whose name has what was typed; all without anything typed."""
    doors = [door for wing in open_to(who.permissions) for door in wing.doors]
    wanted = typed.casefold()
    said = [(who.say(door.title), door.title, door) for door in doors]
    return [
        (title, door.path, door.icon)
        for title, english, door in said
        if wanted in title.casefold() or wanted in english.casefold()
    ]
