"""An order that is being written: its lines, what they would cost, whether there is enough, and when it can come."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.choices import warehouses_of
from cloud_api.console.forms import Form, decimal
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor

PAYMENT_METHODS = ("account", "cod", "online", "upi", "card")
#: how a window stands in one field: both its times
BETWEEN = "|"
_ROUND = Decimal(1)
_SUMMARY = "/warehouse/stock/levels/summary"
_ONE_BY_ONE = 6


@dataclass
class Line:
    """One product of it."""

    place: int
    product: Answer
    quantity: str
    unit_price: str
    #: what of it is free in the warehouse; None: nobody may say
    available: Decimal | None

    @property
    def amount(self) -> Decimal | None:
        """How much was typed; None: no number."""
        return decimal(self.quantity)

    @property
    def price(self) -> Decimal | None:
        """For one unit: what was agreed, or else what the catalogue asks."""
        agreed = decimal(self.unit_price)
        if agreed is not None:
            return agreed
        asked = decimal(self.product.get("price") or "")
        if asked is not None and self.product.get("catch_weight"):
            return asked * Decimal(self.product["unit_weight_g"]) / 1000
        return asked

    @property
    def sum_minor(self) -> int | None:
        """What it would cost; None: nobody knows."""
        if self.amount is None or self.price is None:
            return None
        return int((self.amount * self.price * 100).quantize(_ROUND))

    @property
    def is_short(self) -> bool:
        """Whether there is less than was typed."""
        return self.available is not None and self.amount is not None and self.amount > self.available


@dataclass
class Draft:
    """What a form has so far, with what the catalogue and the stock say of it."""

    form: Form
    lines: list[Line]
    warehouses: list[Answer] = field(default_factory=list)

    @property
    def total_minor(self) -> int:
        """Of the lines whose price is known."""
        return sum(line.sum_minor or 0 for line in self.lines)

    @property
    def is_complete(self) -> bool:
        """Whether every line's price is known."""
        return all(line.sum_minor is not None for line in self.lines)

    @property
    def short(self) -> list[Line]:
        """Lines of which there is not enough."""
        return [line for line in self.lines if line.is_short]


async def draft_of(desk: Desk, visitor: Visitor, form: Form) -> Draft:
    """What the form has, read against catalogue and stock."""
    rows = _rows(form)
    ids = [product_id for product_id, _, _ in rows]
    sites, names = await together(warehouses_of(visitor), names_of(visitor, products=ids))
    if not form.get("warehouse_id") and len(sites) == 1:
        form.values["warehouse_id"] = sites[0]["id"]
    stock = await _stock_of(desk, visitor, form.get("warehouse_id"), ids)
    # what is promised to the order itself is not free, and yet is there
    counted = bool(form.get("warehouse_id")) and visitor.may("stock:read") and not form.ticked("_promised")
    unknown = {"sku": "", "unit": "", "price": None}
    lines = [
        Line(
            place,
            names.products.get(product_id, {**unknown, "id": product_id, "name": names.product(product_id)}),
            quantity,
            price,
            stock.get(product_id, Decimal(0)) if counted else None,
        )
        for place, (product_id, quantity, price) in enumerate(rows)
    ]
    return Draft(form, lines, sites)


async def _stock_of(
    desk: Desk, visitor: Visitor, warehouse_id: str, product_ids: Collection[str]
) -> Mapping[str, Decimal]:
    """Product -> what of it is free in a warehouse: of a few asked one by one, else of all."""
    if not warehouse_id or not product_ids or not visitor.may("stock:read"):
        return {}
    asked = dict.fromkeys(product_ids) if len(product_ids) <= _ONE_BY_ONE else {"": None}
    parts = await together(
        *(desk.every(_SUMMARY, warehouse_id=warehouse_id, product_id=product_id) for product_id in asked)
    )
    return {row["product_id"]: Decimal(row["available"]) for part in parts for row in part}


def _rows(form: Form) -> list[tuple[str, str, str]]:
    places = sorted({int(name.split(".")[1]) for name in form.values if _is_line(name)})
    return [
        (
            form.get(f"lines.{place}.product_id"),
            form.get(f"lines.{place}.quantity"),
            form.get(f"lines.{place}.unit_price"),
        )
        for place in places
    ]


def _is_line(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 3 and parts[0] == "lines" and parts[1].isdecimal() and parts[2] == "product_id"


def with_line(form: Form, *, added: str = "", without: str = "") -> Form:
    """The same form with a line more, or one less; lines are counted from 0 again."""
    rows = [row for place, row in enumerate(_rows(form)) if str(place) != without]
    if added and added not in {row[0] for row in rows}:
        rows.append((added, "1", ""))
    kept = {name: text for name, text in form.values.items() if not name.startswith("lines.")}
    for place, (product_id, quantity, price) in enumerate(rows):
        kept |= {
            f"lines.{place}.product_id": product_id,
            f"lines.{place}.quantity": quantity,
            f"lines.{place}.unit_price": price,
        }
    return Form(values=kept, key=form.key)


def body_of(form: Form, *fields: str) -> dict[str, Any]:
    """The form as the API takes it: these fields, the window, and the lines."""
    lines = [name for name in form.values if name.startswith("lines.")]
    since, _, until = form.get("window").partition(BETWEEN)
    window = {"window_from": since, "window_until": until} if until else {}
    if not window:
        window = form.body("window_from", "window_until")
    return form.body(*fields, *lines) | window


async def slots_of(desk: Desk, warehouse_id: str, day: str) -> tuple[list[Answer], bool]:
    """A day's windows in their order with what is left of each, and whether the warehouse has any at all."""
    if not warehouse_id or not day:
        return [], False
    every = await desk.page("/orders/slots", warehouse_id=warehouse_id, limit=200)
    has_windows = any(slot["is_active"] for slot in every.items)
    if not has_windows:
        return [], False
    offered = await desk.page("/orders/slots", warehouse_id=warehouse_id, day=day, limit=200)
    active = [slot for slot in offered.items if slot["is_active"]]
    return sorted(active, key=lambda slot: str(slot["window_from"])), True
