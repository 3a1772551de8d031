"""`/console/audit`: the trail, one entry's before and after, its check, and files of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, attachment, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.security import seals
from cloud_api.console.tables import table
from cloud_api.kernel import clock
from cloud_api.kernel.settings import Settings

router = console_router("/audit")
AUDIT = "/console/audit"
_SOURCE = "/admin/security/audit-logs"
_FILTERS = ("actor", "action", "entity", "entity_id", "from", "to")
#: what can be asked to be checked, in days; 0: all of it
PERIODS: Mapping[int, str] = {
    7: "The last 7 days",
    30: "The last 30 days",
    365: "The last year",
    0: "All of it",
}


@router.get("")
async def show_trail(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What was done, the newest first."""
    found, people = await together(
        table(request, desk, _SOURCE, filters=_FILTERS, **_days(request, who.writing.zone)), _people(desk, who)
    )
    return show(request, "security/trail.html", table=found, people=people, changes=_changes)


@router.get("/check")
async def check_trail(request: Request, desk: AtDesk) -> Response:
    """Whether the seals hold; `days` is how far back."""
    days = _number(request.query_params.get("days"))
    checked = None
    if days is not None:
        since = (clock.now() - timedelta(days=days)).isoformat() if days else None
        export = await desk.raw(_SOURCE, format="jsonl", **{"from": since})
        settings: Settings = request.app.state.settings
        key = settings.audit_key.get_secret_value().encode()
        checked = await asyncio.to_thread(seals.check, export.text, key)
    return show(request, "security/check.html", checked=checked, days=days, periods=PERIODS)


@router.get("/audit.csv")
async def export_table(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The entries of the filter for a spreadsheet."""
    asked = {name: request.query_params[name] for name in _FILTERS if request.query_params.get(name)}
    file = await desk.raw(_SOURCE, format="csv", **{**asked, **_days(request, who.writing.zone)})
    return attachment(file.content, "text/csv", "audit.csv")


@router.get("/audit.jsonl")
async def export_chain(desk: AtDesk) -> Response:
    """The sealed trail, for `coldfleet cloud verify-audit`."""
    return attachment((await desk.raw(_SOURCE, format="jsonl")).content, "application/x-ndjson", "audit.jsonl")


@router.get("/new")
async def show_new_entry(request: Request) -> Response:
    """The form to write down what was done beside the system."""
    return show(request, "security/new_entry.html")


@router.post("/new")
async def write_down(request: Request, desk: AtDesk) -> Response:
    """It stands in the trail, for ever."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _SOURCE, form.body("action", "entity", "entity_id", "note"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return show(request, "security/new_entry.html", status=refused.status, form=form)
    return go(request, AUDIT, said="It stands in the trail.")


def _changes(entry: Answer) -> Sequence[tuple[str, object, object]]:
    """(column, before, after) of an entry; None where there is no before or after."""
    old, new = entry["old"] or {}, entry["new"] or {}
    return [(name, old.get(name), new.get(name)) for name in sorted({*old, *new})]


async def _people(desk: Desk, who: Visitor) -> Sequence[Answer]:
    """Who can be asked for by name."""
    if not who.may("users:read"):
        return []
    return sorted(await desk.every("/admin/users"), key=lambda person: str(person["full_name"]).lower())


def _days(request: Request, zone: ZoneInfo) -> dict[str, Answer]:
    """The days of the address as instants: from the beginning of the first to the end of the last, for the reader."""
    asked = {name: request.query_params.get(name, "") for name in ("from", "to")}
    instants: dict[str, Answer] = {}
    for name, text in asked.items():
        try:
            day = date.fromisoformat(text)
        except ValueError:
            continue
        begins = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=name == "to")
        instants[name] = begins.astimezone(UTC).isoformat()
    return instants


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and int(text) in PERIODS else None
