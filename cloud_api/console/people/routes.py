"""`/console/people`: the list, inviting, adding; `/console/people/{id}` stands in `person.py`."""

from fastapi import APIRouter, Request, Response

from cloud_api.console import files, forms
from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.pages import go, show
from cloud_api.console.people import person, roles
from cloud_api.console.people.choices import roles_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

people = console_router()
PEOPLE = "/console/people"
_FILTERS = ("search", "role", "status")
_ACCOUNT = ("full_name", "username", "email", "phone", "locale", "password")


@people.get("/people")
async def list_people(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Everybody of the organisation."""
    found, choices = await together(table(request, desk, "/admin/users", filters=_FILTERS), roles_of(desk, who))
    return show(request, "people/people.html", table=found, roles=choices)


@people.get("/people/export")
async def export_people(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What the filters leave, as a file."""
    found = await desk.every("/admin/users", most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    head = ("Name", "User name", "Address", "Phone", "Roles", "Status", "Second factor", "Last signed in", "Here since")
    rows = [
        (
            person["full_name"],
            person["username"],
            person["email"],
            person["phone"],
            ", ".join(who.writing.word(role["name"]) for role in person["roles"]),
            who.writing.word(person["status"]),
            who.say("on") if person["two_factor"] else who.say("off"),
            who.writing.moment(person["last_signed_in_at"]),
            who.writing.moment(person["created_at"]),
        )
        for person in found
    ]
    return files.table_file(request, "people", [who.say(name) for name in head], rows)


@people.get("/people/invitations")
async def list_invitations(request: Request, desk: AtDesk) -> Response:
    """Invitations that can still be accepted."""
    return show(request, "people/invitations.html", table=await table(request, desk, "/invites"))


@people.post("/people/invitations/{id}/revoke")
async def revoke_invitation(request: Request, desk: AtDesk, id: str) -> Response:
    """Let the mailed link work no more."""
    await desk.do("DELETE", f"/invites/{id}")
    return go(request, f"{PEOPLE}/invitations", said="The invitation is taken back.")


@people.get("/people/invite")
async def show_invite(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form to invite somebody."""
    return show(request, "people/invite.html", roles=await roles_of(desk, who))


@people.post("/people/invite")
async def invite(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Mail somebody a way to make an account."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/invites", form.body("email", roles=form.many.get("roles", [])), key=form.key)
    except Refused as refused:
        return await _again(request, desk, who, form, refused, "people/invite.html")
    return go(request, f"{PEOPLE}/invitations", said="The invitation is on its way.")


@people.get("/people/new")
async def show_new_person(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The form to add somebody who has no mail at hand."""
    form = forms.Form.of(locale=who.language)
    return show(request, "people/new.html", roles=await roles_of(desk, who), form=form)


@people.post("/people/new")
async def add_person(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Add somebody; they change the password when they first sign in."""
    form = await forms.read(request)
    body = form.body(*_ACCOUNT, roles=form.many.get("roles", []))
    body["password"] = form.values.get("password", "")
    try:
        made = await desk.do("POST", "/admin/users", body, key=form.key)
    except Refused as refused:
        return await _again(request, desk, who, form, refused, "people/new.html")
    return go(request, f"{PEOPLE}/{made['id']}", said="Added. They choose their own password when they first sign in.")


async def _again(
    request: Request, desk: Desk, who: Looking, form: forms.Form, refused: Refused, template: str
) -> Response:
    form.refuse(refused)
    return show(request, template, status=refused.status, roles=await roles_of(desk, who), form=form)


router = APIRouter()
for part in (people, person.router, roles.router):
    router.include_router(part)
