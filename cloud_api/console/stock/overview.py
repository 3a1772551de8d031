"""`/console/stock`: levels by place and by product, their figures, their file, and what one may have meant."""

import csv
import io
from collections import defaultdict
from decimal import Decimal
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import attachment, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import LEVELS, NARROWED, find_levels, shown
from cloud_api.console.stock.names import names_of, warehouses_of
from cloud_api.console.tables import asked_for, table

router = console_router("/stock")

_STATES = ("available", "on_hold")
_COUNTED = 200
#: rows of a file
_MOST = 10_000
_SOON_DAYS = 7
#: what a spreadsheet would take for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("")
async def show_stock(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What lies where."""
    found, warehouses = await together(find_levels(request, desk, visitor), warehouses_of(desk))
    return show(
        request, "stock/stock.html", table=found.table, names=found.names, cut=found.cut, warehouses=warehouses,
        states=[(one, visitor.writing.word(one)) for one in _STATES], live=_live(found.table.query),
    )  # fmt: skip


@router.get("/part")
async def show_levels(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The table of that page, as it is now."""
    found = await find_levels(request, desk, visitor)
    return show(request, "stock/levels.html", table=found.table, names=found.names, cut=found.cut)


@router.get("/figures")
async def show_figures(request: Request, desk: AtDesk) -> Response:
    """How much there is of all that, and what it is worth."""
    warehouse_id = request.query_params.get("warehouse_id", "")
    products, expiring, held, worth = await together(
        desk.page(f"{LEVELS}/summary", limit=_COUNTED, warehouse_id=warehouse_id),
        desk.page("/warehouse/batches/expiring", limit=_COUNTED, days=_SOON_DAYS, warehouse_id=warehouse_id),
        desk.page(LEVELS, limit=_COUNTED, status="on_hold", warehouse_id=warehouse_id),
        desk.get("/warehouse/stock/valuation", warehouse_id=warehouse_id),
    )
    counts = [f"{len(part.items)}{'+' if part.next_cursor else ''}" for part in (products, expiring, held)]
    return show(
        request, "stock/figures.html", counts=counts, worth=worth, minor=minor(worth["value"]), soon=_SOON_DAYS,
        warehouse_id=warehouse_id,
    )  # fmt: skip


@router.get("/by-product")
async def show_by_product(request: Request, desk: AtDesk) -> Response:
    """What there is of each product, and what it is worth."""
    method = "average" if request.query_params.get("method") == "average" else "fifo"
    warehouse_id = request.query_params.get("warehouse_id", "")
    listed, worth, warehouses = await together(
        table(request, desk, f"{LEVELS}/summary", filters=("warehouse_id",)),
        desk.get("/warehouse/stock/valuation", method=method, warehouse_id=warehouse_id),
        warehouses_of(desk),
    )
    value = defaultdict[str, int](int)
    for one in worth["products"]:
        value[one["product_id"]] += minor(one["value"])
    names = await names_of(desk, products=[row["product_id"] for row in listed.rows])
    kept = {**listed.query, **({"method": method} if method != "fifo" else {})}
    listed = type(listed)(listed.path, kept, listed.rows, listed.next_cursor)
    return show(
        request, "stock/by_product.html", table=listed, value=value, total=minor(worth["value"]), names=names,
        warehouses=warehouses, on=worth["on"],
    )  # fmt: skip


@router.get("/levels.csv")
async def export_levels(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All levels that the filters leave, as a file."""
    if request.query_params.get("q"):
        found = await find_levels(request, desk, visitor)
        rows, names = found.table.rows, found.names
    else:
        levels = await desk.every(LEVELS, most=_MOST, **asked_for(request, NARROWED))
        names = await names_of(
            desk, products={row["product_id"] for row in levels}, lots={row["lot_id"] for row in levels}
        )
        rows = shown(levels, names, visitor)
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(
        ["product", "sku", "lot", "place", "warehouse", "on_hand", "reserved", "available", "unit", "keeps_until",
         "status", "reasons"]
    )  # fmt: skip
    for row in rows:
        writer.writerow([safe(cell) for cell in _cells(row, names)])
    return attachment(told.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", "stock.csv")


@router.get("/suggest")
async def suggest(request: Request, desk: AtDesk) -> Response:
    """Products and lots that begin as what is being typed; choosing one shows where it lies."""
    word = request.query_params.get("q", "")
    products, lots = await together(_hits(desk, word, "product"), _hits(desk, word, "lot"))
    found = [
        *({**hit, "href": f"/console/stock?product_id={hit['id']}"} for hit in products),
        *({**hit, "href": f"/console/stock?lot_id={hit['id']}"} for hit in lots),
    ]
    return JSONResponse([{"text": one["title"], "note": one["code"], "href": one["href"]} for one in found])


def minor(amount: str) -> int:
    """An amount of the currency's own unit in its smallest."""
    return int((Decimal(amount) * 100).to_integral_value())


def safe(cell: object) -> str:
    """A cell that a spreadsheet takes for text."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(row: dict[str, Any], names: Any) -> list[object]:
    product = names.products.get(row["product_id"]) or {}
    return [
        names.product(row["product_id"]),
        product.get("sku"),
        names.lot(row["lot_id"]),
        names.place(row["location_id"]),
        names.around(row["location_id"]),
        row["on_hand"],
        row["reserved"],
        row["available"],
        product.get("unit"),
        row["until"],
        row["status"],
        "; ".join(row["reasons"]),
    ]


async def _hits(desk: Desk, word: str, kind: str) -> list[Answer]:
    try:
        return list((await desk.get("/search", q=word, kind=kind, limit=5))["hits"])
    except Refused:
        return []


def _live(query: Any) -> str:
    """Where changes are told: of one place all of them, else what is booked."""
    place = query.get("location_id")
    return f"/ws/inventory/stock?location_id={place}" if place else "/ws/inventory/stock"
