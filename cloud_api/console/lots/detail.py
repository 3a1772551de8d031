"""`/console/lots/{id}`: one lot, where it lies, what it has been through, and its way."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Listing, Refused, together
from cloud_api.console.lots.exposure import chart, extremes, measured
from cloud_api.console.lots.listing import LOTS, RECALLS
from cloud_api.console.lots.tracing import HEIGHT, WIDTH, Told, picture, shipments
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import LEVELS, days_left, shown
from cloud_api.console.writing import number

router = console_router("/lots")

_MOVEMENTS = 8
_NOTHING: Listing = Listing([], None)


@router.get("/{id}")
async def show_lot(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """All that is known of it."""
    lot, levels, trace, exposure, movements, holds, recalls = await together(
        desk.get(f"{LOTS}/{id}"),
        desk.page(LEVELS, lot_id=id, in_stock=True, limit=200),
        desk.get(f"{LOTS}/{id}/trace", limit=100),
        desk.get(f"{LOTS}/{id}/exposure"),
        desk.page("/warehouse/stock/movements", lot_id=id, limit=_MOVEMENTS),
        desk.page("/warehouse/stock/holds", lot_id=id, limit=20),
        _recalls(desk, visitor, id),
    )
    names, deliveries = await together(
        names_of(
            visitor,
            products={one["product_id"] for one in [lot, *trace["lots"]]},
            places=_places(levels.items, movements.items, holds.items, exposure["stretches"], trace["places"]),
        ),
        _deliveries(desk, visitor, trace["shipments"]),
    )
    told = Told(id, trace, names, deliveries, visitor.say, lambda at: visitor.writing.when(at, "%d %b"), number)
    lots = {one["id"]: one for one in trace["lots"]}
    names = replace(names, lots={**lots, id: lot})
    return show(
        request, "lots/lot.html", lot=lot, product=names.products.get(lot["product_id"]), names=names,
        levels=shown(levels.items, names, visitor),
        days=days_left(lot["expires_on"], visitor.today()), trace=trace, drawn=picture(told),
        box=(WIDTH, HEIGHT), gone=shipments(trace, deliveries), exposure=exposure, measured=measured(exposure),
        stretches=[{**one, "extremes": extremes(one)} for one in exposure["stretches"]],
        movements=movements.items, holds=[one for one in holds.items if not one["released_at"]],
        recall=next((one for one in recalls.items if one["status"] == "open"), None),
        by_people=_by_people(holds.items),
    )  # fmt: skip


@router.get("/{id}/temperature.json")
async def get_chart(desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What was measured where it lay."""
    lot, exposure = await together(desk.get(f"{LOTS}/{id}"), desk.get(f"{LOTS}/{id}/exposure"))
    try:
        product = await desk.get(f"/warehouse/products/{lot['product_id']}")
    except Refused:
        product = None
    return JSONResponse(chart(exposure, product, visitor))


def _places(*rows: Sequence[Answer]) -> set[str | None]:
    return {one["location_id"] for those in rows for one in those}


def _by_people(holds: Sequence[Answer]) -> bool:
    """Whether somebody put it on hold: that is released here, others where they came from."""
    return any(not one["released_at"] and one["source"].startswith("lot:") for one in holds)


async def _recalls(desk: Desk, visitor: Visitor, lot_id: str) -> Listing:
    return await desk.page(RECALLS, lot_id=lot_id, limit=10) if visitor.may("quality:read") else _NOTHING


async def _deliveries(desk: Desk, visitor: Visitor, gone: Sequence[Answer]) -> dict[str, Any]:
    """The deliveries that something went out with, by their numbers."""
    numbers = sorted({one["reference"] for one in gone if one["reference"]})
    if not numbers or not visitor.may("deliveries:read"):
        return {}
    found = await desk.page("/warehouse/deliveries", number=numbers, limit=len(numbers))
    return {one["number"]: one for one in found.items}
