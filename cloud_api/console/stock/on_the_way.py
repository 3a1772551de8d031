"""`/console/stock/on-the-way`: what has left one warehouse, and has not been put away in the next."""

from fastapi import Request, Response

from cloud_api.console import files
from cloud_api.console.asking import Answer, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import Looking, console_router
from cloud_api.console.tables import Table, asked_for

router = console_router("/stock/on-the-way")

_FILTERS = ("warehouse_id", "product_id")


@router.get("")
async def show_on_the_way(request: Request, visitor: Looking) -> Response:
    """What is on its way to each warehouse, by product."""
    (rows, names), warehouses = await together(_found(request, visitor), warehouses_of(visitor))
    listed = Table(request.url.path, asked_for(request, _FILTERS), rows)
    return show(request, "stock/on_the_way.html", table=listed, names=names, warehouses=options(warehouses))


@router.get("/export")
async def export_on_the_way(request: Request, visitor: Looking) -> Response:
    """The same as a file."""
    rows, names = await _found(request, visitor)
    say = visitor.say
    head = [say("Where to"), say("Product"), say("Number"), say("Quantity"), say("Unit"), say("Weight in grams")]
    cells = (
        [
            names.warehouse(row["warehouse_id"]),
            names.product(row["product_id"]),
            names.products.get(row["product_id"], {}).get("sku"),
            files.amount(row["quantity"]),
            names.unit(row["product_id"]),
            row["weight_g"],
        ]
        for row in rows
    )
    return files.table_file(request, "on-the-way", head, cells)


async def _found(request: Request, visitor: Visitor) -> tuple[list[Answer], Names]:
    """Rows in the order of their warehouses' and products' names."""
    wanted = {name: value for name, value in asked_for(request, _FILTERS).items() if name in _FILTERS}
    rows: list[Answer] = await visitor.desk.get("/warehouse/stock/in-transit", **wanted)
    names = await names_of(
        visitor, products=[row["product_id"] for row in rows], warehouses=[row["warehouse_id"] for row in rows]
    )
    rows.sort(key=lambda row: (names.warehouse(row["warehouse_id"]), names.product(row["product_id"])))
    return rows, names
