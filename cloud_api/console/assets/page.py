"""`/console/assets/{id}`: one asset, who has it, what was done with it, and its label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from cloud_api.console.asking import Answer, gathered, nothing, together
from cloud_api.console.assets import things
from cloud_api.console.assets.editing import CATEGORIES
from cloud_api.console.assets.things import ITEMS
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/assets")

_SHOWN = 10
#: what was done -> how it is told
_DONE: Mapping[str, str] = {
    "create": "Registered",
    "update": "Changed",
    "transfer": "Put elsewhere",
    "request": "Asked for",
    "checkout": "Lent",
    "reject": "Declined",
    "checkin": "Brought back",
    "repair": "Into repair",
    "mend": "Mended",
    "lose": "Lost",
    "find": "Found again",
    "archive": "Out of service",
    "remind": "Reminded: overdue",
}
#: fields that an edit changes, as the form calls them
_FIELDS: Mapping[str, str] = {
    "name": "Name",
    "description": "Description",
    "category_id": "Category",
    "serial_number": "Serial number",
    "barcode": "Bar code",
    "restricted": "Lent only when agreed",
    "attributes": "More about it",
}


@dataclass(frozen=True)
class Deed:
    """Something that was done with an asset, as it is told."""

    what: str
    by: str
    at: str
    #: what changed by it
    how: str
    note: str


@router.get("/{id}")
async def show_asset(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """One asset, what may be done with it, and the last of what was."""
    item, lent, done = await together(
        desk.get(f"{ITEMS}/{id}"),
        desk.page(f"{ITEMS}/{id}/checkouts", limit=_SHOWN),
        desk.page(f"{ITEMS}/{id}/activity", limit=_SHOWN),
    )
    checkouts = [*lent.items, *([item["checkout"]] if item["checkout"] else [])]
    category_id = item["category_id"] if visitor.may("products:read") else None
    [category], names = await together(
        gathered(desk.get(f"{CATEGORIES}/{category_id}") if category_id else nothing()),
        _names(visitor, done.items, checkouts, item["location_id"]),
    )
    return show(
        request,
        "assets/asset.html",
        item=item,
        category=category["name"] if category else None,
        checkouts=lent.items,
        more_lent=lent.next_cursor is not None,
        deeds=_told(visitor, done.items, names, checkouts),
        more_done=done.next_cursor is not None,
        names=names,
        ways=things.ways_of(visitor, item),
        late=things.is_late(visitor, item["checkout"]),
        late_ids={one["id"] for one in lent.items if things.is_late(visitor, one)},
        decides=_decides(visitor, item["checkout"]),
        form=Form(),
    )


@router.get("/{id}/activity")
async def show_activity(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """All that was done with it, the newest first."""
    item, found = await together(desk.get(f"{ITEMS}/{id}"), table(request, desk, f"{ITEMS}/{id}/activity"))
    lent = await desk.page(f"{ITEMS}/{id}/checkouts", limit=200)
    names = await _names(visitor, found.rows, lent.items, item["location_id"])
    deeds = _told(visitor, found.rows, names, lent.items)
    return show(request, "assets/activity.html", item=item, table=found, deeds=deeds)


@router.get("/{id}/checkouts")
async def show_checkouts(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Every time that it was lent or asked for, the newest first."""
    item, found = await together(desk.get(f"{ITEMS}/{id}"), table(request, desk, f"{ITEMS}/{id}/checkouts"))
    late = {one["id"] for one in found.rows if things.is_late(visitor, one)}
    return show(request, "assets/checkouts.html", item=item, table=found, checkouts=found.rows, late_ids=late)


@router.get("/{id}/label")
async def get_label(request: Request, desk: AtDesk, id: str) -> Response:
    """Its label, as a file for a printer or as a picture."""
    asked = request.query_params
    format = asked.get("format", "pdf")
    answer = await desk.raw(f"{ITEMS}/{id}/label", format=format, copies=asked.get("copies", ""))
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="label.{format}"'}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)


def _decides(visitor: Visitor, checkout: Answer | None) -> bool:
    """Whether it is theirs to decide: never by who asked for it, or gets it."""
    if checkout is None or checkout["status"] != "pending_approval" or visitor.me is None:
        return False
    theirs = visitor.me["id"] in (checkout["requested_by"], checkout["user_id"])
    return visitor.may("items:approve") and not theirs


async def _names(visitor: Visitor, done: Sequence[Answer], checkouts: Sequence[Answer], place: str | None) -> Names:
    moved = [one["changes"].get(end) for one in done if one["action"] == "transfer" for end in ("from", "to")]
    asked = [one[name] for one in checkouts for name in ("requested_by", "decided_by")]
    return await names_of(visitor, places=[place, *moved], people=[*(one["actor_id"] for one in done), *asked])


def _told(visitor: Visitor, done: Sequence[Answer], names: Names, checkouts: Sequence[Answer]) -> list[Deed]:
    by_id = {one["id"]: one for one in checkouts}
    return [
        Deed(
            what=visitor.say(_DONE.get(one["action"], one["action"])),
            by=names.person(one["actor_id"]) if one["actor_id"] else visitor.say("the platform"),
            at=one["occurred_at"],
            how=_how(visitor, one, names, by_id),
            note=one["note"],
        )
        for one in done
    ]


def _how(visitor: Visitor, one: Answer, names: Names, checkouts: Mapping[str, Answer]) -> str:
    """What changed, in words."""
    changes = one["changes"]
    if one["action"] == "transfer":
        return f"{names.place(changes.get('from'))} → {names.place(changes.get('to'))}"
    if one["action"] == "update":
        named = [visitor.say(_FIELDS.get(field, field)) for field in changes]
        return ", ".join(named)
    if one["action"] in ("checkout", "request", "reject", "remind"):
        checkout = checkouts.get(changes.get("checkout_id", ""))
        said = [checkout["holder"]] if checkout else []
        due = changes.get("due_at")
        return " · ".join([*said, *([visitor.say("until {when}", when=visitor.writing.when(due))] if due else [])])
    return ""
