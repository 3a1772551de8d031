"""`/console/orders/slots`: windows in which a warehouse delivers, of each week or of one day: made, withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Refused, nothing, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.files import MOST_ROWS, Cell, day, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/orders/slots")

_AT, _API = "/console/orders/slots", "/orders/slots"
#: as ISO 8601 has them: 1 Monday
WEEKDAYS: Mapping[int, str] = {
    1: "Monday", 2: "Tuesday", 3: "Wednesday", 4: "Thursday", 5: "Friday", 6: "Saturday", 7: "Sunday",
}  # fmt: skip
_HEAD = ("Warehouse", "Each week on", "Only on", "From", "Until", "Orders a day", "Status")
#: windows of one warehouse that are shown
_MOST = 400


@router.get("")
async def show_slots(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What of a day's windows is taken, and all windows of a warehouse."""
    houses = await warehouses_of(visitor)
    asked = request.query_params
    chosen = asked.get("warehouse_id") or next((one["id"] for one in houses), "")
    on = _day(visitor, asked.get("day", ""))
    withdrawn = asked.get("withdrawn") == "yes"
    of_day, slots = await together(
        *(
            desk.every(_API, most=_MOST, warehouse_id=chosen, **query) if chosen else nothing()
            for query in ({"day": on.isoformat()}, {"is_active": not withdrawn})
        )
    )
    today = visitor.today().isoformat()
    return show(
        request,
        "orders/windows.html",
        sites=options(houses),
        chosen=chosen,
        day=on,
        before=on - timedelta(days=1),
        after=on + timedelta(days=1),
        of_day=sorted(of_day, key=_window),
        weekly=sorted((one for one in slots if not one["day"]), key=_window),
        dated=sorted((one for one in slots if one["day"] and one["day"] >= today), key=lambda one: _window(one, "day")),
        withdrawn=withdrawn,
        weekdays=WEEKDAYS,
    )


@router.get("/export")
async def export_slots(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every window of a warehouse, or of all, as a file."""
    rows = await desk.every(_API, most=MOST_ROWS, warehouse_id=request.query_params.get("warehouse_id", ""))
    names = await names_of(visitor, warehouses=[row["warehouse_id"] for row in rows])
    told = (_line(row, names, visitor) for row in rows)
    return table_file(request, "delivery-windows", [visitor.say(name) for name in _HEAD], told)


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """The form of one to come."""
    visitor.need("orders:fulfill")
    form = Form.of(warehouse_id=request.query_params.get("warehouse_id", ""), kind="weekly")
    return await _form(request, visitor, form)


@router.post("/new")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Offer it."""
    form = await forms.read(request)
    body: dict[str, Any] = form.body("warehouse_id", "window_from", "window_until")
    body |= {"weekdays": _ticked(form)} if form.get("kind") != "dated" else {"day": form.get("day") or None}
    body["capacity"] = forms.whole(form.get("capacity"))
    try:
        await desk.do("POST", _API, body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **({"weekdays": "day"} if form.get("kind") == "dated" else {}))
        return await _form(request, visitor, form, status=refused.status)
    return go(request, f"{_AT}?warehouse_id={body.get('warehouse_id', '')}", said="The window is offered.")


@router.get("/{id}")
async def show_slot(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One window: who took it on which days, and what can be changed."""
    slot = await desk.get(f"{_API}/{id}")
    return await _form(request, visitor, _form_of(slot), slot=slot)


@router.post("/{id}")
async def change(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it, of the version that was seen; orders that took it keep it."""
    form = await forms.read(request)
    body: dict[str, Any] = {"capacity": forms.whole(form.get("capacity")), **clashes.version_of(form)}
    body |= {"weekdays": _ticked(form)} if form.get("kind") == "weekly" else {}
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        slot = await desk.get(f"{_API}/{id}")
        clashes.meet(form, refused, _form_of(slot), _told_in(visitor))
        return await _form(request, visitor, form, slot=slot, status=refused.status)
    return go(request, f"{_AT}/{id}", said="The window is changed.")


@router.post("/{id}/withdraw")
async def withdraw(request: Request, desk: AtDesk, id: str) -> Response:
    """Offer it no more."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, f"{_AT}/{id}", said="The window is offered no more; orders that took it keep it.")


@router.post("/{id}/offer")
async def offer(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Offer it again, unless another has taken its place."""
    try:
        await desk.do("PUT", f"{_API}/{id}", {"is_active": True})
    except Refused as refused:
        slot = await desk.get(f"{_API}/{id}")
        form = _form_of(slot)
        form.problem = refused.message
        return await _form(request, visitor, form, slot=slot, status=refused.status)
    return go(request, f"{_AT}/{id}", said="The window is offered.")


async def _form(request: Request, visitor: Visitor, form: Form, *, slot: Answer = None, status: int = 200) -> Response:
    houses = await warehouses_of(visitor, closed=slot is not None)
    names = {one["id"]: one["name"] for one in houses}
    told = {"slot": slot, "sites": options(houses), "weekdays": WEEKDAYS, "ticked": _ticked(form)}
    told["site"] = names.get(slot["warehouse_id"], "") if slot else ""
    return show(request, "orders/window.html", status=status, form=form, **told)


def _form_of(slot: Answer) -> Form:
    form = Form.of(capacity=slot["capacity"], version=slot["version"], kind="dated" if slot["day"] else "weekly")
    form.many["weekdays"] = [str(number) for number in slot["weekdays"]]
    return form


def _ticked(form: Form) -> list[int]:
    """Days of the week that are ticked."""
    return [int(number) for number in form.many.get("weekdays", []) if number.isdecimal()]


def _told_in(visitor: Visitor) -> clashes.Told:
    """What two people may say differently of a window."""

    def told(form: Form) -> Mapping[str, str]:
        days = ", ".join(visitor.say(WEEKDAYS[number]) for number in _ticked(form) if number in WEEKDAYS)
        return {visitor.say("Orders a day"): form.get("capacity"), visitor.say("Each week on"): days}

    return told


def _day(visitor: Visitor, typed: str) -> date:
    """The day that is asked about; what is none is today."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return visitor.today()


def _window(slot: Answer, *before: str) -> list[str]:
    return [str(slot[name]) for name in (*before, "window_from", "window_until")]


def _line(row: Answer, names: Names, visitor: Visitor) -> Sequence[Cell]:
    return (
        names.warehouse(row["warehouse_id"]),
        ", ".join(visitor.say(WEEKDAYS[number]) for number in row["weekdays"]),
        day(row["day"]),
        row["window_from"][:5],
        row["window_until"][:5],
        row["capacity"],
        visitor.say("offered") if row["is_active"] else visitor.say("withdrawn"),
    )
