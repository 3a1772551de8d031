"""`/console/gateways/sensors`: all of them; where each is, how it is corrected, and when that must be done again."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Desk, Refused, nothing, together
from cloud_api.console.choices import options, places_of
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking
from cloud_api.console.tables import asked_for, table

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways/sensors", route_class=ConsoleRoute, include_in_schema=False)
_API = "/edge/sensors"
_FILTERS = ("code", "quantity", "status", "location_id", "gateway_id", "unplaced")
_TEN_YEARS = 3_660


@router.get("")
async def list_sensors(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Every sensor, the newest first."""
    rows, places = await together(table(request, desk, _API, filters=_FILTERS), places_of(visitor))
    names = await names_of(
        visitor,
        places=[row["location_id"] for row in rows.rows],
        gateways=[row["gateway_id"] for row in rows.rows],
    )
    place_choices = options(places, "code", "name")
    return show(request, "gateways/sensors.html", table=rows, names=names, place_choices=place_choices)


@router.get("/export")
async def export_sensors(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file, with what each is corrected by and until when."""
    rows, due = await together(
        desk.every(_API, most=MOST_ROWS, **asked_for(request, _FILTERS)),
        desk.get("/edge/calibrations/due", within_days=_TEN_YEARS),
    )
    names = await names_of(
        visitor, places=[row["location_id"] for row in rows], gateways=[row["gateway_id"] for row in rows]
    )
    calibrated = {one["sensor"]["id"]: one for one in due}
    say, word = visitor.say, visitor.writing.word
    head = (
        say("Sensor"), say("Quantity"), say("Unit"), say("Gateway"), say("Warehouse"), say("Place"), say("Status"),
        say("Gain"), say("Offset"), say("Heard every, seconds"), say("Certificate"), say("Due again"),
        say("Known since"),
    )  # fmt: skip
    told = (
        (
            row["code"],
            word(row["quantity"]),
            row["unit"],
            names.gateways.get(row["gateway_id"], {}).get("name", ""),
            names.warehouse_of(row["location_id"]),
            names.place(row["location_id"]) if row["location_id"] else "",
            word(row["status"]),
            row["gain"],
            row["offset"],
            row["interval_s"],
            calibrated.get(row["id"], {}).get("calibration", {}).get("certificate", ""),
            calibrated.get(row["id"], {}).get("due_on", ""),
            visitor.writing.moment(row["created_at"]),
        )
        for row in rows
    )
    return table_file(request, "sensors", head, told)


@router.get("/{id}")
async def show_sensor(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One sensor: its calibrations, and where it was."""
    return await _sensor(request, desk, visitor, id)


@router.post("/{id}")
async def update_sensor(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Give it its place and its interval."""
    form = await forms.read(request)
    interval = form.get("interval_s")
    body = {
        "location_id": form.get("location_id") or None,
        "interval_s": int(interval) if interval.isdecimal() else interval or None,
    }
    if "location_id" not in form.values:
        del body["location_id"]
    body |= clashes.version_of(form)
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _sensor(request, desk, visitor, id, refused=refused, placing=form)
    return go(request, f"/console/gateways/sensors/{id}", said="The sensor is changed.")


@router.post("/{id}/status")
async def set_sensor_status(request: Request, desk: AtDesk, id: str) -> Response:
    """Retire it, or bring it back."""
    form = await forms.read(request)
    await desk.do("PUT", f"{_API}/{id}", form.body("status"), key=form.key)
    return go(request, f"/console/gateways/sensors/{id}", said="The sensor is changed.")


@router.post("/{id}/calibrations")
async def record_calibration(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Correct it from now on."""
    form = await forms.read(request)
    body = form.body("certificate", "reference", "due_on", "note")
    for name in ("gain", "offset"):
        if form.get(name):
            body[name] = _figure(form.get(name))
    try:
        await desk.do("POST", f"{_API}/{id}/calibrations", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _sensor(request, desk, visitor, id, refused=refused, calibrating=form)
    return go(request, f"/console/gateways/sensors/{id}", said="The calibration is written down.")


@router.post("/{id}/retention")
async def keep_readings(request: Request, desk: AtDesk, id: str) -> Response:
    """Give it another class, or the standard one."""
    form = await forms.read(request)
    await desk.do("PUT", f"/telemetry/sensors/{id}/retention", {"class_id": form.get("class_id") or None})
    return go(request, f"/console/gateways/sensors/{id}", said="Its readings are kept as its class says.")


async def _sensor(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, refused: Refused | None = None, **typed: Form
) -> Response:
    writes = visitor.may("devices:write")
    sensor, calibrations, placements, places, kept, classes = await together(
        desk.get(f"{_API}/{id}"),
        desk.get(f"{_API}/{id}/calibrations"),
        desk.get(f"{_API}/{id}/placements"),
        places_of(visitor) if writes else nothing(),
        desk.get(f"/telemetry/sensors/{id}/retention"),
        desk.every("/telemetry/retention-classes") if writes else nothing(),
    )
    gateway, names = await together(
        desk.get(f"/edge/gateways/{sensor['gateway_id']}"),
        names_of(visitor, places=[sensor["location_id"], *(one["location_id"] for one in placements)]),
    )
    named = ("location_id", "interval_s", "version")
    placed = Form.of({name: sensor[name] for name in named})
    if refused is not None and "placing" in typed:
        labels = {"location_id": visitor.say("Place"), "interval_s": visitor.say("Heard every, seconds")}
        known = dict(options(places, "code", "name"))
        clashes.meet(typed["placing"], refused, placed, labels, location_id=known.get)
    shown = {
        "placing": placed,
        "calibrating": Form.of(gain=f"{sensor['gain']:g}", offset=f"{sensor['offset']:g}"),
        **typed,
    }
    return show(
        request,
        "gateways/sensor.html",
        status=200 if refused is None else refused.status,
        sensor=sensor,
        gateway=gateway,
        calibrations=calibrations,
        placements=placements,
        names=names,
        places=options(places, "code", "name"),
        kept=kept,
        keeping=Form.of(class_id=kept["class_id"]),
        classes=options(classes),
        **shown,
    )


def _figure(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
