"""`/console/fleet/shifts`: who drives what, and when, as a week."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import Options, options
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

pages = console_router("/fleet/shifts")

HERE = "/console/fleet/shifts"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHIFTS = "/warehouse/fleet/shifts"
_MOST = 2_000


@dataclass(frozen=True)
class Row:
    """A driver's week."""

    user_id: str
    name: str
    #: for each day, Monday first, its shifts in order; empty: they have none
    days: Sequence[Sequence[Answer]]


@pages.get("")
async def show_week(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """A week of all drivers."""
    return await _week(request, desk, visitor, Form.of(from_time="08:00", until_time="18:00", break_minutes=30))


@pages.get("/export")
async def export_week(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file, a shift a row."""
    monday = monday_of(request, visitor)
    rows = week_of(await _shifts(desk, monday), monday)
    say = visitor.say
    head = [
        *(say("Driver"), say("Day"), say("Drives"), say("From"), say("Until"), say("Break, minutes"), say("Vehicle")),
    ]
    return files.table_file(request, f"shifts-{monday}", head, _cells(rows, monday, visitor))


@pages.post("")
async def create_shift(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say when somebody drives."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _SHIFTS, shift_of(form), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _week(request, desk, visitor, form, status=refused.status)
    return go(request, f"{HERE}?week={monday_of(request, visitor)}", said="The shift is kept.")


@pages.get("/{id}/edit")
async def show_shift(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One shift, in its form."""
    return await _shift(request, desk, visitor, await _one(desk, id))


@pages.post("/{id}/edit")
async def change_shift(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Other hours, another day or another vehicle in the place of these."""
    form = await forms.read(request)
    body = {name: value for name, value in shift_of(form).items() if name != "user_id"}
    try:
        await desk.do("PUT", f"{_SHIFTS}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _shift(request, desk, visitor, await _one(desk, id), form, status=refused.status)
    return go(request, f"{HERE}?week={monday_of(request, visitor)}", said="The shift is changed.")


@pages.post("/{id}/delete")
async def delete_shift(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Take a shift away."""
    await desk.do("DELETE", f"{_SHIFTS}/{id}")
    return go(request, f"{HERE}?week={monday_of(request, visitor)}", said="The shift is taken away.")


def shift_of(form: Form, **fixed: object) -> dict[str, Any]:
    """What was typed of a shift, as the API takes it: of one day where one is named, else of every week."""
    body = form.body("user_id", "vehicle_id", "on_date", "from_time", "until_time", **fixed)
    body["is_off"] = form.ticked("is_off")
    if not form.get("on_date") and form.get("weekday").isdecimal():
        body["weekday"] = int(form.get("weekday"))
    if form.get("break_minutes").isdecimal():
        body["break_minutes"] = int(form.get("break_minutes"))
    return body


def monday_of(request: Request, visitor: Visitor) -> date:
    """The Monday of the week that the address asks for; of this week, when it asks for none."""
    try:
        day = date.fromisoformat(request.query_params.get("week", ""))
    except ValueError:
        day = visitor.today()
    return day - timedelta(days=day.weekday())


def week_of(shifts: Sequence[Answer], monday: date) -> list[Row]:
    """Who drives when in a week, by name: what was said of one day counts instead of what is said of every week."""
    names = {shift["user_id"]: str(shift["driver_name"]) for shift in shifts}
    rows = []
    for user_id, name in sorted(names.items(), key=lambda pair: pair[1].casefold()):
        its = [shift for shift in shifts if shift["user_id"] == user_id]
        days = [_of_day(its, monday + timedelta(days=number)) for number in range(7)]
        if any(days):
            rows.append(Row(user_id, name, days))
    return rows


def _of_day(shifts: Sequence[Answer], day: date) -> list[Answer]:
    dated = [shift for shift in shifts if shift["on_date"] == day.isoformat()]
    weekly = [shift for shift in shifts if shift["weekday"] == day.weekday()]
    return sorted(dated or weekly, key=lambda shift: str(shift["from_time"]))


def _cells(rows: Sequence[Row], monday: date, visitor: Visitor) -> Iterator[list[files.Cell]]:
    yes, no = visitor.say("Yes"), visitor.say("No")
    for row in rows:
        for number, shifts in enumerate(row.days):
            for shift in shifts:
                hours = [None, None] if shift["is_off"] else [shift["from_time"][:5], shift["until_time"][:5]]
                yield [
                    *(row.name, monday + timedelta(days=number), no if shift["is_off"] else yes, *hours),
                    *(shift["break_minutes"], shift["vehicle_number"]),
                ]


async def _week(request: Request, desk: Desk, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    monday = monday_of(request, visitor)
    may_write = visitor.may("fleet:write")
    shifts, drivers, vehicles = await together(
        _shifts(desk, monday), drivers_of(desk), _vehicles(desk) if may_write else nothing()
    )
    return show(
        request,
        "fleet/calendar.html",
        status=status,
        rows=week_of(shifts, monday),
        days=[monday + timedelta(days=number) for number in range(7)],
        today=visitor.today(),
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        form=form,
        drivers=drivers,
        vehicles=vehicles,
        weekdays=WEEKDAYS,
    )


async def _one(desk: Desk, id: str) -> Answer:
    found = (await desk.page(_SHIFTS, id=id, limit=1)).items
    if not found:
        raise Refused(404, "NOT_FOUND", f"no shift with id {id}", {"id": "not found"})
    return found[0]


async def _shift(
    request: Request, desk: Desk, visitor: Visitor, shift: Answer, form: Form | None = None, *, status: int = 200
) -> Response:
    visitor.need("fleet:write")
    known = ("vehicle_id", "weekday", "on_date", "break_minutes")
    shown = form or Form.of(
        {name: shift[name] for name in known},
        from_time=shift["from_time"][:5],
        until_time=shift["until_time"][:5],
        is_off=shift["is_off"] or None,
    )
    vehicles = await _vehicles(desk)
    if shift["vehicle_id"] and shift["vehicle_id"] not in dict(vehicles):  # it is in the workshop, or retired
        vehicles.append((shift["vehicle_id"], str(shift["vehicle_number"])))
    return show(
        request, "fleet/shift.html", status=status, shift=shift, form=shown, vehicles=vehicles,
        weekdays=WEEKDAYS, week=monday_of(request, visitor),
    )  # fmt: skip


async def _shifts(desk: Desk, monday: date) -> list[Answer]:
    return await desk.every(_SHIFTS, most=_MOST, since=monday, until=monday + timedelta(days=6))


async def drivers_of(desk: Desk) -> Options:
    """Who drives, by name."""
    found = await desk.every("/warehouse/fleet/drivers", most=400)
    return sorted(options(found, "full_name"), key=lambda pair: pair[1].casefold())


async def _vehicles(desk: Desk) -> Options:
    found = await desk.every("/warehouse/fleet/vehicles", most=400, status="active")
    return sorted(options(found, "number"), key=lambda pair: pair[1])
