"""`/console/fleet`."""

from datetime import date

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.fleet import vehicles
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table
from cloud_api.kernel import clock

router = console_router("/fleet")

_VEHICLES = "/warehouse/fleet/vehicles"
_SHIFTS = "/warehouse/fleet/shifts"
_DUE_DAYS = 45
STATES = ("active", "maintenance", "inactive")


@router.get("")
async def list_vehicles(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every vehicle, and what falls due."""
    rows, due, drivers, weeks = await together(
        table(request, desk, _VEHICLES, filters=("status",)),
        desk.get("/warehouse/fleet/maintenance", within_days=_DUE_DAYS, limit=1),
        _drivers(desk, visitor),
        _weeks(desk, visitor),
    )
    today = _today(visitor)
    pressing = {row["id"]: vehicles.worst(row, today) for row in rows.rows}
    return show(
        request,
        "fleet/list.html",
        table=rows,
        due_rows=due["due"][:12],
        drivers=drivers,
        pressing=pressing,
        states=STATES,
        weeks=weeks,
    )


@router.get("/new")
async def show_new_vehicle(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form of a vehicle to come."""
    return await _form(request, desk, visitor, Form.of(vehicle_type="van", fuel_type="diesel", is_refrigerated=True))


@router.post("")
async def create_vehicle(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Add a vehicle."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _VEHICLES, vehicles.body_of(form, new=True), key=form.key)
    except Refused as refused:
        form.refuse(refused, **vehicles.refuse(form, refused.fields))
        return await _form(request, desk, visitor, form, status=refused.status)
    return go(request, f"/console/fleet/{made['id']}", said="The vehicle is added.")


@router.get("/{id}")
async def show_vehicle(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One vehicle."""
    return await _vehicle(request, desk, visitor, id)


@router.get("/{id}/edit")
async def show_vehicle_form(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What is known of it, to be changed."""
    vehicle = await desk.get(f"{_VEHICLES}/{id}")
    return await _form(request, desk, visitor, vehicles.form_of(vehicle), vehicle=vehicle)


@router.post("/{id}")
async def update_vehicle(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change what was typed."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_VEHICLES}/{id}", vehicles.body_of(form, new=False), key=form.key)
    except Refused as refused:
        form.refuse(refused, **vehicles.refuse(form, refused.fields))
        vehicle = await desk.get(f"{_VEHICLES}/{id}")
        return await _form(request, desk, visitor, form, vehicle=vehicle, status=refused.status)
    return go(request, f"/console/fleet/{id}", said="The vehicle is changed.")


@router.post("/{id}/status")
async def set_vehicle_status(request: Request, desk: AtDesk, id: str) -> Response:
    """Into the workshop, out of it, or out of service."""
    form = await forms.read(request)
    await desk.do("PUT", f"{_VEHICLES}/{id}", form.body("status"), key=form.key)
    return go(request, f"/console/fleet/{id}", said="The vehicle has its new status.")


@router.post("/{id}/maintenance")
async def record_maintenance(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Write down a visit to the workshop."""
    form = await forms.read(request)
    body = form.body("kind", "done_on", "note", "next_due_on", vehicle_id=id)
    figures = vehicles.body_of(Form(values={"fixed_cost": form.get("cost"), **_only(form, "odometer_km")}), new=True)
    body |= {"cost_minor": figures.get("fixed_cost_minor", 0)}
    body |= {name: value for name, value in figures.items() if name == "odometer_km"}
    try:
        await desk.do("POST", "/warehouse/fleet/maintenance", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, cost_minor="cost")
        return await _vehicle(request, desk, visitor, id, status=refused.status, visit=form)
    return go(request, f"/console/fleet/{id}", said="The visit is written down.")


@router.post("/{id}/shifts")
async def create_shift(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """When somebody drives it."""
    form = await forms.read(request)
    body = form.body("user_id", "on_date", "from_time", "until_time", vehicle_id=id)
    body["is_off"] = form.ticked("is_off")
    if not form.get("on_date") and form.get("weekday"):
        body["weekday"] = int(form.get("weekday"))
    if form.get("break_minutes").isdecimal():
        body["break_minutes"] = int(form.get("break_minutes"))
    try:
        await desk.do("POST", _SHIFTS, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _vehicle(request, desk, visitor, id, status=refused.status, shift=form)
    return go(request, f"/console/fleet/{id}", said="The shift is kept.")


@router.post("/{id}/shifts/{shift_id}/delete")
async def delete_shift(request: Request, desk: AtDesk, id: str, shift_id: str) -> Response:
    """Take a shift away."""
    await desk.do("DELETE", f"{_SHIFTS}/{shift_id}")
    return go(request, f"/console/fleet/{id}", said="The shift is taken away.")


async def _vehicle(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, **typed: Form
) -> Response:
    vehicle, work, shifts, drivers, homes = await together(
        desk.get(f"{_VEHICLES}/{id}"),
        desk.get("/warehouse/fleet/maintenance", vehicle_id=id, within_days=3_650),
        desk.every(_SHIFTS, vehicle_id=id),
        _drivers(desk, visitor),
        _homes(desk, visitor),
    )
    today = _today(visitor)
    shown = {
        "visit": Form.of(done_on=today.isoformat(), odometer_km=vehicle["odometer_km"]),
        "shift": Form.of(user_id=vehicle["driver_id"], from_time="08:00", until_time="18:00", break_minutes=30),
        **typed,
    }
    return show(
        request,
        "fleet/vehicle.html",
        status=status,
        vehicle=vehicle,
        papers=vehicles.papers(vehicle, today),
        past=work["past"],
        shifts=sorted(shifts, key=lambda shift: (shift["on_date"] or "", shift["weekday"] or 0)),
        drivers=drivers,
        home=homes.get(vehicle["home_warehouse_id"] or ""),
        kinds=vehicles.KINDS,
        weekdays=WEEKDAYS,
        **shown,
    )


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


async def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    form: Form,
    *,
    vehicle: Answer | None = None,
    status: int = 200,
) -> Response:
    drivers, homes = await together(_drivers(desk, visitor), _homes(desk, visitor))
    return show(
        request,
        "fleet/form.html",
        status=status,
        form=form,
        vehicle=vehicle,
        drivers=sorted(drivers.items(), key=lambda pair: pair[1]),
        homes=sorted(homes.items(), key=lambda pair: pair[1]),
        rows=vehicles.rows_of(form),
        types=vehicles.TYPES,
        fuels=vehicles.FUELS,
        climates=vehicles.CLIMATES,
        papers=vehicles.PAPERS,
    )


async def _drivers(desk: Desk, visitor: Visitor) -> dict[str, str]:
    """Who may drive, as far as the reader may know."""
    if not visitor.may("users:read"):
        return {}
    people = await desk.every("/admin/users", role="delivery_personnel")
    return {person["id"]: person["full_name"] for person in people}


async def _homes(desk: Desk, visitor: Visitor) -> dict[str, str]:
    if not visitor.may("stock:read"):
        return {}
    return {row["id"]: f"{row['code']} · {row['name']}" for row in await desk.every("/warehouse/warehouses")}


async def _weeks(desk: Desk, visitor: Visitor) -> list[Answer]:
    """What the routes of the last weeks drove and burnt, the latest first."""
    if not visitor.may("routes:read"):
        return []
    rows: list[Answer] = await desk.get("/warehouse/routes/performance")
    return sorted(rows, key=lambda row: row["week"], reverse=True)[:6]


def _today(visitor: Visitor) -> date:
    return clock.now().astimezone(visitor.writing.zone).date()


def _only(form: Form, name: str) -> dict[str, str]:
    return {name: form.get(name)} if form.get(name) else {}
