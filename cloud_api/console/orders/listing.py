"""`/console/orders`: the list that stays true, and what it leaves as files."""

from decimal import Decimal

from fastapi import Request, Response

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import Options, options, warehouses_of
from cloud_api.console.files import MOST_ROWS, Cell, table_file
from cloud_api.console.names import Names, names_of
from cloud_api.console.orders.draft import PAYMENT_METHODS
from cloud_api.console.pages import Visitor, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/orders")
FILTERS = (
    "search",
    "status",
    "delivery_date",
    "from",
    "to",
    "warehouse_id",
    "slot_id",
    "payment_status",
    "payment_method",
    "customer_id",
)
STATUSES = ("pending", "confirmed", "packed", "out_for_delivery", "delivered", "returned", "cancelled")
PAYMENT_STATUSES = ("pending", "paid", "failed", "refunded")
#: orders of a file of lines: each has several
_MOST_ORDERS = MOST_ROWS // 4


@router.get("")
async def show_orders(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The newest first, as the address narrows them; read again when one of the day changes."""
    asked, sites = await together(table(request, desk, "/orders", filters=FILTERS), warehouses_of(looking, closed=True))
    return show(
        request,
        "orders/list.html",
        table=asked,
        sites=options(sites),
        site_names={one["id"]: one["name"] for one in sites},
        slots=await _slots(desk, asked.query.get("warehouse_id", ""), asked.query.get("delivery_date", "")),
        statuses=looking.writing.words(STATUSES),
        payment_statuses=looking.writing.words(PAYMENT_STATUSES),
        payment_methods=looking.writing.words(PAYMENT_METHODS),
        today=looking.today().isoformat(),
        tomorrow=looking.today(1).isoformat(),
    )


@router.get("/export")
async def export_orders(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """The orders that the filters leave, as a file."""
    rows = await desk.every("/orders", most=MOST_ROWS, **asked_for(request, FILTERS))
    names = await names_of(looking, warehouses={row["warehouse_id"] for row in rows})
    head = [looking.say(column) for column in (*_HEAD, "Warehouse", "Note")]
    told = ([*_order(looking, row), names.warehouse(row["warehouse_id"]), row["note"]] for row in rows)
    return table_file(request, "orders", head, told)


@router.get("/lines/export")
async def export_lines(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What was ordered by them, a line a row."""
    rows = await desk.every("/orders/lines", most=_MOST_ORDERS, **asked_for(request, FILTERS))
    names = await names_of(looking, products={line["product_id"] for row in rows for line in row["lines"]})
    head = [looking.say(column) for column in (*_HEAD[:_OF_LINES], *_LINE_HEAD)]
    told = ([*_order(looking, row)[:_OF_LINES], *_line(looking, names, line)] for row in rows for line in row["lines"])
    return table_file(request, "order-lines", head, told)


_HEAD = (
    *("Order", "Customer", "Delivered on", "Window", "Status"),
    *("Payment", "Payment status", "Sum", "Address", "Taken"),
)
_LINE_HEAD = ("SKU", "Product", "Ordered", "In the box", "Unit", "Line", "Price")
#: columns of the order before each of its lines
_OF_LINES = 5


def _order(looking: Visitor, row: Answer) -> list[Cell]:
    word = looking.writing.word
    return [
        row["number"],
        row["customer_name"],
        row["delivery_date"],
        f"{row['window_from'][:5]}–{row['window_until'][:5]}",
        word(row["status"]),
        word(row["payment_method"]),
        word(row["payment_status"]),
        Decimal(row["total_minor"]) / 100,
        row["address"],
        looking.writing.moment(row["created_at"]),
    ]


def _line(looking: Visitor, names: Names, line: Answer) -> list[Cell]:
    packed = line["packed_quantity"]
    return [
        names.products.get(line["product_id"], {}).get("sku", ""),
        names.product(line["product_id"]),
        Decimal(line["quantity"]),
        None if packed is None else Decimal(packed),
        names.unit(line["product_id"]),
        looking.writing.word(line["fulfillment_status"]),
        Decimal(line["unit_price"]),
    ]


async def _slots(desk: Desk, warehouse_id: str, day: str) -> Options:
    """The windows to choose from, of one warehouse and one day."""
    if not warehouse_id or not day:
        return []
    try:
        part = await desk.page("/orders/slots", warehouse_id=warehouse_id, day=day, limit=200)
    except Refused:
        return []  # no such day: the list itself says so
    windows = sorted(part.items, key=lambda one: str(one["window_from"]))
    return [(one["id"], f"{one['window_from'][:5]}–{one['window_until'][:5]}") for one in windows]
