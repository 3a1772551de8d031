"""`/console/security`: what endangers the organisation, and what became of it. The trail stands in `audit.py`."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import go, refusal, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.security import audit
from cloud_api.console.tables import Table, table

events = console_router("/security")
SECURITY = "/console/security"
_SOURCE = "/admin/security/events"
_FILTERS = ("type", "severity", "status")
#: an event that is older than so many pages is not looked for
_PAGES = 5


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
    found = Table(SECURITY, found.query, found.rows, found.next_cursor)
    return show(request, "security/events_part.html", table=found)


@events.get("/events/{id}")
async def show_event(request: Request, desk: AtDesk, id: str) -> Response:
    """One event, and the form to settle it."""
    event = await _event(desk, id)
    if event is None:
        return refusal(request, Refused(404, "NOT_FOUND", "there is no such event among the latest"))
    return show(request, "security/event.html", event=event)


@events.post("/events/{id}/investigate")
async def investigate(request: Request, desk: AtDesk, id: str) -> Response:
    """Somebody looks into it."""
    await desk.do("PUT", f"{_SOURCE}/{id}/status", {"status": "investigating"})
    return go(request, f"{SECURITY}/events/{id}", said="Everybody sees now that you look into it.")


@events.post("/events/{id}/resolve")
async def resolve(request: Request, desk: AtDesk, id: str) -> Response:
    """How it ended."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_SOURCE}/{id}/resolve", form.body("status", "note"))
    except Refused as refused:
        form.refuse(refused)
        event = await _event(desk, id)
        if event is None:
            raise
        return show(request, "security/event.html", status=refused.status, event=event, form=form)
    return go(request, SECURITY, said="The event is settled.")


async def _event(desk: Desk, id: str) -> Answer | None:
    """The API lists events but gives no single one."""
    cursor = None
    for _ in range(_PAGES):
        part = await desk.page(_SOURCE, limit=200, cursor=cursor)
        found = next((event for event in part.items if event["id"] == id), None)
        cursor = part.next_cursor
        if found is not None or cursor is None:
            return found
    return None


router = APIRouter()
for part in (events, audit.router):
    router.include_router(part)
