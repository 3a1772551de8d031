"""`/console/organizations`: every organisation of the platform, a new one, and each with its plan and its state."""

from fastapi import Request, Response

from cloud_api.console import clashes, files, forms
from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.choices import zones
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/organizations")
ORGANIZATIONS = "/console/organizations"
PLANS = ("basic", "pro", "enterprise")
_STEPS = {"welcome": "Its facts", "setup": "Warehouse and people", "import": "Its data"}
_FILTERS = ("search", "plan", "is_active")
_FACTS = {
    "name": "Name",
    "plan": "Subscription",
    "timezone": "Time zone",
    "email": "E-mail address",
    "phone": "Phone",
    "address": "Postal address",
}
_HEAD = (
    "Name",
    "Short name",
    "Subscription",
    "Status",
    "Currency",
    "Time zone",
    "E-mail address",
    "Here since",
    "Closed on",
)


@router.get("")
async def list_organizations(request: Request, desk: AtDesk, who: Looking) -> Response:
    """All of them, the newest first."""
    who.need("platform:manage")
    found = await table(request, desk, "/organizations", filters=_FILTERS)
    return show(request, "organizations/list.html", table=found, plans=PLANS)


@router.get("/export")
async def export_organizations(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What the filters leave, as a file."""
    who.need("platform:manage")
    rows = [
        (
            each["name"],
            each["slug"],
            who.writing.word(each["plan"]),
            who.writing.word("open" if each["is_active"] else "closed"),
            each["currency"],
            each["timezone"],
            each["email"],
            who.writing.moment(each["created_at"]),
            who.writing.moment(each["deactivated_at"]),
        )
        for each in await desk.every("/organizations", most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    ]
    return files.table_file(request, "organizations", [who.say(name) for name in _HEAD], rows)


@router.get("/new")
async def show_new(request: Request, who: Looking) -> Response:
    """The form of a new one."""
    who.need("platform:manage")
    return _new(request, Form.of(plan=PLANS[0], timezone="Asia/Kolkata", currency="INR"))


@router.post("/new")
async def found(request: Request, desk: AtDesk, who: Looking) -> Response:
    """An organisation with its roles; its administrator is invited, or changes the password that was given."""
    form = await forms.read(request)
    body = form.body()
    if form.get("admin.password"):  # as it was typed, with its spaces
        body["admin"]["password"] = form.values["admin.password"]
    try:
        made = await desk.do("POST", "/organizations", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return _new(request, form, status=refused.status)
    here = f"{ORGANIZATIONS}/{made['id']}"
    if form.get("admin.password"):
        return go(request, here, said="Founded. Its administrator changes the password when they first sign in.")
    return go(request, here, said="Founded. The invitation is on its way.")


@router.get("/{id}")
async def show_organization(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """One: its facts, and how far its first steps are."""
    who.need("platform:manage")
    return await _page(request, desk, who, id)


@router.post("/{id}")
async def change(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Other facts, or another plan."""
    form = await forms.read(request)
    body = {name: form.get(name) for name in _FACTS} | clashes.version_of(form)
    try:
        await desk.do("PUT", f"/organizations/{id}", body)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, who, id, form=form, refused=refused)
    return go(request, f"{ORGANIZATIONS}/{id}", said="Saved.")


@router.post("/{id}/close")
async def close(request: Request, desk: AtDesk, who: Looking, id: str) -> Response:
    """Nobody of it comes in any more. Its short name is typed: of two in a list the wrong one is soon chosen."""
    form = await forms.read(request)
    organization = await desk.get(f"/organizations/{id}")
    if form.get("slug") != organization["slug"]:
        form.errors["slug"] = who.say("Type {name}, its short name, to close it.", name=organization["slug"])
        return await _page(request, desk, who, id, closing=form)
    try:
        await desk.do("DELETE", f"/organizations/{id}")
    except Refused as refused:
        form.errors["slug"] = refused.message
        return await _page(request, desk, who, id, closing=form)
    return go(request, f"{ORGANIZATIONS}/{id}", said="It is closed. Its data stay.")


@router.post("/{id}/open")
async def open_again(request: Request, desk: AtDesk, id: str) -> Response:
    """Its people and machines come in again."""
    await desk.do("PUT", f"/organizations/{id}", {"is_active": True})
    return go(request, f"{ORGANIZATIONS}/{id}", said="It is open again.")


def _new(request: Request, form: Form, *, status: int = 200) -> Response:
    return show(request, "organizations/new.html", status=status, form=form, plans=PLANS, zones=zones())


async def _page(
    request: Request,
    desk: Desk,
    who: Visitor,
    id: str,
    *,
    form: Form | None = None,
    refused: Refused | None = None,
    closing: Form | None = None,
) -> Response:
    organization, begun = await together(desk.get(f"/organizations/{id}"), desk.get(f"/organizations/{id}/onboarding"))
    now = Form.of({name: organization[name] for name in _FACTS}, version=organization["version"])
    if form is not None and refused is not None:
        clashes.meet(form, refused, now, clashes.said(who, _FACTS), plan=who.writing.word)
    return show(
        request,
        "organizations/organization.html",
        status=422 if closing is not None else 200 if refused is None else refused.status,
        organization=organization,
        steps=[(_STEPS[step["step"]], step["completed_at"]) for step in begun["steps"]],
        form=form or now,
        closing=closing or Form(),
        plans=PLANS,
        zones=zones(),
    )
