"""`/console/rules`: what rooms must keep to, place by place."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import options, places_of
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.rules.words import sentence
from cloud_api.console.tables import table
from cloud_api.kernel import clock

#: stands behind policies and on-call lists, whose paths have no id in this place
router = console_router("/rules")

_API = "/alerts/rules"
_PATH = "/console/rules"
KINDS = ("high", "low", "rising", "falling", "silent", "cumulative_high", "cumulative_low")
SEVERITIES = ("critical", "warning", "info")
_FILTERS = ("location_id", "kind", "enabled")
_TRIED = timedelta(days=7)
#: the API's field -> ours
_RENAMED = {"duration_s": "minutes"}


@router.get("")
async def show_rules(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Rules, the newest first; of a place with those of what it lies in."""
    rows, places, policies = await together(
        table(request, desk, _API, filters=_FILTERS), places_of(visitor), desk.every("/alerts/escalation-policies")
    )
    return show(
        request,
        "rules/rules.html",
        table=rows,
        place_choices=options(places, "code", "name"),
        names=await names_of(visitor, places=[row["location_id"] for row in rows.rows]),
        policies=dict(options(policies)),
        sentence=lambda rule: sentence(rule, visitor),
        kind_choices=visitor.writing.words(KINDS),
    )


@router.get("/new")
async def show_new_rule(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form of a rule to come; the address may name its place."""
    form = Form.of(
        location_id=request.query_params.get("location_id"), quantity="temperature", severity="critical", minutes=10
    )
    return await _form(request, desk, visitor, form)


@router.post("")
async def make_rule(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Make a rule for a place."""
    form = await forms.read(request)
    try:
        made = await desk.do(
            "POST", _API, {**_body(form), **form.body("location_id", "quantity", "kind")}, key=form.key
        )
    except Refused as refused:
        form.refuse(refused, **_RENAMED)
        return await _form(request, desk, visitor, form, status=refused.status)
    return go(request, f"{_PATH}?location_id={made['location_id']}", said="The rule holds from now on.")


@router.get("/{id}")
async def show_rule(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One rule, to be changed, tried, or taken away."""
    rule = await desk.get(f"{_API}/{id}")
    return await _form(request, desk, visitor, _form_of(rule), rule=rule)


@router.post("/{id}")
async def change_rule(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it, here and at the gateways."""
    form = await forms.read(request)
    body = {**_body(form), "enabled": form.ticked("enabled"), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, **_RENAMED)
        rule = await desk.get(f"{_API}/{id}")
        clashes.meet(form, refused, _form_of(rule), _labels(visitor))
        return await _form(request, desk, visitor, form, rule=rule, status=refused.status)
    return go(request, f"{_PATH}/{id}", said="The rule is changed; gateways take it soon.")


@router.post("/{id}/try")
async def try_rule(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What the rule, as it is typed, would have raised of the last week's readings. Nothing is written."""
    form = await forms.read(request)
    since = (clock.now() - _TRIED).isoformat()
    changes = {name: value for name, value in _bounds(form).items() if value is not None}
    rule = await desk.get(f"{_API}/{id}")
    try:
        tried = await desk.do("POST", f"{_API}/{id}/test", {**changes, "since": since})
    except Refused as refused:
        form.refuse(refused, **_RENAMED)
        return await _form(request, desk, visitor, form, rule=rule, status=refused.status)
    return await _form(request, desk, visitor, form, rule=rule, tried=tried)


@router.post("/{id}/retire")
async def retire_rule(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; excursions from it stay."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, _PATH, said="The rule is taken away.")


def _bounds(form: Form) -> dict[str, object]:
    """By what is judged, as the API wants it."""
    minutes = forms.decimal(form.get("minutes"))
    seconds: object = form.get("minutes") or None if minutes is None else float(minutes * 60)
    return {
        "set_at": _number(form, "set_at"),
        "clear_at": _number(form, "clear_at"),
        "change": _number(form, "change"),
        "duration_s": int(seconds) if isinstance(seconds, float) and seconds.is_integer() else seconds,
    }


def _body(form: Form) -> dict[str, Any]:
    given = {name: value for name, value in _bounds(form).items() if value is not None}
    return {
        **form.body("name", "severity"),
        **given,
        "latched": form.ticked("latched"),
        "escalation_policy_id": form.get("escalation_policy_id") or None,
    }


def _number(form: Form, name: str) -> object:
    return forms.real(form.get(name)) if form.get(name) else None


def _form_of(rule: Answer) -> Form:
    form = Form.of(
        name=rule["name"],
        set_at=f"{rule['set_at']:g}",
        clear_at=f"{rule['clear_at']:g}",
        change=f"{rule['change']:g}",
        minutes=f"{rule['duration_s'] / 60:g}",
        severity=rule["severity"],
        escalation_policy_id=rule["escalation_policy_id"],
        version=rule["version"],
    )
    form.values |= {name: "true" for name in ("latched", "enabled") if rule[name]}
    return form


def _labels(visitor: Visitor) -> Mapping[str, str]:
    say = visitor.say
    return {
        "name": say("Name"),
        "set_at": say("Limit"),
        "clear_at": say("Well again at"),
        "change": say("Change"),
        "minutes": say("Minutes"),
        "severity": say("Severity"),
        "latched": say("Latched"),
        "enabled": say("In force"),
    }


async def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    form: Form,
    *,
    rule: Answer | None = None,
    status: int = 200,
    tried: Answer | None = None,
) -> Response:
    policies, places = await together(
        desk.every("/alerts/escalation-policies"),
        places_of(visitor) if rule is None else nothing(),
    )
    sensors = [one["sensor_id"] for part in (tried or {}).values() for one in part]
    names = await names_of(visitor, places=[rule["location_id"]] if rule else [], sensors=sensors)
    return show(
        request,
        "rules/rule.html",
        status=status,
        rule=rule,
        form=form,
        names=names,
        tried=tried,
        said=sentence(rule, visitor) if rule else "",
        policies=options(policies),
        places=options(places, "code", "name"),
        kinds=visitor.writing.words(KINDS),
        severities=visitor.writing.words(SEVERITIES),
    )
