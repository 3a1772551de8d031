"""`/console/fleet`: vehicles."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import clashes, files, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.fleet import vehicles
from cloud_api.console.fleet.calendar import WEEKDAYS, drivers_of, shift_of
from cloud_api.console.fleet.calendar import pages as calendar
from cloud_api.console.fleet.usage import pages as usage
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

pages = console_router("/fleet")

_VEHICLES = "/warehouse/fleet/vehicles"
_SHIFTS = "/warehouse/fleet/shifts"
_DUE_DAYS = 45
FILTERS = ("status",)
STATES = ("active", "maintenance", "inactive")


@pages.get("")
async def list_vehicles(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every vehicle, and what falls due."""
    rows, due, weeks = await together(
        table(request, desk, _VEHICLES, filters=FILTERS),
        desk.get("/warehouse/fleet/maintenance", within_days=_DUE_DAYS, limit=1),
        _weeks(desk, visitor),
    )
    pressing = {row["id"]: vehicles.worst(row, visitor.today()) for row in rows.rows}
    return show(
        request,
        "fleet/list.html",
        table=rows,
        due_rows=due["due"][:12],
        pressing=pressing,
        states=STATES,
        weeks=weeks,
    )


@pages.get("/export")
async def export_vehicles(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The vehicles as a file."""
    rows = await desk.every(_VEHICLES, most=files.MOST_ROWS, **asked_for(request, FILTERS))
    say = visitor.say
    head = [
        *(say("Vehicle"), say("Kind"), say("Model"), say("Status"), say("Driver"), say("Carries, kg"), say("Fuel")),
        *(say("Odometer, km"), *(say(title) for title in vehicles.PAPERS.values()), say("Next workshop visit")),
    ]
    return files.table_file(request, "vehicles", head, (_row(row, visitor) for row in rows))


def _row(row: Answer, visitor: Visitor) -> list[files.Cell]:
    word = visitor.writing.word
    return [
        row["number"],
        word(row["vehicle_type"]),
        row["model"],
        word(row["status"]),
        row["driver_name"],
        row["capacity_g"] / 1000,
        word(row["fuel_type"]),
        row["odometer_km"],
        *(files.day(row[name]) for name in (*vehicles.PAPERS, vehicles.SERVICE)),
    ]


@pages.get("/new")
async def show_new_vehicle(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form of a vehicle to come."""
    return await _form(request, desk, visitor, Form.of(vehicle_type="van", fuel_type="diesel", is_refrigerated=True))


@pages.post("")
async def create_vehicle(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Add a vehicle to the fleet."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", _VEHICLES, vehicles.body_of(form, new=True), key=form.key)
    except Refused as refused:
        form.refuse(refused, **vehicles.refuse(form, refused.fields))
        return await _form(request, desk, visitor, form, status=refused.status)
    return go(request, f"/console/fleet/{made['id']}", said="The vehicle is added.")


@pages.get("/{id}")
async def show_vehicle(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One vehicle: its papers, its workshop visits, its shifts."""
    return await _vehicle(request, desk, visitor, id)


@pages.get("/{id}/edit")
async def show_vehicle_form(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What is known of it, to be changed."""
    vehicle = await desk.get(f"{_VEHICLES}/{id}")
    return await _form(request, desk, visitor, vehicles.form_of(vehicle), vehicle=vehicle)


@pages.post("/{id}")
async def update_vehicle(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change what was typed."""
    form = await forms.read(request)
    try:
        body = {**vehicles.body_of(form, new=False), **clashes.version_of(form)}
        await desk.do("PUT", f"{_VEHICLES}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **vehicles.refuse(form, refused.fields))
        vehicle = await desk.get(f"{_VEHICLES}/{id}")
        return await _form(request, desk, visitor, form, vehicle=vehicle, refused=refused, status=refused.status)
    return go(request, f"/console/fleet/{id}", said="The vehicle is changed.")


@pages.post("/{id}/status")
async def set_vehicle_status(request: Request, desk: AtDesk, id: str) -> Response:
    """Into the workshop, out of it, or out of service."""
    form = await forms.read(request)
    await desk.do("PUT", f"{_VEHICLES}/{id}", form.body("status"), key=form.key)
    return go(request, f"/console/fleet/{id}", said="The vehicle has its new status.")


@pages.post("/{id}/maintenance")
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


@pages.post("/{id}/shifts")
async def create_shift(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """When somebody drives it."""
    form = await forms.read(request)
    body = shift_of(form, vehicle_id=id)
    try:
        await desk.do("POST", _SHIFTS, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _vehicle(request, desk, visitor, id, status=refused.status, shift=form)
    return go(request, f"/console/fleet/{id}", said="The shift is kept.")


@pages.post("/{id}/shifts/{shift_id}/delete")
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
        drivers_of(desk),
        _homes(visitor),
    )
    today = visitor.today()
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


async def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    form: Form,
    *,
    vehicle: Answer | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    drivers, homes = await together(drivers_of(desk), _homes(visitor))
    if vehicle is not None and refused is not None:
        known = {**dict(drivers), **homes}
        clashes.meet(form, refused, vehicles.form_of(vehicle), lambda one: vehicles.told(one, known, visitor))
    return show(
        request,
        "fleet/form.html",
        status=status,
        form=form,
        vehicle=vehicle,
        drivers=drivers,
        homes=sorted(homes.items(), key=lambda pair: pair[1]),
        rows=vehicles.rows_of(form),
        types=vehicles.TYPES,
        fuels=vehicles.FUELS,
        climates=vehicles.CLIMATES,
        papers=vehicles.PAPERS,
    )


async def _homes(visitor: Visitor) -> dict[str, str]:
    return dict(options(await warehouses_of(visitor), "code", "name"))


async def _weeks(desk: Desk, visitor: Visitor) -> list[Answer]:
    """What the routes of the last weeks drove and burnt, the latest first."""
    if not visitor.may("routes:read"):
        return []
    rows: list[Answer] = await desk.get("/warehouse/routes/performance")
    return sorted(rows, key=lambda row: row["week"], reverse=True)[:6]


def _only(form: Form, name: str) -> dict[str, str]:
    return {name: form.get(name)} if form.get(name) else {}


router = APIRouter(include_in_schema=False)
for _part in (calendar, usage, pages):
    router.include_router(_part)
