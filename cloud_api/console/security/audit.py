"""`/console/audit`: the trail, one entry's before and after, its check, and files of it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import Options
from cloud_api.console.pages import Visitor, attachment, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table
from cloud_api.kernel import clock

router = console_router("/audit")
AUDIT = "/console/audit"
_SOURCE = "/admin/security/audit-logs"
#: what is wrong where the seals do not hold
FAULTS: Mapping[str, str] = {
    "missing": "An entry is missing here, or stands in another's place.",
    "entry_gone": "The entry of this seal is gone.",
    "changed": "The entry was changed after it was sealed, or another key sealed it.",
    "end_missing": "The end of the trail is missing.",
    "end_differs": "The trail does not end with the seal that it should end with.",
}
_HEAD = (
    *("When", "Who", "Action", "What it was done to", "Which one", "Address"),
    *("Column", "Value before", "Value after", "Note"),
)
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
        checked = await desk.get(f"{_SOURCE}/verification", **{"from": since})
    return show(request, "security/check.html", checked=checked, days=days, periods=PERIODS, faults=FAULTS)


@router.get("/export")
async def export_table(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The entries of the filter for a spreadsheet."""
    asked: dict[str, Answer] = {**asked_for(request, _FILTERS), **_days(request, who.writing.zone)}
    entries = await desk.every(_SOURCE, most=files.MOST_ROWS, **asked)
    head = (
        "When",
        "Who",
        "Action",
        "What it was done to",
        "Which one",
        "Address",
        "Column",
        "Value before",
        "Value after",
        "Note",
    )
    rows = [line for entry in entries for line in _lines(entry)]
    return files.table_file(request, "audit", [who.say(name) for name in head], rows)


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


def _lines(entry: Answer) -> list[Sequence[files.Cell]]:
    """A row for each column that an entry changed; one, where it changed none."""
    told = (
        datetime.fromisoformat(entry["occurred_at"]),
        entry["actor_name"] or entry["actor_kind"],
        entry["action"],
        entry["entity"],
        entry["entity_id"],
        entry["address"],
    )
    changed = _changes(entry) or [("", None, None)]
    return [(*told, name, _cell(before), _cell(after), entry["note"]) for name, before, after in changed]


def _cell(said: object) -> files.Cell:
    return said if said is None or isinstance(said, str | int | float) else json.dumps(said, ensure_ascii=False)


async def _people(desk: Desk, who: Visitor) -> Options:
    """Who can be asked for by name."""
    if not who.may("users:read"):
        return []
    found = sorted(await desk.every("/admin/users"), key=lambda person: str(person["full_name"]).lower())
    return [(person["id"], f"{person['full_name']} ({person['username']})") for person in found]


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
