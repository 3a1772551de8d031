"""`/console`: how things stand, as far as the person may see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.home import activity, figures
from cloud_api.console.pages import Visitor, show
from cloud_api.console.panels import Chart, line
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router()

_SHOWN = 6
_EXPIRES_DAYS = 5
#: more than that is not counted where only a list can tell
_MOST = 200
#: who may see any of these works at a desk; a driver, who may see none, has a place of their own
_AT_A_DESK = ("operations:read", "dispatch:read", "orders:read", "stock:read", "users:read")
_FIGURES = ("operations:read", "analytics:warehouse")
_DRIVER = "/console/driver"


@dataclass(frozen=True)
class Goods:
    """What lies in the stores, must leave them soon, and is to be bought; None: not for the visitor."""

    statuses: Sequence[Answer] = ()
    chart: Chart | None = None
    lots: Sequence[Answer] | None = None
    lots_in_all: str = ""
    low: Sequence[Answer] | None = None
    low_in_all: str = ""


@router.get("")
async def show_home(request: Request, visitor: Looking) -> Response:
    """The overview; its parts are read as soon as it is there. Drivers are led to their route."""
    if visitor.may("deliveries:update_status") and not visitor.may(*_AT_A_DESK):
        return RedirectResponse(_DRIVER, 303)
    return show(request, "home/home.html")


@router.get("/home/cards")
async def show_cards(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The cards of the warehouse's dashboard."""
    said = await desk.get("/warehouse/operations/overview", days=_EXPIRES_DAYS) if visitor.may(*_FIGURES) else None
    return show(request, "home/cards.html", cards=figures.dashboard(said, visitor) if said else ())


@router.get("/home/now")
async def show_now(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What stands open at this moment, and what somebody should look at."""
    said, alerts = await together(
        _if(visitor.may(*_FIGURES), desk, "/warehouse/operations/metrics"),
        _if(visitor.may("alerts:read"), desk, "/alerts", status="open", limit=_SHOWN),
    )
    cards = figures.at_this_moment(said, visitor) if said else ()
    return show(request, "home/now.html", cards=cards, alerts=alerts or ())


@router.get("/home/goods")
async def show_goods(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """How the stock stands, what must leave it soon, and what there is too little of."""
    told = await (_figured(desk, visitor) if visitor.may("analytics:warehouse") else _listed(desk, visitor))
    return show(request, "home/goods.html", goods=told, days=_EXPIRES_DAYS)


@router.get("/home/deliveries")
async def show_deliveries(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """How well the last thirty days' deliveries went."""
    may = visitor.may("analytics:logistics", "analytics:warehouse")
    said = await _if(may, desk, "/warehouse/analytics/logistics")
    days = said["by_day"] if said else []
    shares = [None if one["on_time_share"] is None else round(one["on_time_share"] * 100, 1) for one in days]
    x = [date.fromisoformat(one["day"]).strftime("%d %b") for one in days]
    chart = line("bar", x, "%", (visitor.say("On time"), shares, "green"))
    return show(request, "home/deliveries.html", said=said, chart=chart)


@router.get("/home/activity")
async def show_activity(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What was done last: out of the trail for those who may read it, else what was booked."""
    rows, address = None, ""
    if visitor.may("audit:read"):
        rows, address = await activity.from_the_trail(desk, visitor), activity.TRAIL
    elif visitor.may("stock:read"):
        rows, address = await activity.from_the_ledger(desk, visitor), activity.MOVEMENTS
    return show(request, "home/activity.html", rows=rows, address=address)


async def _figured(desk: Desk, visitor: Visitor) -> Goods:
    said = await desk.get("/warehouse/analytics/inventory", days=_EXPIRES_DAYS)
    soon, there = said["expiring"], [one for one in said["by_status"] if float(one["quantity"])]
    words = [visitor.writing.word(one["status"]) for one in there]
    chart = line("pie", words, "", (visitor.say("Quantity"), [float(one["quantity"]) for one in there], "primary"))
    return Goods(
        statuses=said["by_status"],
        chart=chart if there else None,
        lots=[_lot(one, one["lot_id"], one["quantity"]) for one in soon["first"][:_SHOWN]],
        lots_in_all=str(soon["lots"]),
        low=said["low"][:_SHOWN],
        low_in_all=str(said["low_stock"]),
    )


async def _listed(desk: Desk, visitor: Visitor) -> Goods:
    lots, low = await together(
        _if(visitor.may("stock:read"), desk, "/warehouse/batches/expiring", days=_EXPIRES_DAYS, limit=_MOST),
        _if(visitor.may("products:read"), desk, "/warehouse/products/low-stock", limit=_MOST),
    )
    return Goods(
        lots=None if lots is None else [_lot(one, one["id"], one["on_hand"]) for one in lots[:_SHOWN]],
        lots_in_all=_counted(lots),
        low=None if low is None else low[:_SHOWN],
        low_in_all=_counted(low),
    )


def _lot(row: Answer, id: str, quantity: str) -> Answer:
    return {"id": id, "number": row["lot_number"], "days_left": row["days_left"], "quantity": quantity}


def _counted(rows: Sequence[Answer] | None) -> str:
    count = len(rows or ())
    return f"{count}+" if count == _MOST else str(count)


async def _if(may: bool, desk: Desk, path: str, **query: Any) -> Answer | None:
    """The answer, or None when it is not for them: what they may not see is not spoken of."""
    return await desk.get(path, **query) if may else None
