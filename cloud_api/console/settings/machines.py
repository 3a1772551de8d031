"""`/console/settings/machines`: API keys and OAuth clients. A secret is shown once, on the page that answers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.kernel.permissions import grants

router = console_router("/settings/machines")
MACHINES = "/console/settings/machines"
#: what the page calls them -> where the API has them
_KINDS: Mapping[str, str] = {"keys": "/api-keys", "clients": "/admin/oauth-clients"}


@router.get("")
async def list_machines(request: Request, desk: AtDesk) -> Response:
    """What may come in by itself."""
    keys, clients = await together(*(desk.every(source) for source in _KINDS.values()))
    return show(request, "settings/machines.html", keys=keys, clients=clients)


@router.get("/keys/new")
async def show_new_key(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form of a new API key."""
    return show(request, "settings/new_machine.html", kind="keys", catalogue=await _catalogue(desk, who))


@router.get("/clients/new")
async def show_new_client(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form of a new OAuth client."""
    return show(request, "settings/new_machine.html", kind="clients", catalogue=await _catalogue(desk, who))


@router.post("/keys/new")
async def create_key(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Make an API key, and show it."""
    form = await forms.read(request)
    body = form.body("name", scopes=_scopes(form), ip_ranges=form.get("ip_ranges").replace(",", " ").split())
    if form.get("expires_on"):
        body["expires_at"] = _end_of(form.get("expires_on"), who)
    return await _made(request, desk, who, form, "keys", body)


@router.post("/clients/new")
async def create_client(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Register an OAuth client, and show its secret."""
    form = await forms.read(request)
    return await _made(request, desk, who, form, "clients", form.body("name", scopes=_scopes(form)))


@router.post("/{kind}/{id}/rotate")
async def rotate(request: Request, desk: AtDesk, kind: str, id: str) -> Response:
    """Another secret; the present one works for a day longer, or no more at all."""
    form = await forms.read(request)
    hours = 0 if form.get("now") == "true" else 24
    made = await desk.do("POST", f"{_source(kind)}/{id}/rotate", {"overlap_hours": hours})
    return show(request, "settings/secret.html", made=made, kind=kind, again=True)


@router.post("/{kind}/{id}/end")
async def end(request: Request, desk: AtDesk, kind: str, id: str) -> Response:
    """It opens nothing from now on."""
    await desk.do("DELETE", f"{_source(kind)}/{id}")
    return go(request, MACHINES, said="It opens nothing any more.")


async def _made(
    request: Request, desk: Desk, who: Visitor, form: forms.Form, kind: str, body: dict[str, Answer]
) -> Response:
    try:
        made = await desk.do("POST", _source(kind), body, key=form.key)
    except Refused as refused:
        form.refuse(refused, expires_at="expires_on")
        catalogue = await _catalogue(desk, who)
        return show(
            request, "settings/new_machine.html", status=refused.status, kind=kind, catalogue=catalogue, form=form
        )
    return show(request, "settings/secret.html", made=made, kind=kind, again=False)


def _source(kind: str) -> str:
    if kind not in _KINDS:
        raise Refused(404, "NOT_FOUND", "there is no such kind of machine")
    return _KINDS[kind]


def _scopes(form: forms.Form) -> list[str]:
    return form.many.get("scopes", [])


async def _catalogue(desk: Desk, who: Visitor) -> Mapping[str, Sequence[Answer]]:
    """What the person may do themselves, by what it is about: no machine may do more."""
    found: dict[str, list[Answer]] = {}
    if who.may("roles:read"):
        listed = await desk.get("/admin/permissions")
    else:
        keys = sorted(one for one in who.permissions if not one.endswith("*"))
        listed = [{"key": key, "resource": key.partition(":")[0], "description": key} for key in keys]
    for permission in listed:
        if grants(who.permissions, permission["key"]):
            found.setdefault(permission["resource"], []).append(permission)
    return found


def _end_of(day: str, who: Visitor) -> str:
    """The end of a day where the reader is; what is no day goes as it is, so that the API says so."""
    try:
        said = date.fromisoformat(day) + timedelta(days=1)
    except ValueError:
        return day
    return datetime(said.year, said.month, said.day, tzinfo=who.writing.zone).isoformat()
