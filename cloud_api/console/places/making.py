"""`/console/warehouses/{id}/places/new`: a place, or a row of places that are alike."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.places import places, tree
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/warehouses/{id}/places")

#: places that are made at once
MOST = 50
#: what a place has of the one around it until somebody says otherwise
_HANDED_DOWN = ("storage_type", "temperature_min_c", "temperature_max_c", "humidity_min_pct", "humidity_max_pct")
_NUMBERED = re.compile(r"(.*?)(\d+)$", re.DOTALL)


@router.get("/new")
async def show_new(request: Request, visitor: Looking, id: str) -> Response:
    """The form of a place; in another one it begins as that is kept."""
    visitor.need("storage:write")
    form = Form.of(location_type="room", storage_type="cold_storage", count=1)
    if parent_id := request.query_params.get("parent_id", ""):
        parent = await visitor.desk.get(f"{tree.PLACES}/{parent_id}", climate=False)
        handed = {name: parent[name] for name in _HANDED_DOWN}
        form = Form.of(handed, parent_id=parent_id, location_type=_inner(parent), count=1)
    return await _form(request, visitor, id, form)


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Make them, one after the other; of those that could not be made the form says why, and the others are there."""
    form = await forms.read(request)
    count = forms.whole(form.get("count") or "1")
    if not isinstance(count, int) or not 1 <= count <= MOST:
        form.errors["count"] = visitor.say("From 1 to {most}", most=MOST)
        return await _form(request, visitor, id, form, status=422)
    body = {**places.body_of(form), "warehouse_id": id, "location_type": form.get("location_type")}
    for done in range(count):
        named = {name: _numbered(form.get(name), done, count) for name in ("code", "name")}
        try:
            made = await desk.do(
                "POST", tree.PLACES, {**body, **named, **_beside(body, done)}, key=f"{form.key}-{done}"
            )
        except Refused as refused:
            form.refuse(refused)
            if done:
                form.values |= {**named, "count": str(count - done)}
                form.key = Form().key
                form.problem = visitor.say(
                    "{count} of them are made; then: {message}", count=done, message=form.problem
                )
            return await _form(request, visitor, id, form, status=refused.status)
    back = f"/console/places/{form.get('parent_id')}" if form.get("parent_id") else f"/console/warehouses/{id}"
    if form.ticked("_more"):
        back = f"/console/warehouses/{id}/places/new?parent_id={form.get('parent_id')}"
    elif count == 1:
        back = f"/console/places/{made['id']}"
    return go(request, back, said="The place is made." if count == 1 else "The places are made.")


async def _form(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    warehouse, parents = await together(
        visitor.desk.get(f"/warehouse/warehouses/{id}"), places.parents_of(visitor, id, chosen=form.get("parent_id"))
    )
    told: dict[str, Any] = {"warehouse": warehouse, "parents": parents, "place": None, "most": MOST}
    told |= {"kinds": visitor.writing.words(tree.KINDS), "storage": visitor.writing.words(tree.STORAGE)}
    return show(request, "places/place_form.html", status=status, form=form, **told)


def _inner(parent: Answer) -> str:
    """What is usually made in a place."""
    usual = {"building": "room", "warehouse": "room", "room": "rack", "zone": "rack", "rack": "bin"}
    return usual.get(parent["location_type"], "storage_unit")


def _beside(body: Mapping[str, Any], done: int) -> dict[str, Any]:
    """On the floor plan a row of places stands side by side, from the left to the right."""
    area = body.get("map", {})
    if not all(isinstance(area.get(name), float) for name in ("x_m", "width_m")):
        return {}
    return {"map": {**area, "x_m": area["x_m"] + done * area["width_m"]}}


def _numbered(text: str, done: int, count: int) -> str:
    """`R-01` is followed by `R-02`; what ends in no number is numbered from 1."""
    if count == 1 or not text:
        return text
    match = _NUMBERED.fullmatch(text)
    if match is None:
        return f"{text}{' ' if ' ' in text else '-'}{done + 1}"
    before, digits = match.groups()
    return f"{before}{int(digits) + done:0{len(digits)}}"
