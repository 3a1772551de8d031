"""`/console/roles`: what each role lets people do, and roles of the organisation's own."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.people.choices import permissions_by_resource
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.kernel.permissions import grants

router = console_router()
ROLES = "/console/roles"


@router.get("/roles")
async def show_roles(request: Request, desk: AtDesk) -> Response:
    """Every permission, and which roles grant it."""
    matrix, catalogue = await together(desk.get("/admin/roles/matrix"), desk.get("/admin/permissions"))
    said = {permission["key"]: permission["description"] for permission in catalogue}
    return show(request, "people/roles.html", roles=matrix["roles"], blocks=_blocks(matrix["rows"]), said=said)


def _blocks(rows: Sequence[Answer]) -> Mapping[str, Sequence[Answer]]:
    """The rows by what they are about."""
    return {resource: list(some) for resource, some in groupby(rows, lambda row: row["permission"].partition(":")[0])}


@router.get("/roles/new")
async def show_new_role(request: Request, desk: AtDesk) -> Response:
    """The form of a new role; `from` is one to begin with."""
    begun = request.query_params.get("from")
    form = forms.Form.of(reach="organization")
    catalogue = await permissions_by_resource(desk)
    if begun:
        former = await desk.get(f"/admin/roles/{begun}")
        form = forms.Form.of(description=former["description"], reach=former["reach"])
        form.many["permissions"] = _spelled_out(former["permissions"], catalogue)
    return show(request, "people/role.html", role=None, catalogue=catalogue, form=form)


@router.post("/roles/new")
async def create_role(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Make a role of the organisation's own."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", "/admin/roles", _body(form), key=form.key)
    except Refused as refused:
        return await _again(request, desk, who, form, refused, None)
    return go(request, f"{ROLES}/{made['id']}", said="The role is made: give it to people on their pages.")


@router.get("/roles/{id}")
async def show_role(request: Request, desk: AtDesk, id: str) -> Response:
    """One role: what it grants, in a form where it can be changed."""
    role, catalogue = await together(desk.get(f"/admin/roles/{id}"), permissions_by_resource(desk))
    return show(request, "people/role.html", role=role, catalogue=catalogue, form=_form_of(role, catalogue))


@router.post("/roles/{id}")
async def change_role(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Change it; who holds it feels it at once."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"/admin/roles/{id}", {**_body(form), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        return await _again(request, desk, who, form, refused, await desk.get(f"/admin/roles/{id}"))
    return go(request, f"{ROLES}/{id}", said="Saved.")


@router.post("/roles/{id}/delete")
async def delete_role(request: Request, desk: AtDesk, id: str) -> Response:
    """Take a role away that nobody holds."""
    await desk.do("DELETE", f"/admin/roles/{id}")
    return go(request, ROLES, said="The role is gone.")


def _body(form: forms.Form) -> dict[str, Answer]:
    return form.body("name", "reach", description=form.get("description"), permissions=form.many.get("permissions", []))


def _form_of(role: Answer, catalogue: Mapping[str, Sequence[Answer]]) -> forms.Form:
    form = forms.Form.of({name: role[name] for name in ("name", "description", "reach", "version")})
    form.many["permissions"] = _spelled_out(role["permissions"], catalogue)
    return form


async def _again(
    request: Request, desk: Desk, who: Visitor, form: forms.Form, refused: Refused, role: Answer | None
) -> Response:
    form.refuse(refused)
    catalogue = await permissions_by_resource(desk)
    if role is not None:
        clashes.meet(form, refused, _form_of(role, catalogue), lambda one: _told(one, who))
    return show(request, "people/role.html", status=refused.status, role=role, catalogue=catalogue, form=form)


def _told(form: forms.Form, who: Visitor) -> Mapping[str, str]:
    """What a role says; each permission it grants in a line."""
    say = who.say
    said = {say("Name"): form.get("name"), say("What it is for"): form.get("description")}
    said[say("Reach")] = form.get("reach")
    return {**said, **dict.fromkeys(form.many.get("permissions", []), "true")}


def _spelled_out(granted: Sequence[str], catalogue: Mapping[str, Sequence[Answer]]) -> list[str]:
    """Permission by permission what wildcards stand for."""
    return [one["key"] for some in catalogue.values() for one in some if grants(granted, one["key"])]
