"""`/console/security`: what endangers the organisation, and what became of it. The trail stands in `audit.py`."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Refused, together
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.security import audit
from cloud_api.console.tables import asked_for, table

events = console_router("/security")
SECURITY = "/console/security"
_SOURCE = "/admin/security/events"
_FILTERS = ("type", "severity", "status")


@events.get("")
async def show_events(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Security events, the newest first, and how things stand; who may see only the trail is led there."""
    if not who.may("security:read") and who.may("audit:read"):
        return go(request, audit.AUDIT)
    found, threats = await together(
        table(request, desk, _SOURCE, filters=_FILTERS), desk.get("/admin/security/threats")
    )
    return show(request, "security/events.html", table=found, threats=threats)


@events.get("/part")
async def show_events_part(request: Request, desk: AtDesk) -> Response:
    """The table alone, read again by the page while it is open."""
    found = await table(request, desk, _SOURCE, filters=_FILTERS)
    return show(request, "security/events_part.html", table=found)


@events.get("/export")
async def export_events(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What the filters leave, as a file."""
    found = await desk.every(_SOURCE, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    head = ("When", "Severity", "What", "Who", "Address", "Status", "Settled", "How it ended", "Details")
    rows = [
        (
            who.writing.moment(event["occurred_at"]),
            who.writing.word(event["severity"]),
            who.writing.word(event["type"]),
            event["actor_name"] or event["actor_kind"],
            event["address"],
            who.writing.word(event["status"]),
            who.writing.moment(event["resolved_at"]),
            event["note"],
            "; ".join(f"{who.writing.word(name)}: {said}" for name, said in event["details"].items()),
        )
        for event in found
    ]
    return files.table_file(request, "security-events", [who.say(name) for name in head], rows)


@events.get("/events/{id}")
async def show_event(request: Request, desk: AtDesk, id: str) -> Response:
    """One event, and the form to settle it."""
    return show(request, "security/event.html", event=await desk.get(f"{_SOURCE}/{id}"))


@events.post("/events/{id}/investigate")
async def investigate(request: Request, desk: AtDesk, id: str) -> Response:
    """Somebody looks into it."""
    await desk.do("PUT", f"{_SOURCE}/{id}/status", {"status": "investigating"})
    return go(request, f"{SECURITY}/events/{id}", said="Everybody sees now that you look into it.")


@events.post("/events/{id}/resolve")
async def resolve(request: Request, desk: AtDesk, id: str) -> Response:
    """Settle an event: say what it was."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_SOURCE}/{id}/resolve", form.body("status", "note"))
    except Refused as refused:
        form.refuse(refused)
        event = await desk.get(f"{_SOURCE}/{id}")
        return show(request, "security/event.html", status=refused.status, event=event, form=form)
    return go(request, SECURITY, said="The event is settled.")


router = APIRouter()
for part in (events, audit.router):
    router.include_router(part)
