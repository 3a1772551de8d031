"""`/console/picking`: pick lists, and the walk."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.orders import known
from cloud_api.console.pages import Visitor, go, show, toast
from cloud_api.console.picking.taking import Row, pick_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/picking")
_FILTERS = ("status", "warehouse_id", "delivery_date")
_STATUSES = ("open", "picking", "done", "cancelled")
_WAITING = 200
#: what is said when it is done, and what the console calls it
_VERBS = {
    "start": "The walk has begun.",
    "complete": "The list is done.",
    "cancel": "The list is given up. Its orders may stand on another one.",
}


@router.get("")
async def show_lists(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The newest list first."""
    lists = await table(request, desk, "/orders/picklists", filters=_FILTERS)
    sites = await known.warehouses(desk, looking)
    return show(
        request,
        "picking/lists.html",
        table=lists,
        sites=[(one["id"], one["name"]) for one in sites],
        site_names=known.names(sites),
        statuses=[(status, looking.writing.word(status)) for status in _STATUSES],
    )


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Which orders are to be picked together."""
    known.need(looking, "orders:fulfill")
    form = Form.of(delivery_date=known.today(looking, 1))
    return await _show_new(request, desk, looking, form)


@router.post("/new")
async def create(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Put them on one list: those that are ticked, or all of a day."""
    form = await forms.read(request)
    body = form.body("warehouse_id", "note", reversed=form.ticked("reversed"))
    chosen = form.many.get("order_ids", [])
    body |= {"order_ids": chosen} if chosen else form.body("delivery_date")
    try:
        made = await desk.do("POST", "/orders/picklists", body, key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _show_new(request, desk, looking, form, status=refused.status)
    return go(request, f"/console/picking/{made['id']}", said="The list is made.")


@router.get("/{list_id}")
async def show_list(request: Request, desk: AtDesk, looking: Looking, list_id: str) -> Response:
    """One list: its orders, and what lies where in walking order."""
    return show(request, "picking/list.html", **await _told(desk, looking, list_id))


@router.get("/{list_id}/part")
async def show_walk(request: Request, desk: AtDesk, looking: Looking, list_id: str) -> Response:
    """What of the list changes by itself."""
    return show(request, "picking/walk.html", **await _told(desk, looking, list_id))


@router.post("/{list_id}/take")
async def take(request: Request, desk: AtDesk, looking: Looking, list_id: str) -> Response:
    """So much of a lot was taken for one of its orders."""
    row = Row.of(await forms.read(request))
    try:
        await desk.do("POST", f"/orders/{row.order_id}/pick", pick_of(row), key=row.form.key)
    except Refused as refused:
        row.refuse(refused)
        told = await _told(desk, looking, list_id)
        return show(request, "picking/walk.html", status=409, **(told | {"typed": row}))
    answer = show(request, "picking/walk.html", **await _told(desk, looking, list_id))
    return toast(answer, looking.say("Taken."))


@router.post("/{list_id}/{verb}")
async def follow(request: Request, desk: AtDesk, list_id: str, verb: str) -> Response:
    """Begin the walk, end it, or give it up."""
    if verb not in _VERBS:
        raise Refused(404, "NOT_FOUND", "there is no such thing to do with a list")
    form = await forms.read(request)
    await desk.do("POST", f"/orders/picklists/{list_id}/{verb}", key=form.key)
    return go(request, f"/console/picking/{list_id}", said=_VERBS[verb])


async def _show_new(request: Request, desk: Desk, looking: Visitor, form: Form, *, status: int = 200) -> Response:
    sites, waiting = await known.gathered(
        known.warehouses(desk, looking), desk.get("/orders", status="confirmed", limit=_WAITING)
    )
    if len(sites or []) == 1:
        form.values.setdefault("warehouse_id", sites[0]["id"])
    by_name = known.names(sites or [])
    chosen = set(form.many.get("order_ids", []))
    told = {"sites": list(by_name.items()), "site_names": by_name, "waiting": waiting or [], "chosen": chosen}
    return show(request, "picking/new.html", status=status, form=form, **told)


async def _told(desk: Desk, looking: Visitor, list_id: str) -> dict[str, Any]:
    """A list, and how far it is."""
    found = await desk.get(f"/orders/picklists/{list_id}")
    lines: list[Answer] = [line for zone in found["zones"] for line in zone["lines"]]
    taken = sum(1 for line in lines if line["is_picked"])
    return {
        "found": found,
        "typed": Row(),
        "taken": taken,
        "left": len(lines) - taken,
        "share": round(100 * taken / len(lines)) if lines else 100,
        "day": found["delivery_date"] or known.today(looking).isoformat(),
    }
