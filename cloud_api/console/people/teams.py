"""`/console/teams`: people who work together, and who leads them."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, console_router
from cloud_api.console.tables import table

router = console_router("/teams")
TEAMS = "/console/teams"


@router.get("")
async def list_teams(request: Request, desk: AtDesk) -> Response:
    """Every team."""
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
async def show_team(request: Request, desk: AtDesk, id: str) -> Response:
    """One team."""
    return await _page(request, desk, id)


@router.post("/{id}")
async def change_team(request: Request, desk: AtDesk, id: str) -> Response:
    """Another name, or description."""
    form = await forms.read(request)
    body = {"name": form.get("name"), "description": form.get("description")}
    try:
        await desk.do("PUT", f"/teams/{id}", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, id, form=form, status=refused.status)
    return go(request, f"{TEAMS}/{id}", said="Saved.")


@router.post("/{id}/members")
async def set_members(request: Request, desk: AtDesk, id: str) -> Response:
    """Who is in it from now on, and who leads it."""
    form = await forms.read(request)
    leads = set(form.many.get("leads", []))
    members = dict.fromkeys([*form.many.get("user_ids", []), *leads])
    body = {"members": [{"user_id": one, "is_lead": one in leads} for one in members]}
    await desk.do("PUT", f"/teams/{id}/members", body, key=form.key)
    return go(request, f"{TEAMS}/{id}", said="Saved.")


@router.post("/{id}/dissolve")
async def dissolve(request: Request, desk: AtDesk, id: str) -> Response:
    """The team is no more; its people stay."""
    await desk.do("DELETE", f"/teams/{id}")
    return go(request, TEAMS, said="The team is dissolved. Its people stay.")


async def _page(
    request: Request, desk: Desk, id: str, *, form: forms.Form | None = None, status: int = 200
) -> Response:
    team, people = await together(desk.get(f"/teams/{id}"), desk.every("/admin/users", status="active"))
    inside = {member["user_id"]: member for member in team["members"]}
    listed: list[Answer] = [
        *({"id": id, **member} for id, member in inside.items()),
        *(person for person in people if person["id"] not in inside),
    ]
    return show(
        request,
        "people/team.html",
        status=status,
        team=team,
        people=sorted(listed, key=lambda one: (one["id"] not in inside, str(one["full_name"]).casefold())),
        inside=inside,
        form=form or forms.Form.of(team),
    )
