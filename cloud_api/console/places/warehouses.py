"""`/console/warehouses`: the sites that keep stock, and each of them with its floor plan and its places."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Refused, nothing, together
from cloud_api.console.choices import Options, warehouses_of, zones
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.places import tree
from cloud_api.console.places.plan import plan_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/warehouses")

_AT, _API = "/console/warehouses", "/warehouse/warehouses"
_TEXTS, _NUMBERS = ("code", "name", "address"), ("latitude", "longitude", "capacity_limit_kg")
#: what two people may say differently, as the form calls it
_LABELS: Mapping[str, str] = {
    "name": "Name",
    "code": "Short code",
    "address": "Address",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "timezone": "Time zone",
    "capacity_limit_kg": "Holds at most, kg",
    "manager_id": "Manager",
}
_HEAD = (
    *("Short code", "Name", "Address", "Latitude", "Longitude"),
    *("Time zone", "Holds at most, kg", "Manager", "Status"),
)


@router.get("")
async def show_warehouses(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All of them, on the map and in a table."""
    rows = await table(request, desk, _API)
    names = await names_of(visitor, people=[row["manager_id"] for row in rows.rows])
    return show(request, "places/warehouses.html", table=rows, names=names)


@router.get("/map.json")
async def show_map(visitor: Looking) -> Response:
    """Where they are, for the map."""
    points = [
        {
            **{name: one[name] for name in ("latitude", "longitude")},
            "text": one["code"],
            "title": one["name"],
            "tone": "primary" if one["is_active"] else "secondary",
            "address": f"{_AT}/{one['id']}",
        }
        for one in await warehouses_of(visitor, closed=True)
        if one["latitude"] is not None and one["longitude"] is not None
    ]
    return JSONResponse({"points": points}, headers={"Cache-Control": "no-store"})


@router.get("/export")
async def export_warehouses(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The list as a file."""
    rows = await desk.every(_API, most=MOST_ROWS)
    names = await names_of(visitor, people=[row["manager_id"] for row in rows])
    told = (_line(row, names, visitor) for row in rows)
    return table_file(request, "warehouses", [visitor.say(name) for name in _HEAD], told)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """The form of one to come."""
    visitor.need("storage:write")
    return await _form(request, visitor, Form())


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Make it."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _API, {name: value for name, value in _body(form).items() if value}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _form(request, visitor, form, status=refused.status)
    return go(request, f"{_AT}/{made['id']}", said="The warehouse is made: now its places.")


@router.get("/{id}")
async def show_warehouse(request: Request, visitor: Looking, id: str) -> Response:
    """One of them: how full it is, its floor plan, its places."""
    return await _page(request, visitor, id)


@router.get("/{id}/export")
async def export_places(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Its places that the filters leave, as a file."""
    query = {"sort": "code", **asked_for(request, tree.FILTERS), "warehouse_id": id, "climate": False, "fill": True}
    rows = await desk.every(tree.PLACES, most=MOST_ROWS, **query)
    inside = {row["id"]: row["code"] for row in rows}
    names = await names_of(visitor, places=[row["parent_id"] for row in rows if row["parent_id"] not in inside][:200])
    codes = {**{key: row["code"] for key, row in names.places.items()}, **inside}
    return table_file(request, "places", tree.head(visitor), (tree.cells(row, codes, visitor) for row in rows))


@router.get("/{id}/edit")
async def show_edit(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What can be changed of it."""
    visitor.need("storage:write")
    warehouse = await desk.get(f"{_API}/{id}")
    return await _form(request, visitor, _form_of(warehouse), warehouse=warehouse)


@router.post("/{id}/edit")
async def change(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it, of the version that was seen; a field that was emptied is empty from now on."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_API}/{id}", {**_body(form), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        warehouse = await desk.get(f"{_API}/{id}")
        people = dict(await _people(visitor, warehouse))
        clashes.meet(form, refused, _form_of(warehouse), clashes.said(visitor, _LABELS), manager_id=people.get)
        return await _form(request, visitor, form, warehouse=warehouse, status=refused.status)
    return go(request, f"{_AT}/{id}", said="The warehouse is changed.")


@router.post("/{id}/close")
async def close(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Let it take nothing in any more; what hinders is said on its page."""
    try:
        await desk.do("DELETE", f"{_API}/{id}")
    except Refused as refused:
        return await _page(request, visitor, id, refused)
    return go(request, f"{_AT}/{id}", said="The warehouse is closed: it takes nothing in.")


@router.post("/{id}/open")
async def open_again(request: Request, desk: AtDesk, id: str) -> Response:
    """Let it take goods in again."""
    await desk.do("PUT", f"{_API}/{id}", {"is_active": True})
    return go(request, f"{_AT}/{id}", said="The warehouse is open again.")


async def _page(request: Request, visitor: Visitor, id: str, refused: Refused | None = None) -> Response:
    desk, sees = visitor.desk, visitor.may("storage:read")
    warehouse, plan, places = await together(
        desk.get(f"{_API}/{id}"), _plan(visitor, id), tree.places_in(request, visitor, id) if sees else nothing()
    )
    names = await names_of(visitor, people=[warehouse["manager_id"]])
    return show(
        request,
        "places/warehouse.html",
        status=200 if refused is None else refused.status,
        warehouse=warehouse,
        plan=plan,
        places=places or None,
        names=names,
        problem="" if refused is None else refused.message,
        kinds=visitor.writing.words(tree.KINDS),
        storage=visitor.writing.words(tree.STORAGE),
        states=visitor.writing.words(tree.STATES),
    )


async def _plan(visitor: Visitor, id: str) -> Any:
    if not visitor.may("storage:read"):
        return None
    return plan_of((await visitor.desk.get(f"{_API}/{id}/map"))["areas"], visitor)


async def _form(
    request: Request, visitor: Visitor, form: Form, *, warehouse: Answer = None, status: int = 200
) -> Response:
    people, others = await together(_people(visitor, warehouse), warehouses_of(visitor))
    centres = (f"{one['latitude']},{one['longitude']}" for one in others if one["latitude"] is not None)
    told = {"people": people, "zones": zones(), "center": next(centres, "")}
    return show(request, "places/warehouse_form.html", status=status, form=form, warehouse=warehouse, **told)


async def _people(visitor: Visitor, warehouse: Answer) -> Options:
    """Who may be its manager; nobody for whom they are not to be seen."""
    if not visitor.may("users:read"):
        return []
    found = await visitor.desk.every("/admin/users", status="active")
    known = {one["id"]: str(one["full_name"] or one["username"]) for one in found}
    if warehouse and warehouse["manager_id"] and warehouse["manager_id"] not in known:
        gone = await names_of(visitor, people=[warehouse["manager_id"]])
        known[warehouse["manager_id"]] = gone.person(warehouse["manager_id"])
    return sorted(known.items(), key=lambda pair: pair[1].casefold())


def _form_of(warehouse: Answer) -> Form:
    return Form.of({name: warehouse[name] for name in (*_LABELS, "version")})


def _body(form: Form) -> dict[str, Any]:
    """All that stands in the form; who may not choose people says nothing of the manager."""
    body: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    body |= {name: forms.real(form.get(name)) if form.get(name) else None for name in _NUMBERS}
    body["timezone"] = form.get("timezone") or None
    return {**body, "manager_id": form.get("manager_id") or None} if "manager_id" in form.values else body


def _line(row: Answer, names: Names, visitor: Visitor) -> Sequence[Cell]:
    return (
        *(row[name] for name in (*_TEXTS, "latitude", "longitude", "timezone", "capacity_limit_kg")),
        names.person(row["manager_id"]) if row["manager_id"] else "",
        visitor.writing.word("active" if row["is_active"] else "closed"),
    )
