"""`/console/picking`: pick lists, and the walk."""

from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show, toast
from cloud_api.console.picking.taking import WEIGHED, Row, pick_of, weights_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/picking")
_FILTERS = ("status", "warehouse_id", "delivery_date")
_STATUSES = ("open", "picking", "done", "cancelled")
_WAITING = 100
_DONE_BY = ("created_by", "started_by", "closed_by")
_HEAD = (
    *("List", "Warehouse", "Delivered on", "Status", "Created", "Begun", "Closed"),
    *("Made by", "Begun by", "Closed by", "Note"),
)
_WALK_HEAD = ("Zone", "Box", "SKU", "Product", "Place", "Lot", "Best before", "Quantity", "Unit", "Taken")
#: what is said when it is done, and what the console calls it
_VERBS = {
    "start": "The walk has begun.",
    "complete": "The list is done.",
    "cancel": "The list is given up. Its orders may stand on another one.",
}


@router.get("")
async def show_lists(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The newest list first."""
    lists, sites = await together(
        table(request, desk, "/orders/picklists", filters=_FILTERS), warehouses_of(looking, closed=True)
    )
    return show(
        request,
        "picking/lists.html",
        table=lists,
        sites=options(sites),
        site_names={one["id"]: one["name"] for one in sites},
        statuses=looking.writing.words(_STATUSES),
    )


@router.get("/export")
async def export_lists(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The lists that the filters leave, as a file."""
    rows = await desk.every("/orders/picklists", most=MOST_ROWS, **asked_for(request, _FILTERS))
    people = {row[name] for row in rows for name in _DONE_BY}
    names = await names_of(looking, warehouses={row["warehouse_id"] for row in rows}, people=people)
    moment = looking.writing.moment
    told = (
        [
            row["number"],
            names.warehouse(row["warehouse_id"]),
            row["delivery_date"],
            looking.writing.word(row["status"]),
            *(moment(row[name]) for name in ("created_at", "started_at", "closed_at")),
            *(names.person(row[name]) for name in _DONE_BY),
            row["note"],
        ]
        for row in rows
    )
    return table_file(request, "pick-lists", [looking.say(column) for column in _HEAD], told)


@router.get("/new")
async def show_new(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Which orders are to be picked together."""
    looking.need("orders:fulfill")
    form = Form.of(delivery_date=looking.today(1))
    return await _show_new(request, desk, looking, form)


@router.get("/new/waiting")
async def show_waiting(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Those of a day that could stand on the list; a part of the form."""
    looking.need("orders:fulfill")
    form = Form.of(request.query_params)
    return show(request, "picking/waiting.html", form=form, chosen=set(), **await _waiting(desk, looking, form))


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


@router.get("/{list_id}/export")
async def export_list(request: Request, desk: AtDesk, looking: Looking, list_id: str) -> Response:
    """One list in walking order, as a file."""
    found = await desk.get(f"/orders/picklists/{list_id}")
    head = [looking.say(column) for column in _WALK_HEAD]
    told = (
        [
            zone["name"],
            line["position"],
            line["sku"],
            line["product_name"],
            " › ".join(line["path"]),
            line["lot_number"],
            line["expires_on"],
            Decimal(line["quantity"]),
            line["unit"],
            line["is_picked"],
        ]
        for zone in found["zones"]
        for line in zone["lines"]
    )
    return table_file(request, found["number"], head, told)


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
    sites = await warehouses_of(looking)
    if len(sites) == 1:
        form.values.setdefault("warehouse_id", sites[0]["id"])
    chosen = set(form.many.get("order_ids", []))
    told = {"sites": options(sites), "chosen": chosen, **await _waiting(desk, looking, form)}
    return show(request, "picking/new.html", status=status, form=form, **told)


async def _waiting(desk: Desk, looking: Visitor, form: Form) -> dict[str, Any]:
    """The confirmed orders of the form's day and warehouse."""
    asked = {"delivery_date": form.get("delivery_date"), "warehouse_id": form.get("warehouse_id")}
    try:
        part = await desk.page("/orders", status="confirmed", limit=_WAITING, **asked)
    except Refused:
        return {"waiting": [], "site_names": {}}  # no such day: the form says so when it is sent
    names = await names_of(looking, warehouses={row["warehouse_id"] for row in part.items})
    return {"waiting": part.items, "site_names": {id: one["name"] for id, one in names.warehouses.items()}}


async def _told(desk: Desk, looking: Visitor, list_id: str) -> dict[str, Any]:
    """A list, and how far it is."""
    found, weights = await together(desk.get(f"/orders/picklists/{list_id}"), weights_of(looking))
    lines: list[Answer] = [line for zone in found["zones"] for line in zone["lines"]]
    taken = sum(1 for line in lines if line["is_picked"])
    return {
        "found": found,
        "typed": Row(),
        "weights": weights,
        "weighed": WEIGHED,
        "taken": taken,
        "left": len(lines) - taken,
        "share": round(100 * taken / len(lines)) if lines else 100,
        "day": found["delivery_date"] or looking.today().isoformat(),
    }
