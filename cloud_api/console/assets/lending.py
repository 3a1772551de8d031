"""Assets are lent, brought back, and moved: a form each, as it fits a phone beside a scanner."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Desk, Refused, together
from cloud_api.console.assets import things
from cloud_api.console.assets.things import ASSETS, ITEMS
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/assets")

#: who takes it, and has no page: named by a word
_WORDS = ("department", "job")


@router.get("/{id}/lend")
async def show_lending(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """To whom, and until when."""
    visitor.need("items:checkout")
    tomorrow = visitor.today(ahead=1).isoformat()
    form = Form.of(due_at=f"{tomorrow}T18:00")
    return await _lending(request, desk, visitor, id, form)


@router.post("/{id}/lend")
async def lend(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Lend it; of an asset that is lent only when agreed, this asks for it."""
    form = await forms.read(request)
    kind, _, named = form.get("to").partition(":")
    body = form.body("purpose", "condition", due_at=visitor.writing.instant(form.get("due_at")))
    if kind in _WORDS:
        body |= {"assignee_type": kind, "assignee_name": form.get("assignee_name")}
        if not form.get("assignee_name"):
            form.errors["assignee_name"] = visitor.say("Say which one.")
    elif kind:
        body |= {"assignee_type": kind, "assignee_id": named}
    else:
        form.errors["to"] = visitor.say("Say who takes it.")
    if not form.get("due_at"):
        form.errors["due_at"] = visitor.say("Say until when.")
    if form.errors:
        return await _lending(request, desk, visitor, id, form, status=422)
    try:
        made = await desk.do("POST", f"{ITEMS}/{id}/checkout", body, key=form.key)
    except Refused as refused:
        form.refuse(refused, assignee_type="to", assignee_id="to")
        return await _lending(request, desk, visitor, id, form, status=refused.status)
    if made["status"] == "out":
        return go(request, f"{ASSETS}/{id}", said="It is lent.")
    return go(request, f"{ASSETS}/{id}", said="It is asked for: somebody else decides.")


@router.get("/{id}/return")
async def show_returning(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """How it came back, and where it is put."""
    visitor.need("items:checkout")
    return await _returning(request, desk, visitor, id, Form())


@router.post("/{id}/return")
async def bring_back(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Take it back; with what is broken it waits to be mended."""
    form = await forms.read(request)
    try:
        done = await desk.do(
            "POST", f"{ITEMS}/{id}/checkin", form.body("condition", "damage_notes", "location_id"), key=form.key
        )
    except Refused as refused:
        form.refuse(refused)
        return await _returning(request, desk, visitor, id, form, status=refused.status)
    if done["damage_notes"]:
        return go(request, f"{ASSETS}/{id}", said="It is back, and damaged.")
    return go(request, f"{ASSETS}/{id}", said="It is back.")


@router.get("/{id}/move")
async def show_moving(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Where to."""
    visitor.need("items:write")
    return await _moving(request, desk, visitor, id, Form())


@router.post("/{id}/move")
async def move(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Put it in another place."""
    form = await forms.read(request)
    if not form.get("location_id"):
        form.errors["location_id"] = visitor.say("Say where it is now.")
        return await _moving(request, desk, visitor, id, form, status=422)
    try:
        await desk.do("POST", f"{ITEMS}/{id}/transfer", form.body("location_id", "note"), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _moving(request, desk, visitor, id, form, status=refused.status)
    return go(request, f"{ASSETS}/{id}", said="It is moved.")


async def _lending(
    request: Request, desk: Desk, visitor: Visitor, id: str, form: Form, *, status: int = 200
) -> Response:
    item, people, teams = await together(desk.get(f"{ITEMS}/{id}"), things.people_of(visitor), things.teams_of(visitor))
    say = visitor.say
    groups = [
        (say("People"), [(f"user:{one}", name) for one, name in people]),
        (say("Teams"), [(f"team:{one}", name) for one, name in teams]),
        (say("Others"), [("department", say("A department")), ("job", say("A job"))]),
    ]
    ways = things.ways_of(visitor, item)
    return show(request, "assets/lend.html", status=status, item=item, form=form, groups=groups, ways=ways)


async def _returning(
    request: Request, desk: Desk, visitor: Visitor, id: str, form: Form, *, status: int = 200
) -> Response:
    item, groups = await together(desk.get(f"{ITEMS}/{id}"), things.place_groups(visitor))
    names = await names_of(visitor, places=[item["location_id"]])
    return show(
        request,
        "assets/return.html",
        status=status,
        item=item,
        form=form,
        groups=groups,
        names=names,
        late=things.is_late(visitor, item["checkout"]),
        ways=things.ways_of(visitor, item),
    )


async def _moving(
    request: Request, desk: Desk, visitor: Visitor, id: str, form: Form, *, status: int = 200
) -> Response:
    item, groups = await together(desk.get(f"{ITEMS}/{id}"), things.place_groups(visitor))
    names = await names_of(visitor, places=[item["location_id"]])
    ways = things.ways_of(visitor, item)
    return show(request, "assets/move.html", status=status, item=item, form=form, groups=groups, names=names, ways=ways)
