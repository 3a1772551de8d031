"""`/console`: how things stand, as far as the person may see them."""

from collections.abc import Coroutine, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.kernel import clock

router = console_router()

T = TypeVar("T")

#: a count stops here: whoever has more has too many to count at a glance
_MOST = 200
_SHOWN = 6
_WEEKS = 12
_EXPIRES_DAYS = 5


class Count(NamedTuple):
    """How many there are, and whether there are more."""

    items: Sequence[Answer]
    more: bool

    def __str__(self) -> str:
        return f"{len(self.items)}+" if self.more else str(len(self.items))


@router.get("")
async def show_home(request: Request) -> Response:
    """The overview; its parts are read as soon as it is there."""
    return show(request, "home/home.html")


@router.get("/home/now")
async def show_now(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What stands open at this moment."""
    alerts, gateways, active, vans, waiting = await together(
        _counted(desk, visitor, "alerts:read", "/alerts", status="open"),
        _counted(desk, visitor, "devices:read", "/edge/gateways"),
        _counted(desk, visitor, "deliveries:read", "/warehouse/deliveries/active"),
        _counted(desk, visitor, "fleet:read", "/warehouse/fleet/vehicles"),
        _counted(desk, visitor, "orders:read", "/orders", status="confirmed"),
    )
    return show(
        request,
        "home/now.html",
        alerts=alerts,
        gateways=gateways,
        active=active,
        vans=vans,
        waiting=waiting,
        shown=_SHOWN,
    )


@router.get("/home/goods")
async def show_goods(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What lies in the stores, what must leave them soon, and what there is too little of."""
    value, expiring, low = await together(
        _allowed(visitor, "stock:read", desk.get("/warehouse/stock/valuation")),
        _counted(desk, visitor, "stock:read", "/warehouse/batches/expiring", days=_EXPIRES_DAYS),
        _counted(desk, visitor, "products:read", "/warehouse/products/low-stock"),
    )
    quantity = None if value is None else sum((Decimal(one["quantity"]) for one in value["products"]), Decimal())
    return show(
        request,
        "home/goods.html",
        value=value,
        quantity=quantity,
        expiring=expiring,
        low=low,
        days=_EXPIRES_DAYS,
        shown=_SHOWN,
    )


@router.get("/home/deliveries")
async def show_deliveries(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """How well the last weeks' deliveries went."""
    weeks = await _allowed(visitor, "analytics:logistics", _weeks(desk))
    return show(request, "home/deliveries.html", weeks=weeks or [])


@router.get("/home/deliveries.json")
async def chart_deliveries(desk: AtDesk, visitor: Looking) -> Response:
    """Punctuality by week."""
    weeks = await _weeks(desk)
    said = {
        "kind": "bar",
        "unit": "%",
        "x": [week["week"] for week in weeks],
        "series": [{"name": visitor.say("On time"), "data": [_percent(week["on_time_share"]) for week in weeks]}],
    }
    return JSONResponse(said)


async def _weeks(desk: Desk) -> list[Answer]:
    since = (clock.now() - timedelta(weeks=_WEEKS)).date().isoformat()
    said: list[Answer] = await desk.get("/warehouse/routes/performance", since=since)
    return sorted(said, key=lambda week: str(week["week"]))


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 1)


async def _counted(desk: Desk, visitor: Visitor, permission: str, path: str, **query: object) -> Count | None:
    async def count() -> Count:
        part = await desk.page(path, limit=_MOST, **query)
        return Count(part.items, part.next_cursor is not None)

    return await _allowed(visitor, permission, count())


async def _allowed(visitor: Visitor, permission: str, asked: Coroutine[Any, Any, T]) -> T | None:
    """The answer, or None when it is not for them: what they may not see is not spoken of."""
    if not visitor.may(permission):
        asked.close()
        return None
    try:
        return await asked
    except Refused as refused:
        if refused.status == 403:
            return None
        raise
