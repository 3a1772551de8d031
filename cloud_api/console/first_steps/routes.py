"""`/console/first-steps`: the organisation's facts, its first warehouse and people, its data; kept by the API."""

from collections.abc import Mapping, Sequence

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, nothing, together
from cloud_api.console.choices import options, places_of, warehouses_of, zones
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/first-steps")
FIRST_STEPS = "/console/first-steps"
STEPS: Mapping[str, str] = {
    "welcome": "Your organisation",
    "setup": "Warehouse and people",
    "import": "Your data",
}
_FACTS: Mapping[str, str] = {
    "name": "Name of the organisation",
    "timezone": "Time zone",
    "currency": "Currency",
    "email": "E-mail address",
    "phone": "Phone",
    "address": "Postal address",
}
STORAGE: Sequence[str] = ("cold_storage", "freezer", "ambient", "dry_storage")


@router.get("")
async def show_steps(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The step that is asked for, or the first that is not done."""
    who.need("organizations:write")
    return await _page(request, desk, who, request.query_params.get("step", ""))


@router.get("/card")
async def show_card(request: Request, desk: AtDesk, who: Looking) -> Response:
    """On the overview: how far the first steps are; nothing when they are done."""
    done = await _done(desk, who)
    return show(request, "first_steps/card.html", steps=STEPS, done=done, finished=len(done) == len(STEPS))


@router.post("/welcome")
async def save_facts(request: Request, desk: AtDesk, who: Looking) -> Response:
    """What the organisation is called, and where it is."""
    form = await forms.read(request)
    body = {name: form.get(name) for name in _FACTS} | clashes.version_of(form)
    try:
        await desk.do("PUT", _own(who), body)
    except Refused as refused:
        form.refuse(refused)
        now = forms.Form.of(await desk.get(_own(who)))
        clashes.meet(form, refused, now, clashes.said(who, _FACTS))
        return await _page(request, desk, who, "welcome", form=form, status=refused.status)
    return await _next(request, desk, who, "welcome")


@router.post("/warehouse")
async def add_warehouse(request: Request, desk: AtDesk, who: Looking) -> Response:
    """The first warehouse."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/warehouse/warehouses", form.body("name", "code", "address"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, who, "setup", warehouse=form, status=refused.status)
    return go(request, f"{FIRST_STEPS}?step=setup", said="The warehouse is made: now its rooms.")


@router.post("/room")
async def add_room(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Add a room to a warehouse that was just made."""
    form = await forms.read(request)
    names = ("warehouse_id", "name", "code", "storage_type", "temperature_min_c", "temperature_max_c")
    try:
        body = form.body(*names, location_type="room")
        await desk.do("POST", "/warehouse/storage/locations", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, desk, who, "setup", room=form, status=refused.status)
    return go(request, f"{FIRST_STEPS}?step=setup", said="The room is made.")


@router.post("/people")
async def invite(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Invitations to several people of one role, an address a line."""
    form = await forms.read(request)
    left: list[str] = []
    for email in dict.fromkeys(form.get("emails").replace(",", " ").split()):
        try:
            await desk.do("POST", "/invites", {"email": email, "roles": [form.get("role")]})
        except Refused as refused:
            left.append(email)
            form.errors["emails"] = refused.fields.get("email", refused.message)
    if left or not form.get("emails"):
        form.errors.setdefault("emails", who.say("Type an address."))
        form.values["emails"] = "\n".join(left)
        return await _page(request, desk, who, "setup", people=form, status=422)
    return go(request, f"{FIRST_STEPS}?step=setup", said="The invitations are on their way.")


@router.post("/done/{step}")
async def finish(request: Request, desk: AtDesk, who: Looking, step: str) -> Response:
    """A step is done, whatever was entered in it."""
    return await _next(request, desk, who, step)


@router.post("/leave")
async def leave(request: Request, desk: AtDesk, who: Looking) -> Response:
    """Be led no more: all steps count as done."""
    done = await _done(desk, who)
    for step in STEPS:
        if step not in done:
            await desk.do("POST", f"{_own(who)}/onboarding", {"step": step, "data": {"left": True}})
    return go(request, "/console", said="You find the first steps in the settings.")


async def _next(request: Request, desk: Desk, who: Visitor, step: str) -> Response:
    await desk.do("POST", f"{_own(who)}/onboarding", {"step": step})
    if len(await _done(desk, who)) == len(STEPS):
        return go(request, "/console", said="All is set up.")
    return go(request, FIRST_STEPS)


async def _done(desk: Desk, who: Visitor) -> list[str]:
    said = await desk.get(f"{_own(who)}/onboarding")
    return [one["step"] for one in said["steps"] if one["completed_at"]]


async def _page(
    request: Request, desk: Desk, who: Visitor, step: str, *, status: int = 200, **typed: forms.Form
) -> Response:
    organization, done = await together(desk.get(_own(who)), _done(desk, who))
    step = step if step in STEPS else next((one for one in STEPS if one not in done), "welcome")
    shown = {"form": forms.Form.of(organization), **{name: forms.Form() for name in ("warehouse", "room", "people")}}
    return show(
        request,
        f"first_steps/{step}.html",
        status=status,
        step=step,
        steps=STEPS,
        done=done,
        **await _beside(desk, who, step),
        **{**shown, **typed},
    )


async def _beside(desk: Desk, who: Visitor, step: str) -> dict[str, Answer]:
    """What a step chooses from, and what is there already."""
    if step == "welcome":
        return {"zones": zones()}
    if step == "import":
        return {}
    warehouses, rooms, roles, invitations = await together(
        warehouses_of(who),
        places_of(who),
        desk.every("/admin/roles") if who.may("roles:read") else nothing(),
        desk.every("/invites") if who.may("users:read") else nothing(),
    )
    return {
        "warehouses": warehouses,
        "warehouse_choices": options(warehouses),
        "rooms": [room for room in rooms if room["warehouse_id"]],
        "roles": sorted(role["name"] for role in roles),
        "invitations": invitations,
        "storage": STORAGE,
    }


def _own(who: Visitor) -> str:
    assert who.me is not None  # noqa: S101 - the route class has seen to it
    return f"/organizations/{who.me['organization']['id']}"
