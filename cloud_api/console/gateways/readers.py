"""`/console/gateways/readers`: what a reader is, where, and what is booked of the tags that pass it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from cloud_api.console import clashes, form_rows, forms
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import options, places_of
from cloud_api.console.forms import Form
from cloud_api.console.gateways import equipment
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, ConsoleRoute, Looking

#: `routes` takes it in, below `/console`
router = APIRouter(prefix="/gateways/readers", route_class=ConsoleRoute, include_in_schema=False)
_API = "/edge/readers"
_RULES = "/warehouse/portal-rules"
_PATH = "/console/gateways/readers"
DIRECTIONS = ("in", "out", "both")
ACTIONS = ("transfer", "receive", "ship", "ignore")
MODES = ("propose", "automatic")
_MOST_ANTENNAS = 64


@router.get("/new")
async def show_new_reader(request: Request, visitor: Looking) -> Response:
    """The form of a reader to come; the address may name its gateway."""
    form = Form.of(gateway_id=request.query_params.get("gateway_id"), direction="both")
    return await equipment.show_new(request, visitor, "readers", form, **_told(visitor, form))


@router.post("")
async def register_reader(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Register it, whether it was heard already or not."""
    form = await forms.read(request)
    body = {**_facts(form), **equipment.registered(form)}
    try:
        made = await desk.do("POST", _API, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        told = _told(visitor, form)
        return await equipment.show_new(request, visitor, "readers", form, status=refused.status, **told)
    return go(request, f"{_PATH}/{made['id']}", said="The reader is registered.")


@router.get("/{id}")
async def show_reader(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One reader with its portal rules."""
    return await _page(request, desk, visitor, id)


@router.post("/{id}")
async def change_reader(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say what it is; one that was only heard is registered by that."""
    form = await forms.read(request)
    body = {**_facts(form), **equipment.placed(form), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, visitor, id, refused=refused, form=form)
    return go(request, f"{_PATH}/{id}", said="The reader is changed.")


@router.post("/{id}/retire")
async def retire_reader(request: Request, desk: AtDesk, id: str) -> Response:
    """Act no more on what it says."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, f"{_PATH}/{id}", said="The reader is retired.")


@router.post("/{id}/bring-back")
async def bring_reader_back(request: Request, desk: AtDesk, id: str) -> Response:
    """Act on what it says again."""
    reader = await desk.get(f"{_API}/{id}")
    facts = {name: reader[name] for name in ("direction", "portal", "antennas")}
    await desk.do("PUT", f"{_API}/{id}", {**facts, "name": reader["name"] or reader["code"], "status": "active"})
    return go(request, f"{_PATH}/{id}", said="The reader is back in service.")


@router.post("/{id}/rules")
async def add_rule(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say what is booked when a tag passes it."""
    form = await forms.read(request)
    body = {**form.body("direction", "action", "to_location_id", "mode"), "reader_id": id, **_times(form)}
    try:
        await desk.do("POST", _RULES, body, key=form.key)
    except Refused as refused:
        form.refuse(refused, max_age_s="max_age_min")
        return await _page(request, desk, visitor, id, refused=refused, ruling=form)
    return go(request, f"{_PATH}/{id}", said="Passages are booked by this rule from now on.")


@router.post("/{id}/rules/{rule_id}/mode")
async def switch_mode(request: Request, desk: AtDesk, visitor: Looking, id: str, rule_id: str) -> Response:
    """Propose what was booked at once, or the other way round."""
    form = await forms.read(request)
    rules = await desk.every(_RULES, reader_id=id)
    rule: Answer = next((rule for rule in rules if rule["id"] == rule_id), {})
    facts = {name: rule[name] for name in ("action", "to_location_id", "window_s", "max_age_s") if name in rule}
    body = {**facts, "mode": form.get("mode"), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_RULES}/{rule_id}", body, key=form.key)
    except Refused as refused:
        if not clashes.is_stale(refused):
            raise
        now = Form.of(mode=rule["mode"], version=rule["version"])
        clashes.meet(form, refused, now, {"mode": visitor.say("How")}, mode=visitor.writing.word)
        form.values["rule_id"] = rule_id
        return await _page(request, desk, visitor, id, refused=refused, switching=form)
    return go(request, f"{_PATH}/{id}", said="The rule is changed.")


@router.post("/{id}/rules/{rule_id}/delete")
async def delete_rule(request: Request, desk: AtDesk, id: str, rule_id: str) -> Response:
    """Book nothing by it any more."""
    await desk.do("DELETE", f"{_RULES}/{rule_id}")
    return go(request, f"{_PATH}/{id}", said="Nothing is booked by this rule any more.")


def _facts(form: Form) -> dict[str, Any]:
    count = form_rows.close_up(form, "antennas", "number")
    return {
        **form.body("name", "direction"),
        "portal": form.ticked("portal"),
        "antennas": [_antenna(form, f"antennas.{place}") for place in range(count)],
    }


def _antenna(form: Form, at: str) -> dict[str, object]:
    return {
        "number": forms.whole(form.get(f"{at}.number")),
        "direction": form.get(f"{at}.direction") or "both",
        "location_id": form.get(f"{at}.location_id") or None,
    }


def _times(form: Form) -> dict[str, object]:
    minutes = forms.whole(form.get("max_age_min")) if form.get("max_age_min") else 15
    return {
        "window_s": forms.whole(form.get("window_s")) if form.get("window_s") else 30,
        "max_age_s": minutes * 60 if isinstance(minutes, int) else minutes,
    }


def _form_of(reader: Answer) -> Form:
    form = Form.of(
        name=reader["name"] or "",
        direction=reader["direction"],
        location_id=reader["location_id"],
        version=reader["version"],
    )
    if reader["portal"]:
        form.values["portal"] = "true"
    for place, antenna in enumerate(reader["antennas"]):
        shown = {name: forms.shown(antenna[name]) for name in ("number", "direction", "location_id")}
        form.values |= {f"antennas.{place}.{name}": text for name, text in shown.items()}
    return form


def _said(form: Form, places: Mapping[str, str], visitor: Visitor) -> Mapping[str, str]:
    """What the form of a reader says, a line an antenna."""
    say, word = visitor.say, visitor.writing.word
    said = {
        say("Name"): form.get("name"),
        say("Place"): places.get(form.get("location_id"), ""),
        say("Which way things pass it"): word(form.get("direction")),
        say("Portal"): form.get("portal"),
    }
    for place in form_rows.places_of(form, "antennas", "number"):
        named = (form.get(f"antennas.{place}.{name}") for name in ("number", "direction", "location_id"))
        number, direction, location_id = named
        looks_at = places.get(location_id, say("where the reader is"))
        said[f"{say('Antennas')}: {number}"] = f"{word(direction or 'both')} · {looks_at}"
    return said


def _told(visitor: Visitor, form: Form) -> dict[str, Any]:
    """What both forms of a reader choose from."""
    return {
        "directions": visitor.writing.words(DIRECTIONS),
        "antennas": form_rows.to_show(len(form_rows.places_of(form, "antennas", "number")), _MOST_ANTENNAS),
    }


async def _page(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    id: str,
    *,
    refused: Refused | None = None,
    form: Form | None = None,
    ruling: Form | None = None,
    switching: Form | None = None,
) -> Response:
    reader, places, rules = await together(
        desk.get(f"{_API}/{id}"),
        places_of(visitor),
        desk.every(_RULES, reader_id=id) if visitor.may("stock:read") else nothing(),
    )
    gateway = await desk.get(f"/edge/gateways/{reader['gateway_id']}")
    words, choices = visitor.writing.words, options(places, "code", "name")
    if form is not None and refused is not None:
        known = dict(choices)
        clashes.meet(form, refused, _form_of(reader), lambda one: _said(one, known, visitor))
    shown = form or _form_of(reader)
    return show(
        request,
        "gateways/reader.html",
        status=200 if refused is None else refused.status,
        reader=reader,
        gateway=gateway,
        rules=rules,
        names=await names_of(visitor, places=[reader["location_id"], *(rule["to_location_id"] for rule in rules)]),
        switching=switching,
        ruling=ruling or Form.of(direction="in", mode="propose", window_s=30, max_age_min=15),
        actions=words(ACTIONS),
        modes=words(MODES),
        form=shown,
        places=choices,
        **_told(visitor, shown),
    )
