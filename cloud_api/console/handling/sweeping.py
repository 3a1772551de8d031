"""`/console/counts/{id}/sweep`: a place is counted by the tags that a reader saw there, or that a scanner read."""

from datetime import timedelta
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused, nothing, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.handling.tagging import lines_of
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.kernel import clock

router = console_router("/counts")

_TAKES = "/warehouse/stock/takes"
WAYS = ("list", "reader")
#: how long somebody has usually walked along the shelves
_USUALLY = timedelta(minutes=15)
#: tags that nobody knows, as many as are named at once; the API takes 500
_TOLD = 500


@router.get("/{id}/sweep")
async def show_sweep(request: Request, visitor: Looking, id: str) -> Response:
    """Which place, and which tags."""
    asked = request.query_params
    now = clock.now()
    form = Form.of(
        way=asked.get("way"),
        location_id=asked.get("place"),
        since=visitor.writing.field_of((now - _USUALLY).isoformat()),
        until=visitor.writing.field_of((now + timedelta(minutes=1)).isoformat()),
    )
    return await _page(request, visitor, id, form)


@router.post("/{id}/sweep")
async def sweep(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Count them, each once; what the tags say of a lot takes the place of what was counted of it there."""
    form = await forms.read(request)
    body: dict[str, Any] = form.body("location_id")
    lines = lines_of(form.get("epcs"))
    if form.get("way") == "reader":
        body |= {name: visitor.writing.instant(form.get(name)) for name in ("since", "until")}
        body |= form.body("reader_id")
    else:
        body["epcs"] = [line.epc for line in lines]
    if not _is_filled(form, visitor):
        return await _page(request, visitor, id, form, status=422)
    try:
        swept = await desk.do("POST", f"{_TAKES}/{id}/rfid-sweep", body, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        told = dict(refused.fields)
        for place, line in enumerate(lines):
            if message := told.pop(f"epcs.{place}", ""):
                told.setdefault("epcs", visitor.say("Line {line}: {what}", line=line.number, what=message))
        form.refuse(Refused(refused.status, refused.code, refused.message, told))
        return await _page(request, visitor, id, form, status=refused.status)
    names = await names_of(visitor, lots=[one["lot_id"] for one in swept["counts"]], places=[form.get("location_id")])
    take = await desk.get(f"{_TAKES}/{id}")
    return show(
        request, "handling/swept.html", take=take, swept=swept, names=names, place=form.get("location_id"),
        unknown=swept["unbound_epcs"][:_TOLD],
    )  # fmt: skip


def _is_filled(form: Form, visitor: Visitor) -> bool:
    """Whether everything is said that the API cannot name a field for."""
    wanted = {"location_id": visitor.say("Choose the place that was counted")}
    if form.get("way") == "reader":
        wanted |= {name: visitor.say("Say this too") for name in ("reader_id", "since", "until")}
    else:
        wanted["epcs"] = visitor.say("Scan a tag, or paste a list of them: one a line")
    form.errors |= {name: message for name, message in wanted.items() if not form.get(name)}
    return not form.errors


async def _page(request: Request, visitor: Visitor, id: str, form: Form, *, status: int = 200) -> Response:
    visitor.need("stock:write")
    sees = visitor.may("devices:read")
    take, (choices, _), readers = await together(
        visitor.desk.get(f"{_TAKES}/{id}"),
        choices_for(visitor),
        visitor.desk.every("/edge/readers") if sees else nothing(),
    )
    if take["status"] != "counting":
        return go(request, f"/console/counts/{id}")
    if form.get("way") not in WAYS or not sees:
        form.values["way"] = WAYS[0]
    return show(
        request, "handling/sweep.html", status=status, form=form, take=take, ways=WAYS if sees else WAYS[:1],
        groups=choices.place_groups(take["warehouse_id"]),
        readers=sorted(((one["id"], one["name"] or one["code"]) for one in readers), key=lambda pair: str(pair[1])),
    )  # fmt: skip
