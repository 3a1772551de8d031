"""`/console/rules/on-call`: who answers now, and who is next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console import form_rows as rows
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.choices import Options
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/rules/on-call")

_API = "/notifications/on-call-lists"
_PATH = "/console/rules/on-call"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_PEOPLE, _MOST_SHIFTS, _MOST_DUTIES = 100, 50, 400


@router.get("")
async def show_lists(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Lists, and who of each is on call now."""
    found = await table(request, desk, _API)
    people = [member["user_id"] for one in found.rows for member in one["members"]]
    names = await names_of(visitor, people=people)
    return show(request, "rules/lists.html", table=found, names=names)


@router.get("/new")
async def show_new_list(request: Request, visitor: Looking) -> Response:
    """The form of a list to come."""
    return await _form(request, visitor, Form())


@router.post("")
async def make_list(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Make a list of who answers."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _API, _body(form, visitor), key=form.key)
    except Refused as refused:
        return await _form(request, visitor, _refused(form, refused), status=refused.status)
    return go(request, _PATH, said="The list is there: policies may name it.")


@router.get("/{id}")
async def show_list(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One list: who answers, in which order and at which hours."""
    one = await desk.get(f"{_API}/{id}")
    return await _form(request, visitor, _form_of(one, visitor), one=one)


@router.post("/{id}")
async def change_list(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say anew who is on it, and when."""
    form = await forms.read(request)
    try:
        body = {**_body(form, visitor), **clashes.version_of(form)}
        await desk.do("PUT", f"{_API}/{id}", body, key=form.key)
    except Refused as refused:
        one = await desk.get(f"{_API}/{id}")
        form, people = _refused(form, refused), dict(await _people(visitor, form))
        clashes.meet(form, refused, _form_of(one, visitor), lambda form: _told(form, people, visitor))
        return await _form(request, visitor, form, one=one, status=refused.status)
    return go(request, _PATH, said="The list is changed, from now on.")


@router.post("/{id}/delete")
async def delete_list(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; steps that name it tell everybody who may answer."""
    await desk.do("DELETE", f"{_API}/{id}")
    return go(request, _PATH, said="The list is gone; who named it tells everybody who may answer.")


def _body(form: Form, visitor: Visitor) -> dict[str, Any]:
    count = rows.close_up(form, "members", "user_id")
    return {
        "name": form.get("name"),
        "timezone": form.get("timezone"),
        "members": [_member(form, f"members.{place}", visitor) for place in range(count)],
    }


def _member(form: Form, at: str, visitor: Visitor) -> dict[str, Any]:
    shifts = rows.close_up(form, f"{at}.shifts", "days", "from_time", "until_time")
    duties = rows.close_up(form, f"{at}.rota", "starts_at", "ends_at")
    return {
        "user_id": form.get(f"{at}.user_id"),
        "shifts": [
            {
                "weekdays": [int(day) for day in form.many.get(f"{at}.shifts.{place}.days", []) if day.isdecimal()],
                "from_time": form.get(f"{at}.shifts.{place}.from_time"),
                "until_time": form.get(f"{at}.shifts.{place}.until_time"),
            }
            for place in range(shifts)
        ],
        "rota": [
            {name: _instant(form.get(f"{at}.rota.{place}.{name}"), visitor) for name in ("starts_at", "ends_at")}
            for place in range(duties)
        ],
    }


def _instant(text: str, visitor: Visitor) -> str:
    """A moment by the reader's clock; what is none stays as it is, to be refused."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=visitor.writing.zone).isoformat()
    except ValueError:
        return text


def _form_of(one: Answer, visitor: Visitor) -> Form:
    form = Form.of(name=one["name"], timezone=one["timezone"], version=one["version"])
    for place, member in enumerate(one["members"]):
        at = f"members.{place}"
        form.values[f"{at}.user_id"] = member["user_id"]
        for number, shift in enumerate(member["shifts"]):
            days = [str(day) for day in shift["weekdays"]]
            form.many[f"{at}.shifts.{number}.days"] = days
            form.values |= {
                f"{at}.shifts.{number}.days": days[-1],
                f"{at}.shifts.{number}.from_time": shift["from_time"][:5],
                f"{at}.shifts.{number}.until_time": shift["until_time"][:5],
            }
        for number, duty in enumerate(member["rota"]):
            form.values |= {
                f"{at}.rota.{number}.{name}": visitor.writing.when(duty[name], "%Y-%m-%dT%H:%M")
                for name in ("starts_at", "ends_at")
            }
    return form


def _refused(form: Form, refused: Refused) -> Form:
    """The form with each complaint beside its field."""
    form.refuse(refused)
    for place in range(_MOST_PEOPLE):
        at = f"members.{place}"
        for number in rows.places_of(form, f"{at}.shifts", "days", "from_time", "until_time"):
            rows.beside(form, [(f"{at}.shifts.{number}.weekdays", f"{at}.shifts.{number}.days")])
        for number in rows.places_of(form, f"{at}.rota", "starts_at", "ends_at"):
            if message := form.errors.pop(f"{at}.rota.{number}", ""):
                form.errors[f"{at}.rota.{number}.ends_at"] = message
    if message := form.errors.pop("members", ""):
        form.errors["members.0.user_id"] = message
    return form


def _told(form: Form, people: Mapping[str, str], visitor: Visitor) -> Mapping[str, str]:
    """What a list says, a line a person."""
    say = visitor.say
    told = {say("Name"): form.get("name"), say("Time zone of the hours"): form.get("timezone")}
    for place in rows.places_of(form, "members", "user_id"):
        at = f"members.{place}"
        hours = [
            f"{' '.join(say(DAYS[int(day)]) for day in form.many.get(f'{at}.shifts.{number}.days', []))} "
            f"{form.get(f'{at}.shifts.{number}.from_time')}–{form.get(f'{at}.shifts.{number}.until_time')}"
            for number in rows.places_of(form, f"{at}.shifts", "days", "from_time", "until_time")
        ]
        hours += [
            f"{form.get(f'{at}.rota.{number}.starts_at')} – {form.get(f'{at}.rota.{number}.ends_at')}"
            for number in rows.places_of(form, f"{at}.rota", "starts_at", "ends_at")
        ]
        who_is = people.get(form.get(f"{at}.user_id"), form.get(f"{at}.user_id"))
        told[say("Person {number}", number=place + 1)] = "; ".join([who_is, *hours])
    return told


async def _people(visitor: Visitor, form: Form) -> Options:
    """Everybody who may be on a list, by name, and who is on it already."""
    there = [form.get(f"members.{place}.user_id") for place in rows.places_of(form, "members", "user_id")]
    if not visitor.may("users:read"):
        names = await names_of(visitor, people=there)
        return [(id, names.person(id)) for id in dict.fromkeys(there)]
    found = await visitor.desk.every("/admin/users", status="active")
    known = {one["id"]: str(one["full_name"] or one["username"]) for one in found}
    gone = await names_of(visitor, people=[id for id in there if id not in known])
    known |= {id: gone.person(id) for id in there if id not in known}
    return sorted(known.items(), key=lambda pair: pair[1].casefold())


async def _form(
    request: Request, visitor: Visitor, form: Form, *, one: Answer | None = None, status: int = 200
) -> Response:
    members = rows.to_show(len(rows.places_of(form, "members", "user_id")), _MOST_PEOPLE)
    return show(
        request,
        "rules/list.html",
        status=status,
        one=one,
        form=form,
        members=members,
        shifts=_each(form, members, "shifts", ("days", "from_time", "until_time"), _MOST_SHIFTS),
        duties=_each(form, members, "rota", ("starts_at", "ends_at"), _MOST_DUTIES),
        people=await _people(visitor, form),
        days=[(str(place), visitor.say(day)) for place, day in enumerate(DAYS)],
    )


def _each(form: Form, members: Sequence[int], kind: str, keys: Sequence[str], most: int) -> list[Sequence[int]]:
    """Of each member the rows of this kind to show."""
    return [rows.to_show(len(rows.places_of(form, f"members.{place}.{kind}", *keys)), most) for place in members]
