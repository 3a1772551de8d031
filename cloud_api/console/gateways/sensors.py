"""`/console/gateways/sensors/{id}`: where a sensor is, how it is corrected, and when it must be done again."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways/sensors", route_class=ConsoleRoute, include_in_schema=False)
_API = "/edge/sensors"
_MOST_PLACES = 1_000


@router.get("/{id}")
async def show_sensor(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One sensor."""
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
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _sensor(request, desk, visitor, id, status=refused.status, placing=form)
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
        return await _sensor(request, desk, visitor, id, status=refused.status, calibrating=form)
    return go(request, f"/console/gateways/sensors/{id}", said="The calibration is written down.")


async def placed(desk: Desk, visitor: Visitor) -> dict[str, str]:
    """What places are called, as far as the reader may know."""
    if not visitor.may("storage:read"):
        return {}
    rows = await desk.every("/warehouse/storage/locations", most=_MOST_PLACES)
    return {row["id"]: f"{row['code']} · {row['name']}" for row in rows}


async def _sensor(
    request: Request, desk: Desk, visitor: Visitor, id: str, *, status: int = 200, **typed: Form
) -> Response:
    sensor, calibrations, placements, places = await together(
        desk.get(f"{_API}/{id}"),
        desk.get(f"{_API}/{id}/calibrations"),
        desk.get(f"{_API}/{id}/placements"),
        placed(desk, visitor),
    )
    gateway = await desk.get(f"/edge/gateways/{sensor['gateway_id']}")
    shown = {
        "placing": Form.of(location_id=sensor["location_id"], interval_s=sensor["interval_s"]),
        "calibrating": Form.of(gain=f"{sensor['gain']:g}", offset=f"{sensor['offset']:g}"),
        **typed,
    }
    return show(
        request,
        "gateways/sensor.html",
        status=status,
        sensor=sensor,
        gateway=gateway,
        calibrations=calibrations,
        placements=placements,
        places=places,
        **shown,
    )


def _figure(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
