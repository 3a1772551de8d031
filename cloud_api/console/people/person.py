"""`/console/people/{id}`: one person, their roles and warehouses, their sign-ins, and whether they may come in."""

from collections.abc import Mapping

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import warehouses_of
from cloud_api.console.names import short
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.people.choices import roles_of
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router()
_DETAILS: Mapping[str, str] = {
    "full_name": "Name",
    "username": "User name",
    "email": "E-mail address",
    "phone": "Phone",
    "locale": "Language",
}
#: the state that a button asks for, and what is said when it is done
_STATES: Mapping[str, str] = {
    "active": "They can sign in again.",
    "inactive": "They are let out, and signed out everywhere.",
    "suspended": "They are suspended, and signed out everywhere.",
}


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    id: str,
    *,
    form: forms.Form | None = None,
    scope: forms.Form | None = None,
    status: int = 200,
) -> Response:
    path = f"/admin/users/{id}"
    person, sessions, confined, roles, warehouses = await together(
        desk.get(path),
        desk.get(f"{path}/sessions"),
        desk.get(f"{path}/warehouses"),
        roles_of(desk, who),
        warehouses_of(who, closed=True),
    )
    held = {role["id"] for role in person["roles"]}
    return show(
        request,
        "people/person.html",
        status=status,
        person=person,
        sessions=sessions,
        scope=scope or _scope_of(confined),
        free_roles=[role for role in roles if role["id"] not in held],
        roles_by_id={role["id"]: role for role in roles},
        warehouses=warehouses,
        form=form or forms.Form.of(person),
    )


@router.get("/people/{id}")
async def show_person(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """One person: their account, roles, warehouses and sign-ins."""
    return await _page(request, desk, who, id)


@router.post("/people/{id}")
async def change_person(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Change name, addresses, language."""
    form = await forms.read(request)
    body = form.body(*_DETAILS, phone=form.get("phone"), **clashes.version_of(form))
    try:
        await desk.do("PATCH", f"/admin/users/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        now = forms.Form.of(await desk.get(f"/admin/users/{id}"))
        clashes.meet(form, refused, now, clashes.said(who, _DETAILS))
        return await _page(request, desk, who, id, form=form, status=refused.status)
    return _back(request, id, "Saved.")


@router.post("/people/{id}/roles")
async def give_role(request: Request, desk: AtDesk, id: str) -> Response:
    """Give one more role."""
    form = await forms.read(request)
    await desk.do("POST", f"/admin/users/{id}/roles", form.body("role_id"), key=form.key)
    return _back(request, id, "The role is given.")


@router.post("/people/{id}/roles/{role_id}/take")
async def take_role(request: Request, desk: AtDesk, id: str, role_id: str) -> Response:
    """Take a role away."""
    await desk.do("DELETE", f"/admin/users/{id}/roles/{role_id}")
    return _back(request, id, "The role is taken.")


@router.post("/people/{id}/warehouses")
async def confine(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Which warehouses they see; none named: all."""
    form, path = await forms.read(request), f"/admin/users/{id}/warehouses"
    body = {"warehouse_ids": form.many.get("warehouse_ids", []), **clashes.version_of(form)}
    try:
        await desk.do("PUT", path, body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        confined, warehouses = await together(desk.get(path), warehouses_of(who, closed=True))
        names = {one["id"]: str(one["name"]) for one in warehouses}
        label = who.say("Warehouses")
        clashes.meet(form, refused, _scope_of(confined), lambda one: {label: _named(one, names) or who.say("all")})
        return await _page(request, desk, who, id, scope=form, status=refused.status)
    return _back(request, id, "Saved.")


@router.post("/people/{id}/status")
async def set_status(request: Request, desk: AtDesk, id: str) -> Response:
    """Let them in, or out."""
    form = await forms.read(request)
    await desk.do("PUT", f"/admin/users/{id}/status", form.body("status"))
    return _back(request, id, _STATES.get(form.get("status"), "Saved."))


@router.post("/people/{id}/sessions/end")
async def end_sessions(request: Request, desk: AtDesk, id: str) -> Response:
    """Sign them out everywhere."""
    await desk.do("DELETE", f"/admin/users/{id}/sessions")
    return _back(request, id, "They are signed out everywhere.")


@router.post("/people/{id}/unlock")
async def unlock(request: Request, desk: AtDesk, id: str) -> Response:
    """Open the account before it opens by itself."""
    await desk.do("POST", f"/admin/users/{id}/unlock")
    return _back(request, id, "Refused sign-ins are forgotten.")


@router.post("/people/{id}/second-factor/reset")
async def reset_second_factor(request: Request, desk: AtDesk, id: str) -> Response:
    """Forget the second factor of somebody who lost phone and backup codes."""
    await desk.do("DELETE", f"/admin/users/{id}/2fa")
    return _back(request, id, "The second factor is forgotten.")


@router.post("/people/{id}/password")
async def give_password(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Give them a password that they have to change."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"/admin/users/{id}/password", {"password": form.values.get("password", "")})
    except Refused as refused:
        shown = forms.Form.of(await desk.get(f"/admin/users/{id}"), password="")
        shown.refuse(refused)
        shown.errors.setdefault("password", refused.message)
        return await _page(request, desk, who, id, form=shown, status=refused.status)
    return _back(request, id, "The password is set. They change it when they sign in.")


@router.post("/people/{id}/remove")
async def remove_person(request: Request, desk: AtDesk, id: str) -> Response:
    """Let them go for good."""
    await desk.do("DELETE", f"/admin/users/{id}")
    return go(request, "/console/people", said="They stand in no list any more.")


def _scope_of(confined: Answer) -> forms.Form:
    form = forms.Form.of(version=confined["version"])
    form.many["warehouse_ids"] = confined["warehouse_ids"]
    return form


def _named(form: forms.Form, names: Mapping[str, str]) -> str:
    return ", ".join(sorted(names.get(id, short(id)) for id in form.many.get("warehouse_ids", ())))


def _back(request: Request, id: str, said: str) -> Response:
    return go(request, f"/console/people/{id}", said=said)
