"""`/console/stock`: levels by place and by product, their figures, their files, and what one may have meant."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from cloud_api.console import files
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.names import names_of
from cloud_api.console.pages import show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import FILTERS, LEVELS, cells, find_levels, head, names_of_levels, shown
from cloud_api.console.tables import Table, asked_for, table

router = console_router("/stock")

_STATES = ("available", "on_hold")
_COUNTED = 200
_SOON_DAYS = 7
_BY_PRODUCT = ("search", "warehouse_id")


@router.get("")
async def show_stock(request: Request, visitor: Looking) -> Response:
    """What lies where."""
    found, warehouses = await together(find_levels(request, visitor), warehouses_of(visitor))
    return show(
        request, "stock/stock.html", table=found.table, names=found.names, warehouses=options(warehouses),
        states=visitor.writing.words(_STATES), heard_at=_live(found.table.query),
    )  # fmt: skip


@router.get("/part")
async def show_levels(request: Request, visitor: Looking) -> Response:
    """The table of that page, as it is now."""
    found = await find_levels(request, visitor)
    return show(request, "stock/levels.html", table=found.table, names=found.names)


@router.get("/export")
async def export_levels(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """All levels that the filters leave, as a file."""
    levels = await desk.every(LEVELS, most=files.MOST_ROWS, in_stock=True, **asked_for(request, FILTERS))
    names = await names_of_levels(visitor, levels)
    rows = (cells(row, names, visitor) for row in shown(levels, names, visitor))
    return files.table_file(request, "stock", head(visitor), rows)


@router.get("/figures")
async def show_figures(request: Request, desk: AtDesk) -> Response:
    """How much there is of all that, and what it is worth."""
    warehouse_id = request.query_params.get("warehouse_id", "")
    products, expiring, held, worth = await together(
        desk.page(f"{LEVELS}/summary", limit=_COUNTED, in_stock=True, warehouse_id=warehouse_id),
        desk.page("/warehouse/batches/expiring", limit=_COUNTED, days=_SOON_DAYS, warehouse_id=warehouse_id),
        desk.page(LEVELS, limit=_COUNTED, status="on_hold", in_stock=True, warehouse_id=warehouse_id),
        desk.get("/warehouse/stock/valuation", warehouse_id=warehouse_id),
    )
    counts = [f"{len(part.items)}{'+' if part.next_cursor else ''}" for part in (products, expiring, held)]
    return show(
        request, "stock/figures.html", counts=counts, worth=worth, minor=minor(worth["value"]), soon=_SOON_DAYS,
        warehouse_id=warehouse_id,
    )  # fmt: skip


@router.get("/by-product")
async def show_by_product(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What there is of each product, and what it is worth."""
    listed, worth, warehouses = await together(
        table(request, desk, f"{LEVELS}/summary", filters=_BY_PRODUCT, in_stock=True),
        _worth(request, desk),
        warehouses_of(visitor),
    )
    names = await names_of(visitor, products=[row["product_id"] for row in listed.rows])
    kept = {**listed.query, **({"method": "average"} if worth["method"] == "average" else {})}
    return show(
        request, "stock/by_product.html", table=Table(listed.path, kept, listed.rows, listed.next_cursor),
        value=_by_product(worth), total=minor(worth["value"]), names=names, warehouses=options(warehouses),
        on=worth["on"],
    )  # fmt: skip


@router.get("/by-product/export")
async def export_by_product(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file."""
    wanted = asked_for(request, _BY_PRODUCT)
    rows, worth = await together(
        desk.every(f"{LEVELS}/summary", most=files.MOST_ROWS, in_stock=True, **wanted), _worth(request, desk)
    )
    names, value = await names_of(visitor, products=[row["product_id"] for row in rows]), _by_product(worth)
    say = visitor.say
    columns = [
        say("Product"), say("Number"), say("Unit"), say("On hand"), say("Reserved"), say("On hold"), say("Available"),
        say("Levels"), say("Worth"),
    ]  # fmt: skip
    said = (
        [
            names.product(row["product_id"]),
            names.products.get(row["product_id"], {}).get("sku"),
            names.unit(row["product_id"]),
            *(files.amount(row[name]) for name in ("on_hand", "reserved", "on_hold", "available")),
            row["levels"],
            Decimal(value[row["product_id"]]) / 100,
        ]
        for row in rows
    )
    return files.table_file(request, "stock-by-product", columns, said)


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


async def _worth(request: Request, desk: Desk) -> Answer:
    method = "average" if request.query_params.get("method") == "average" else "fifo"
    warehouse_id = request.query_params.get("warehouse_id", "")
    return await desk.get("/warehouse/stock/valuation", method=method, warehouse_id=warehouse_id)


def _by_product(worth: Answer) -> dict[str, int]:
    """What there is of each product is worth so much, in the currency's smallest unit."""
    value = defaultdict[str, int](int)
    for one in worth["products"]:
        value[one["product_id"]] += minor(one["value"])
    return value


async def _hits(desk: Desk, word: str, kind: str) -> list[Answer]:
    try:
        return list((await desk.get("/search", q=word, kind=kind, limit=5))["hits"])
    except Refused:
        return []


def _live(query: Any) -> str:
    """Where changes are told: of one place all of them, else what is booked."""
    place = query.get("location_id")
    return f"/ws/inventory/stock?location_id={place}" if place else "/ws/inventory/stock"
