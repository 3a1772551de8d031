"""`/console/places/{id}`: a place: what it is like, what lies there and inside it; changed, closed, taken away."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Listing, Refused, together
from cloud_api.console.choices import Options
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.places import tree
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/places")

_AT = "/console/places"
#: levels of stock that are shown
_LEVELS = 20
#: places to choose from that a place can lie in
_MOST_PARENTS = 400
_TEXTS = ("code", "name", "storage_type")
_NUMBERS = ("temperature_min_c", "temperature_max_c", "humidity_min_pct", "humidity_max_pct", "capacity_kg")
_MAP = ("x_m", "y_m", "width_m", "height_m")
#: what two people may say differently, as the form calls it
_LABELS: Mapping[str, str] = {
    "name": "Name",
    "code": "Code on its label",
    "parent_id": "Within",
    "storage_type": "Kept as",
    "temperature_min_c": "From °C",
    "temperature_max_c": "To °C",
    "humidity_min_pct": "Humidity from, %",
    "humidity_max_pct": "Humidity to, %",
    "capacity_kg": "Holds at most, kg",
    "map.x_m": "From the left, m",
    "map.y_m": "From the top, m",
    "map.width_m": "Wide, m",
    "map.height_m": "Deep, m",
}


@router.get("/{id}")
async def show_place(request: Request, visitor: Looking, id: str) -> Response:
    """One place, with what lies in it."""
    return await _page(request, visitor, id)


@router.get("/{id}/inside")
async def show_inside(request: Request, visitor: Looking, id: str, depth: int = 1) -> Response:
    """Rows of a tree: what lies directly in a place."""
    rows, more = await tree.inside(visitor, id)
    shown = [(depth, row) for row in rows]
    return show(request, "places/inside.html", rows=shown, more=more, parent_id=id, depth=depth)


@router.get("/{id}/edit")
async def show_edit(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What can be changed of it."""
    visitor.need("storage:write")
    place = await desk.get(f"{tree.PLACES}/{id}", climate=False)
    return await _form(request, visitor, place, _form_of(place))


@router.post("/{id}/edit")
async def change(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it, of the version that was seen; a field that was emptied is empty from now on."""
    form = await forms.read(request)
    body = {name: None for name in (*_NUMBERS, "parent_id", "map")} | body_of(form) | clashes.version_of(form)
    try:
        await desk.do("PUT", f"{tree.PLACES}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        place = await desk.get(f"{tree.PLACES}/{id}", climate=False)
        return await _form(request, visitor, place, form, refused)
    return go(request, f"{_AT}/{id}", said="The place is changed.")


@router.post("/{id}/status")
async def change_status(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Close it, or open it again; what hinders is said on its page."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{tree.PLACES}/{id}", form.body("status"), key=form.key)
    except Refused as refused:
        return await _page(request, visitor, id, refused)
    return go(request, f"{_AT}/{id}", said="The place is changed.")


@router.post("/{id}/remove")
async def remove(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Take an empty place away; what hinders is said on its page."""
    place = await desk.get(f"{tree.PLACES}/{id}", climate=False)
    try:
        await desk.do("DELETE", f"{tree.PLACES}/{id}")
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _page(request, visitor, id, refused)
    back = f"{_AT}/{place['parent_id']}" if place["parent_id"] else f"/console/warehouses/{place['warehouse_id']}"
    return go(request, back, said="The place is gone.")


def body_of(form: Form) -> dict[str, Any]:
    """What the API is sent of what was typed; what is no number goes as it was typed, so that the API says so."""
    body: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    body |= {name: forms.real(form.get(name)) for name in _NUMBERS if form.get(name)}
    body |= {"parent_id": form.get("parent_id")} if form.get("parent_id") else {}
    area = {name: forms.real(form.get(f"map.{name}")) for name in _MAP if form.get(f"map.{name}")}
    return {**body, "map": area} if area else body


async def parents_of(visitor: Visitor, warehouse_id: str, *, without: str = "", chosen: str = "") -> Options:
    """Where a place of a warehouse can lie: everywhere but in a bin, in itself, and in what is inside it.

    Args:
        without: the place; empty: it is not there yet.
        chosen: where it lies now: that is among them, however many there are.
    """
    query = {"warehouse_id": warehouse_id, "climate": False, "sort": "code"}
    found = await visitor.desk.every(tree.PLACES, most=_MOST_PARENTS, **query)
    if chosen and all(one["id"] != chosen for one in found):
        found += (await names_of(visitor, places=[chosen])).places.values()
    parents = {one["id"]: one["parent_id"] for one in found}
    usual = (one for one in found if one["location_type"] != "bin" or one["id"] == chosen)
    return [
        (one["id"], f"{one['code']} · {one['name']}") for one in usual if without not in _around(one["id"], parents)
    ]


def _around(id: str, parents: Mapping[str, str | None]) -> list[str]:
    """A place and what it lies in."""
    path = [id]
    while (outer := parents.get(path[-1])) and outer not in path:
        path.append(outer)
    return path


async def _page(request: Request, visitor: Visitor, id: str, refused: Refused | None = None) -> Response:
    place, (rows, more), levels = await together(
        visitor.desk.get(f"{tree.PLACES}/{id}", fill=True), tree.inside(visitor, id), _levels(visitor, id)
    )
    names = await names_of(
        visitor,
        places=[place["parent_id"]],
        warehouses=[place["warehouse_id"]],
        products=[level["product_id"] for level in levels.items],
        lots=[level["lot_id"] for level in levels.items],
    )
    return show(
        request,
        "places/place.html",
        status=200 if refused is None else refused.status,
        place=place,
        names=names,
        rows=[(0, row) for row in rows],
        more=more,
        levels=levels.items,
        more_levels=levels.next_cursor is not None,
        problem="" if refused is None else refused.message,
    )


async def _levels(visitor: Visitor, id: str) -> Listing:
    if not visitor.may("stock:read"):
        return Listing([], None)
    return await visitor.desk.page("/warehouse/stock/levels", location_id=id, in_stock=True, limit=_LEVELS)


async def _form(
    request: Request, visitor: Visitor, place: Answer, form: Form, refused: Refused | None = None
) -> Response:
    house = place["warehouse_id"]
    parents = await parents_of(visitor, house, without=place["id"], chosen=place["parent_id"]) if house else []
    if refused is not None:
        labels, word = clashes.said(visitor, _LABELS), visitor.writing.word
        clashes.meet(form, refused, _form_of(place), labels, parent_id=dict(parents).get, storage_type=word)
    status = 200 if refused is None else refused.status
    told = {"place": place, "parents": parents, "storage": visitor.writing.words(tree.STORAGE)}
    return show(request, "places/place_form.html", status=status, form=form, warehouse=None, **told)


def _form_of(place: Answer) -> Form:
    shown = {name: place[name] for name in (*_TEXTS, *_NUMBERS, "parent_id", "version")}
    area = {f"map.{name}": (place["map"] or {}).get(name) for name in _MAP}
    return Form.of(shown, **area)
