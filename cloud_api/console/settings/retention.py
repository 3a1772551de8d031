"""`/console/settings/retention`: how long readings are kept, and what must be kept whatever else is said."""

from datetime import date, datetime, time, timedelta

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import by_warehouse, places_of, warehouses_of
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/settings/retention")
RETENTION = "/console/settings/retention"
_CLASSES, _HOLDS, _SENSORS = "/telemetry/retention-classes", "/telemetry/legal-holds", "/telemetry/sensor-retentions"
_DAYS = ("raw_days", "hours_days", "days_days")
#: what sensors have that were given no class: days of readings and of hours; days are for ever
STANDARD = (400, 1_098)
#: what two people may say differently, as the form calls it
_LABELS = {
    "name": "Name",
    "raw_days": "Readings, days kept",
    "hours_days": "Hourly values, days kept",
    "days_days": "Daily values, days kept",
}


@router.get("")
async def show_retention(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The classes, what is held, and which sensors have a class of their own."""
    classes, holds, sensors = await together(
        desk.every(_CLASSES), table(request, desk, _HOLDS), desk.page(_SENSORS, limit=50)
    )
    names = await names_of(
        who,
        sensors=[row["sensor_id"] for row in (*sensors.items, *holds.rows)],
        places=[row["location_id"] for row in holds.rows],
        people=[row[field] for row in holds.rows for field in ("created_by", "released_by")],
    )
    return show(
        request,
        "settings/retention.html",
        classes=classes,
        standard=(*STANDARD, None),
        called={one["id"]: one["name"] for one in classes},
        table=holds,
        sensors=sensors,
        names=names,
    )


@router.get("/classes/new")
async def show_new_class(request: Request, who: Looking) -> Response:
    """The form of another class."""
    who.need("devices:write")
    return show(
        request, "settings/retention_class.html", one=None, form=Form.of(raw_days=STANDARD[0], hours_days=STANDARD[1])
    )


@router.post("/classes/new")
async def create_class(request: Request, desk: AtDesk) -> Response:
    """Another class."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _CLASSES, _body(form), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return show(request, "settings/retention_class.html", status=refused.status, one=None, form=form)
    return go(request, RETENTION, said="The class is added. Give it to sensors on their pages.")


@router.get("/classes/{id}")
async def show_class(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """One class, and the sensors that have it."""
    return await _class(request, desk, who, id)


@router.post("/classes/{id}")
async def change_class(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Keep the readings of its sensors for another time."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_CLASSES}/{id}", {**_body(form), **clashes.version_of(form)})
    except Refused as refused:
        form.refuse(refused)
        return await _class(request, desk, who, id, form=form, refused=refused)
    return go(request, RETENTION, said="Saved.")


@router.post("/classes/{id}/delete")
async def delete_class(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; no sensor may have it."""
    await desk.do("DELETE", f"{_CLASSES}/{id}")
    return go(request, RETENTION, said="The class is gone.")


@router.get("/holds/new")
async def show_new_hold(request: Request, who: Looking) -> Response:
    """The form to keep readings whatever their class says; the address may name the sensor."""
    who.need("devices:write")
    return await _hold(request, who, Form.of(sensor_id=request.query_params.get("sensor_id", "")))


@router.post("/holds/new")
async def create_hold(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Keep them until somebody releases them."""
    form = await forms.read(request)
    body = form.body("sensor_id", "location_id", "reason")
    body |= {"from_at": _begin(who, form.get("from_at")), "to_at": _begin(who, form.get("to_at"), ahead=1)}
    try:
        await desk.do("POST", _HOLDS, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _hold(request, who, form, status=refused.status)
    return go(request, RETENTION, said="It is kept until you release it.")


@router.post("/holds/{id}/release")
async def release_hold(request: Request, desk: AtDesk, id: str) -> Response:
    """Let what was held go the way of its class again."""
    await desk.do("POST", f"{_HOLDS}/{id}/release")
    return go(request, RETENTION, said="The hold is released.")


async def _class(
    request: Request, desk: Desk, who: Visitor, id: str, *, form: Form | None = None, refused: Refused | None = None
) -> Response:
    one, found = await together(desk.get(f"{_CLASSES}/{id}"), table(request, desk, _SENSORS, class_id=id))
    if form is not None and refused is not None:
        clashes.meet(form, refused, _form_of(one), clashes.said(who, _LABELS))
    return show(
        request,
        "settings/retention_class.html",
        status=200 if refused is None else refused.status,
        one=one,
        table=found,
        names=await names_of(who, sensors=[row["sensor_id"] for row in found.rows]),
        form=form or _form_of(one),
    )


async def _hold(request: Request, who: Visitor, form: Form, *, status: int = 200) -> Response:
    sensor_id = form.get("sensor_id")
    choosing = not sensor_id
    places, warehouses, names = await together(
        places_of(who) if choosing else nothing(),
        warehouses_of(who) if choosing else nothing(),
        names_of(who, sensors=[sensor_id]),
    )
    groups = by_warehouse(places, warehouses)
    return show(request, "settings/new_hold.html", status=status, form=form, groups=groups, names=names)


def _form_of(one: Answer) -> Form:
    return Form.of({name: one[name] for name in ("name", *_DAYS, "version")})


def _body(form: Form) -> dict[str, object]:
    return form.body("name", **{name: forms.whole(form.get(name)) if form.get(name) else None for name in _DAYS})


def _begin(who: Visitor, day: str, *, ahead: int = 0) -> str | None:
    """The beginning of a day where the organisation is, or of one after it; what is no day stays, to be refused."""
    try:
        begins = date.fromisoformat(day) + timedelta(days=ahead) if day else None
    except (ValueError, OverflowError):
        return day
    return None if begins is None else datetime.combine(begins, time(), who.writing.zone).isoformat()
