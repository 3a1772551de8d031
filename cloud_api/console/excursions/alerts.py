"""`/console/excursions/alerts`: everything that somebody has to look at, be it an excursion or not."""

from collections.abc import Mapping
from datetime import timedelta

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.excursions.filters import address, choices, places_on, rooms_of
from cloud_api.console.excursions.gathering import event_line, people_in
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table
from cloud_api.kernel import clock

#: stands before the excursions' own, one of which has an id in this place
router = console_router("/excursions/alerts")

_PATH = "/console/excursions/alerts"
_FILTERS = ("status", "severity", "location_id")
#: by action: the API's field -> ours
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "resolve": {"note": "reason"},
    "escalate": {"note": "why"},
    "snooze": {"until": "minutes"},
}
#: for how many minutes an alert may be put off, as people say it
PAUSES: Mapping[str, str] = {"15": "15 minutes", "60": "1 hour", "240": "4 hours", "1440": "1 day"}


@router.get("")
async def show_alerts(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Alerts, the newest first; unless another status is asked for those that are not resolved."""
    rows, rooms = await together(table(request, desk, "/alerts", filters=_FILTERS), rooms_of(visitor))
    names = await names_of(visitor, places=places_on(request, rows.rows))
    return show(
        request,
        "excursions/alerts.html",
        table=rows,
        places=names.places,
        place_choices=choices(rooms, names),
        here=address(request),
    )


@router.get("/export")
async def export_alerts(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file, as many as a file has."""
    rows = await desk.every("/alerts", most=MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(
        visitor, places=[row["location_id"] for row in rows], people=[row["acknowledged_by"] for row in rows]
    )
    say, word, moment = visitor.say, visitor.writing.word, visitor.writing.moment
    head = (
        say("Alert"), say("Message"), say("Warehouse"), say("Place"), say("Severity"), say("Status"), say("Times"),
        say("First raised"), say("Last raised"), say("Over since"), say("Acknowledged by"), say("Resolved"),
    )  # fmt: skip
    told = (
        (
            row["title"],
            row["message"],
            names.warehouse_of(row["location_id"]),
            names.place(row["location_id"]),
            word(row["severity"]),
            word(row["status"]),
            row["count"],
            moment(row["first_at"]),
            moment(row["last_at"]),
            moment(row["cleared_at"]),
            names.person(row["acknowledged_by"]) if row["acknowledged_by"] else "",
            moment(row["resolved_at"]),
        )
        for row in rows
    )
    return table_file(request, "alerts", head, told)


@router.get("/{id}")
async def show_alert(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One alert: what raised it, who was told, and who is told next."""
    return await _page(request, desk, visitor, id)


@router.post("/{id}/ack")
async def acknowledge(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Somebody is on it."""
    form = await forms.read(request)
    return await _do(
        request, desk, visitor, id, "ack", form, form.body("comment"), "Acknowledged: nobody else is told any more."
    )


@router.post("/{id}/snooze")
async def snooze(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Tell nobody for a while."""
    form = await forms.read(request)
    minutes = form.get("minutes")
    until = clock.now() + timedelta(minutes=int(minutes) if minutes in PAUSES else 15)
    body = form.body("comment", until=until.isoformat())
    return await _do(request, desk, visitor, id, "snooze", form, body, "Put off: nobody is told until then.")


@router.post("/{id}/escalate")
async def escalate(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Tell the next people at once."""
    form = await forms.read(request)
    body = {"note": form.get("why")}
    return await _do(request, desk, visitor, id, "escalate", form, body, "Escalated: the next people are told.")


@router.post("/{id}/notes")
async def note(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Write a line onto its timeline."""
    form = await forms.read(request)
    return await _do(request, desk, visitor, id, "notes", form, form.body("note"), "The note is written down.")


@router.post("/{id}/resolve")
async def resolve(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """End it, and say why."""
    form = await forms.read(request)
    body = {"note": form.get("reason")}
    return await _do(request, desk, visitor, id, "resolve", form, body, "The alert is resolved.")


def excursion_of(alert: Answer) -> str:
    """The id of the excursion that raised an alert; empty when something else did."""
    kind, _, id = str(alert["subject"]).partition(":")
    return id if kind == "excursion" else ""


async def _do(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    action: str,
    form: Form,
    body: Mapping[str, object],
    said: str,
) -> Response:
    """Do it, or show the form again that it was asked by."""
    try:
        await desk.do("POST", f"/alerts/{id}/{action}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **_RENAMED.get(action, {}))
        return await _page(request, desk, visitor, id, status=refused.status, refused={action: form})
    return go(request, f"{_PATH}/{id}", said=said)


async def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    *,
    status: int = 200,
    refused: Mapping[str, Form] | None = None,
) -> Response:
    alert = await desk.get(f"/alerts/{id}")
    names = await names_of(visitor, places=[alert["location_id"]], people=people_in(alert))
    blank = {action: Form() for action in ("ack", "snooze", "escalate", "notes", "resolve")}
    return show(
        request,
        "excursions/alert.html",
        status=status,
        alert=alert,
        place=names.places.get(alert["location_id"] or ""),
        names=names,
        excursion_id=excursion_of(alert),
        lines=[event_line(event, names) for event in reversed(alert["timeline"])],
        tried={**blank, **(refused or {})},
        translated_pauses=[(minutes, visitor.say(text)) for minutes, text in PAUSES.items()],
    )
