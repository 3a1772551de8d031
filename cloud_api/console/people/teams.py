"""`/console/teams`: people who work together, and who leads them."""

from collections.abc import Mapping

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/teams")
TEAMS = "/console/teams"


@router.get("")
async def list_teams(request: Request, desk: AtDesk) -> Response:
    """Every team, and the form of a new one."""
    return show(request, "people/teams.html", table=await table(request, desk, "/teams"))


@router.post("")
async def create_team(request: Request, desk: AtDesk) -> Response:
    """A team, empty yet."""
    form = await forms.read(request)
    try:
        made = await desk.do("POST", "/teams", form.body("name", "description"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        found = await table(request, desk, "/teams")
        return show(request, "people/teams.html", status=refused.status, table=found, form=form)
    return go(request, f"{TEAMS}/{made['id']}", said="The team is made: say who is in it.")


@router.get("/{id}")
async def show_team(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """One team: who is in it, and who leads it."""
    return await _page(request, desk, who, id)


@router.post("/{id}")
async def change_team(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Another name, or description."""
    form = await forms.read(request)
    body = {"name": form.get("name"), "description": form.get("description"), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"/teams/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, who, id, form=form, refused=refused)
    return go(request, f"{TEAMS}/{id}", said="Saved.")


@router.post("/{id}/members")
async def set_members(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Who is in it from now on, and who leads it."""
    form = await forms.read(request)
    leads = set(form.many.get("leads", []))
    members = dict.fromkeys([*form.many.get("user_ids", []), *leads])
    body = {"members": [{"user_id": one, "is_lead": one in leads} for one in members], **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"/teams/{id}/members", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, who, id, belonging=form, refused=refused)
    return go(request, f"{TEAMS}/{id}", said="Saved.")


@router.post("/{id}/dissolve")
async def dissolve(request: Request, desk: AtDesk, id: str) -> Response:
    """The team is no more; its people stay."""
    await desk.do("DELETE", f"/teams/{id}")
    return go(request, TEAMS, said="The team is dissolved. Its people stay.")


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    id: str,
    *,
    refused: Refused | None = None,
    form: forms.Form | None = None,
    belonging: forms.Form | None = None,
) -> Response:
    team, people = await together(desk.get(f"/teams/{id}"), desk.every("/admin/users", status="active"))
    inside = {member["user_id"]: member for member in team["members"]}
    listed: list[Answer] = [
        *({"id": id, **member} for id, member in inside.items()),
        *(person for person in people if person["id"] not in inside),
    ]
    details, members = forms.Form.of(team), _members(team)
    if refused is not None and form is not None:
        clashes.meet(form, refused, details, {"name": who.say("Name"), "description": who.say("What it does")})
    if refused is not None and belonging is not None:
        names = {one["id"]: str(one["full_name"]) for one in listed}
        clashes.meet(belonging, refused, members, lambda chosen: _told(chosen, names, who))
    return show(
        request,
        "people/team.html",
        status=200 if refused is None else refused.status,
        team=team,
        people=sorted(listed, key=lambda one: (one["id"] not in inside, str(one["full_name"]).casefold())),
        form=form or details,
        belonging=belonging or members,
    )


def _members(team: Answer) -> forms.Form:
    """Who is in it, as the form has it."""
    form = forms.Form.of(version=team["version"])
    form.many["user_ids"] = [member["user_id"] for member in team["members"]]
    form.many["leads"] = [member["user_id"] for member in team["members"] if member["is_lead"]]
    return form


def _told(form: forms.Form, names: Mapping[str, str], who: Visitor) -> Mapping[str, str]:
    """Somebody in a line: whether they are in it, or lead it."""
    inside = dict.fromkeys(form.many.get("user_ids", []), who.say("In the team"))
    inside |= dict.fromkeys(form.many.get("leads", []), who.say("Leads it"))
    return {names.get(id, id): said for id, said in inside.items()}
