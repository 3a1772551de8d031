"""`/console/geofences`: fences on the map, and each of them."""

from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.forms import Form
from cloud_api.console.geofences import fences
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/geofences")

_HOME = "/console/geofences"
_FENCES, _EVENTS = "/geofences", "/geofences/events"
_FILTERS = ("kind",)
_MOST_DRAWN = 400
_LAST_EVENTS = 20
_HEAD = ("Name", "Kind", "Shape", "Latitude", "Longitude", "Radius, m", "Corners", "Warehouse")


@router.get("")
async def list_fences(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every fence, on the map and in a table."""
    rows = await table(request, desk, _FENCES, filters=_FILTERS)
    names = await names_of(
        visitor,
        warehouses=(row["warehouse_id"] for row in rows.rows),
        customers=(row["customer_id"] for row in rows.rows),
    )
    return show(request, "geofences/list.html", table=rows, names=names, kinds=fences.KINDS, tones=fences.TONES)


@router.get("/map.json")
async def show_map(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What the list's map draws: the fences that its filter leaves."""
    found = await desk.every(_FENCES, most=_MOST_DRAWN, **asked_for(request, _FILTERS))
    return JSONResponse(fences.drawn(found, visitor), headers={"Cache-Control": "no-store"})


@router.get("/export")
async def export_fences(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The list as a file."""
    rows = await desk.every(_FENCES, most=MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(visitor, warehouses=(row["warehouse_id"] for row in rows))
    return table_file(request, "geofences", [visitor.say(name) for name in _HEAD], (_line(row, names) for row in rows))


@router.get("/new")
async def show_new_fence(request: Request, visitor: Looking) -> Response:
    """The form of a fence to come."""
    return await _form(request, visitor, Form.of({"circle": {"radius_m": 200}}, shape="circle", kind="depot"))


@router.post("")
async def create_fence(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Keep a fence as it was drawn."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _FENCES, fences.body_of(form), key=form.key)
    except Refused as refused:
        fences.refuse(form, refused, visitor)
        return await _form(request, visitor, form, status=refused.status)
    return go(request, f"{_HOME}/{made['id']}", said="The fence is drawn: from now on vans that cross it are noted.")


@router.get("/{id}")
async def show_fence(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One fence: where it is, and who crossed it last."""
    fence = await _fence(desk, visitor, id)
    return await _form(request, visitor, fences.form_of(fence), fence=fence)


@router.post("/{id}")
async def change_fence(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Draw it otherwise."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_FENCES}/{id}", {**fences.body_of(form), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        if refused.status == 404:
            raise
        fences.refuse(form, refused, visitor)
        fence, houses = await together(_fence(desk, visitor, id), warehouses_of(visitor))
        labels, names = clashes.said(visitor, fences.LABELS), dict(options(houses))
        now = fences.form_of(fence)
        clashes.meet(form, refused, now, labels, kind=visitor.writing.word, warehouse_id=names.get)
        return await _form(request, visitor, form, fence=fence, status=refused.status)
    return go(request, f"{_HOME}/{id}", said="Saved.")


@router.post("/{id}/remove")
async def remove_fence(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; what crossed it is still listed."""
    await desk.do("DELETE", f"{_FENCES}/{id}")
    return go(request, _HOME, said="The fence is gone.")


async def _form(
    request: Request, visitor: Visitor, form: Form, *, fence: Answer | None = None, status: int = 200
) -> Response:
    houses, events = await together(warehouses_of(visitor), _crossed(visitor, fence))
    names = await names_of(
        visitor,
        vans=(row["vehicle_id"] for row in events),
        customers=[fence["customer_id"]] if fence and fence["customer_id"] else (),
    )
    centres = (f"{one['latitude']},{one['longitude']}" for one in houses if one["latitude"] is not None)
    return show(
        request,
        "geofences/fence.html",
        status=status,
        form=form,
        fence=fence,
        events=events,
        names=names,
        kinds=fences.KINDS,
        warehouses=options(houses),
        center=next(centres, ""),
    )


async def _crossed(visitor: Visitor, fence: Answer | None) -> list[Answer]:
    if fence is None:
        return []
    return (await visitor.desk.page(_EVENTS, geofence_id=fence["id"], limit=_LAST_EVENTS)).items


async def _fence(desk: Desk, visitor: Visitor, id: str) -> Answer:
    found = await desk.page(_FENCES, id=id, limit=1)
    if not found.items:
        raise Refused(404, "NOT_FOUND", visitor.say("This fence is not there any more."))
    return found.items[0]


def _line(fence: Answer, names: Names) -> Sequence[Cell]:
    circle = fence["circle"] or {}
    corners = fence["polygon"] or ()
    return (
        fence["name"],
        fence["kind"],
        "circle" if circle else "polygon",
        circle.get("latitude"),
        circle.get("longitude"),
        circle.get("radius_m"),
        "; ".join(f"{latitude:.6f} {longitude:.6f}" for latitude, longitude in corners),
        names.warehouse(fence["warehouse_id"]) if fence["warehouse_id"] else "",
    )
