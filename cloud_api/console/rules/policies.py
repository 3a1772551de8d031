"""`/console/rules/policies`: who is told of an alert, in which order, until somebody answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console import form_rows as rows
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import Options, options
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.rules.words import who
from cloud_api.console.tables import table

router = console_router("/rules/policies")

_API = "/alerts/escalation-policies"
_LISTS = "/notifications/on-call-lists"
_PATH = "/console/rules/policies"
CHANNELS = ("in_app", "push", "sms", "mail")
SEVERITIES = ("critical", "warning", "info")
_MOST_STEPS = 20
_EVERYONE = "everyone"


@dataclass(frozen=True)
class Known:
    """Whom steps may tell."""

    people: Mapping[str, str]
    lists: Mapping[str, str]
    roles: Sequence[str]


@router.get("")
async def show_policies(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Policies, the newest first."""
    found, lists = await together(table(request, desk, _API), desk.every(_LISTS))
    targets = [step["to"] for policy in found.rows for step in policy["steps"]]
    names = await names_of(visitor, people=[target["user_id"] for target in targets])
    people = {id: names.person(id) for id in names.people}
    return show(
        request,
        "rules/policies.html",
        table=found,
        who=lambda target: who(target, visitor, people, dict(options(lists))),
    )


@router.get("/new")
async def show_new_policy(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form of a policy to come: it begins with who is on call."""
    form = Form(values={"steps.0.who": "list::0", "steps.0.after": "0"})
    form.many["steps.0.channels"] = ["in_app", "push"]
    return await _form(request, desk, visitor, form)


@router.post("")
async def make_policy(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Make an escalation policy."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _API, _body(form), key=form.key)
    except Refused as refused:
        return await _form(request, desk, visitor, _refused(form, refused), status=refused.status)
    return go(request, _PATH, said="The policy is there: rules may name it.")


@router.get("/{id}")
async def show_policy(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One policy, step by step."""
    policy = await desk.get(f"{_API}/{id}")
    return await _form(request, desk, visitor, _form_of(policy), policy=policy)


@router.post("/{id}")
async def change_policy(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it; alerts that were raised before keep what it said then."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_API}/{id}", {**_body(form), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        policy = await desk.get(f"{_API}/{id}")
        form = _refused(form, refused)
        return await _form(request, desk, visitor, form, policy=policy, refused=refused, status=refused.status)
    return go(request, _PATH, said="The policy is changed, for alerts from now on.")


@router.post("/{id}/delete")
async def delete_policy(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; rules that name it follow the usual one."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, _PATH, said="The policy is gone; its rules follow the usual one.")


def _body(form: Form) -> dict[str, Any]:
    count = rows.close_up(form, "steps", "who")
    return {
        "name": form.get("name"),
        "default_for": form.get("default_for") or None,
        "steps": [_step(form, f"steps.{place}") for place in range(count)],
    }


def _step(form: Form, at: str) -> dict[str, Any]:
    forever = form.ticked(f"{at}.forever")
    return {
        "to": _target(form.get(f"{at}.who")),
        "channels": form.many.get(f"{at}.channels", []),
        "after_s": _seconds(form.get(f"{at}.after")) or 0,
        "repeat_every_s": _seconds(form.get(f"{at}.every")),
        "repeats": None if forever else forms.whole(form.get(f"{at}.times")) if form.get(f"{at}.times") else 0,
    }


def _target(code: str) -> dict[str, object]:
    kind, _, rest = code.partition(":")
    if kind == "list":
        id, _, position = rest.partition(":")
        named = {"list_id": id or None, "position": int(position) if position.isdecimal() else None}
        return {"kind": "on_call_list", **{name: value for name, value in named.items() if value is not None}}
    named_by = {"user": "user_id", "role": "role"}.get(kind)
    return {"kind": kind} if named_by is None else {"kind": kind, named_by: rest}


def _code(target: Answer) -> str:
    if target["kind"] == "on_call_list":
        position = target["position"]
        return f"list:{target['list_id'] or ''}:{'' if position is None else position}"
    rest = target["user_id"] or target["role"]
    return f"{target['kind']}:{rest}" if rest else str(target["kind"])


def _seconds(text: str) -> object:
    """Minutes that somebody typed."""
    minutes = forms.decimal(text)
    if minutes is None:
        return text or None
    seconds = minutes * 60
    return int(seconds) if seconds == seconds.to_integral_value() else float(seconds)


def _form_of(policy: Answer) -> Form:
    form = Form.of(name=policy["name"], default_for=policy["default_for"], version=policy["version"])
    for place, step in enumerate(policy["steps"]):
        at, every, times = f"steps.{place}", step["repeat_every_s"], step["repeats"]
        form.values |= {f"{at}.who": _code(step["to"]), f"{at}.after": f"{step['after_s'] / 60:g}"}
        form.values |= {f"{at}.every": "" if every is None else f"{every / 60:g}", f"{at}.times": str(times or "")}
        if times is None:
            form.values[f"{at}.forever"] = "true"
        form.many[f"{at}.channels"] = step["channels"]
    return form


def _refused(form: Form, refused: Refused) -> Form:
    """The form with each complaint beside its field."""
    form.refuse(refused)
    for place in range(_MOST_STEPS):
        at = f"steps.{place}"
        ours = {"to": "who", "after_s": "after", "repeat_every_s": "every", "repeats": "times", "channels": "channels"}
        rows.beside(form, ((f"{at}.{theirs}", f"{at}.{name}") for theirs, name in ours.items()))
        if message := form.errors.pop(at, ""):
            form.errors[f"{at}.who"] = message
    if message := form.errors.pop("steps", ""):
        form.errors["steps.0.who"] = message
    return form


def _told(form: Form, known: Known, visitor: Visitor) -> Mapping[str, str]:
    """What a policy says, a line a step."""
    say, word, named = visitor.say, visitor.writing.word, dict(_choices(known, form, visitor))
    told = {say("Name"): form.get("name"), say("Usual for alerts that are"): form.get("default_for")}
    for place in rows.places_of(form, "steps", "who"):
        at = f"steps.{place}"
        times = "∞" if form.ticked(f"{at}.forever") else form.get(f"{at}.times")
        repeated = f"{form.get(f'{at}.every')} min × {times}" if form.get(f"{at}.every") else ""
        who_is = named.get(form.get(f"{at}.who"), "")
        channels = ", ".join(word(channel) for channel in form.many.get(f"{at}.channels", []))
        said = (who_is, channels, f"{form.get(f'{at}.after') or 0} min", repeated)
        told[say("Step {number}", number=place + 1)] = " · ".join(filter(None, said))
    return told


async def _known(desk: Desk, visitor: Visitor) -> Known:
    lists, people, roles = await together(
        desk.every(_LISTS),
        desk.every("/admin/users", status="active") if visitor.may("users:read") else nothing(),
        desk.every("/admin/roles") if visitor.may("roles:read") else nothing(),
    )
    return Known(
        {one["id"]: one["full_name"] or one["username"] for one in people},
        dict(options(lists)),
        [role["name"] for role in roles],
    )


def _choices(known: Known, form: Form, visitor: Visitor) -> Options:
    """Everybody whom a step may tell, and whom it tells already."""
    codes = [_EVERYONE, *(f"list:{id}:{place}" for id in ("", *known.lists) for place in ("0", "1", ""))]
    codes += [*(f"role:{name}" for name in known.roles), *(f"user:{id}" for id in known.people)]
    there = (form.get(f"steps.{place}.who") for place in range(_MOST_STEPS))
    codes += [code for code in dict.fromkeys(there) if code and code not in codes]
    blank = {"user_id": None, "role": None, "list_id": None, "position": None}
    return [(code, who({**blank, **_target(code)}, visitor, known.people, known.lists)) for code in codes]


async def _form(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    form: Form,
    *,
    policy: Answer | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    known = await _known(desk, visitor)
    if policy is not None and refused is not None:
        clashes.meet(form, refused, _form_of(policy), lambda one: _told(one, known, visitor))
    words = visitor.writing.words
    return show(
        request,
        "rules/policy.html",
        status=status,
        policy=policy,
        form=form,
        steps=rows.to_show(len(rows.places_of(form, "steps", "who")), _MOST_STEPS),
        targets=_choices(known, form, visitor),
        channels=words(CHANNELS),
        severities=words(SEVERITIES),
    )
