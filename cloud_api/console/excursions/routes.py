"""`/console/excursions`: what broke a limit, and what people did about it."""

import asyncio
import io
import zipfile
from datetime import datetime, timedelta

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.cold_rooms import charts
from cloud_api.console.cold_rooms.limits import SYMBOLS, Limits
from cloud_api.console.excursions.filters import address, choices, places_on, rooms_of
from cloud_api.console.excursions.gathering import alert_of, gather, lasted_min, window
from cloud_api.console.excursions.words import breach, lasting
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, attachment, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/excursions")

_PATH = "/console/excursions"
_FILTERS = ("status", "location_id")
#: up to how long a breach's picture shows minutes, and then five minutes; longer ones the API's own choice
_MINUTES, _FIVE_MINUTES = timedelta(hours=4), timedelta(hours=24)


@router.get("")
async def show_excursions(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Excursions, the newest first."""
    rows, rooms = await together(table(request, desk, "/excursions", filters=_FILTERS), rooms_of(visitor))
    names = await names_of(visitor, places=places_on(request, rows.rows))
    return show(
        request,
        "excursions/excursions.html",
        table=rows,
        places=names.places,
        place_choices=choices(rooms, names),
        here=address(request),
        symbols=SYMBOLS,
        breach=lambda excursion: breach(excursion, visitor),
        lasted=lambda excursion: lasting(lasted_min(excursion), visitor),
    )


@router.get("/export")
async def export_excursions(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file, as many as a file has."""
    rows = await desk.every("/excursions", most=MOST_ROWS, **asked_for(request, _FILTERS))
    places = await names_of(visitor, places=[row["location_id"] for row in rows])
    sensors = await names_of(visitor, sensors=[row["sensor_id"] for row in rows])
    say, word = visitor.say, visitor.writing.word
    head = (
        say("Number"), say("Warehouse"), say("Place"), say("Sensor"), say("What happened"), say("Worst value"),
        say("Unit"), say("Began"), say("Ended"), say("Minutes"), say("Severity"), say("Status"), say("Decision"),
    )  # fmt: skip
    told = (
        (
            row["number"],
            places.warehouse_of(row["location_id"]),
            places.place(row["location_id"]),
            sensors.device(row["sensor_id"]),
            breach(row, visitor),
            row["peak_value"],
            SYMBOLS.get(row["unit"], row["unit"]),
            visitor.writing.moment(row["started_at"]),
            visitor.writing.moment(row["ended_at"]),
            round(lasted_min(row), 1),
            word(row["severity"]),
            word(row["status"]),
            word(row["disposition"]),
        )
        for row in rows
    )
    return table_file(request, "excursions", head, told)


@router.get("/{id}")
async def show_excursion(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One excursion: what happened, and what is to be done."""
    return await _page(request, desk, visitor, id)


@router.get("/{id}/chart.json")
async def give_chart(desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The breach, with a while before and after it."""
    excursion = await desk.get(f"/excursions/{id}")
    since, until = window(excursion)
    lasted = until - since
    bucket = "1m" if lasted <= _MINUTES else "5m" if lasted <= _FIVE_MINUTES else "auto"
    said = await desk.get(
        "/telemetry/readings/aggregate",
        sensor_id=excursion["sensor_id"],
        bucket=bucket,
        points=400,
        since=since.isoformat(),
        until=until.isoformat(),
    )
    is_high = excursion["kind"] in ("high", "cumulative_high")
    limits = Limits(high=excursion["set_at"]) if is_high else Limits(low=excursion["set_at"])
    drawn = charts.chart_of(said, visitor.writing, limits=limits, excursions=[excursion], since=since, until=until)
    return JSONResponse(drawn, headers={"Cache-Control": "no-store"})


@router.get("/{id}/evidence.zip")
async def give_evidence(desk: AtDesk, id: str) -> Response:
    """The signed report on the room over the time of the excursion."""
    name, content = await _evidence(desk, id)
    return attachment(content, "application/zip", f"{name}.zip")


@router.get("/{id}/evidence.pdf")
async def give_report(desk: AtDesk, id: str) -> Response:
    """The report of it alone, to be read."""
    name, content = await _evidence(desk, id)
    return attachment(await asyncio.to_thread(_report_in, content), "application/pdf", f"{name}.pdf")


@router.post("/{id}/ack")
async def acknowledge(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Somebody is on it, and says what they do about it."""
    form = await forms.read(request)
    if not form.get("note"):
        form.errors["note"] = visitor.say("Say what you do about it: those who were told read it.")
        return await _page(request, desk, visitor, id, status=422, answering=form)
    try:
        await desk.do("POST", f"/excursions/{id}/ack", form.body("note"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, status=refused.status, answering=form)
    return go(request, f"{_PATH}/{id}", said="Acknowledged: nobody else is told any more.")


@router.post("/{id}/escalate")
async def escalate(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Tell the next people of it at once, by the alert that it raised."""
    form = await forms.read(request)
    alert = await alert_of(desk, id)
    if alert is None:
        form.problem = visitor.say("Nobody is told of it by an alert: there is nothing to escalate.")
        return await _page(request, desk, visitor, id, status=409, escalating=form)
    try:
        await desk.do("POST", f"/alerts/{alert['id']}/escalate", {"note": form.get("reason")}, key=form.key)
    except Refused as refused:
        form.refuse(refused, note="reason")
        return await _page(request, desk, visitor, id, status=refused.status, escalating=form)
    return go(request, f"{_PATH}/{id}", said="Escalated: the next people are told.")


@router.post("/{id}/actions")
async def act(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Keep what was done about it."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/excursions/{id}/actions", form.body("description"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, status=refused.status, acting=form)
    return go(request, f"{_PATH}/{id}", said="The action is written down.")


@router.post("/{id}/reset")
async def reset(request: Request, desk: AtDesk, id: str) -> Response:
    """Take the latch off."""
    form = await forms.read(request)
    await desk.do("POST", f"/excursions/{id}/reset", key=form.key)
    return go(request, f"{_PATH}/{id}", said="The latch is off: it is over when the value is.")


@router.post("/{id}/close")
async def close(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Decide about the goods."""
    form = await forms.read(request)
    try:
        await desk.do("POST", f"/excursions/{id}/close", form.body("disposition", "note"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, status=refused.status, closing=form)
    return go(request, f"{_PATH}/{id}", said="The excursion is closed.")


async def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    *,
    status: int = 200,
    answering: Form | None = None,
    acting: Form | None = None,
    closing: Form | None = None,
    escalating: Form | None = None,
) -> Response:
    case = await gather(desk, visitor, id)
    return show(
        request,
        "excursions/excursion.html",
        status=status,
        case=case,
        symbols=SYMBOLS,
        excursion=case.excursion,
        what=breach(case.excursion, visitor),
        lasted=lasting(lasted_min(case.excursion), visitor),
        lasting=lambda minutes: lasting(minutes, visitor),
        answering=answering or Form(),
        acting=acting or Form(),
        closing=closing or Form(),
        escalating=escalating or Form(),
    )


async def _evidence(desk: Desk, id: str) -> tuple[str, bytes]:
    """(name of the file, the signed ZIP)."""
    excursion = await desk.get(f"/excursions/{id}")
    since, until = window(excursion)
    path = f"/evidence/places/{excursion['location_id']}"
    answer = await desk.raw(path, since=since.isoformat(), until=until.isoformat())
    begun = datetime.fromisoformat(excursion["started_at"])
    return f"evidence-{excursion['number']}-{begun:%Y%m%d}", answer.content


def _report_in(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return packed.read("report.pdf")
