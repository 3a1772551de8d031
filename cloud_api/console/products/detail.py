"""`/console/products/{id}`: one product, how it is stored, what it costs, and where it lies."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Listing, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.listing import PRODUCTS, categories_of
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import days_left, today_of
from cloud_api.console.stock.names import warehouses_of

router = console_router("/products")

_NOTHING = Listing([], None)
#: lines of a price list that can be typed at once
LINES = 5


@router.get("/{id}")
async def show_product(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """All that is known of it."""
    return await _page(request, desk, visitor, id, Form.of(valid_from=today_of(visitor).isoformat()))


@router.post("/{id}/prices")
async def put_prices(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The list that is in force from a day on."""
    form = await forms.read(request)
    typed = [place for place in range(LINES) if form.get(f"lines.{place}.price")]
    lines = [
        {"price": form.get(f"lines.{place}.price"), "min_quantity": form.get(f"lines.{place}.min_quantity") or "0"}
        for place in typed
    ]
    try:
        await desk.do("PUT", f"{PRODUCTS}/{id}/prices", {**form.body("valid_from"), "lines": lines}, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(_where_typed(refused, typed))
        return await _page(request, desk, visitor, id, form, refused.status)
    return go(request, f"/console/products/{id}", said="The price list is saved." if lines else "It is taken back.")


@router.post("/{id}/discontinue")
async def discontinue(request: Request, desk: AtDesk, id: str) -> Response:
    """Buy and sell it no more."""
    await desk.do("DELETE", f"{PRODUCTS}/{id}")
    return go(request, f"/console/products/{id}", said="The product is discontinued.")


async def _page(request: Request, desk: Desk, visitor: Visitor, id: str, form: Form, status: int = 200) -> Response:
    product, prices, units, variants, categories, warehouses, lots = await together(
        desk.get(f"{PRODUCTS}/{id}"),
        desk.page(f"{PRODUCTS}/{id}/prices", limit=100),
        desk.get(f"{PRODUCTS}/{id}/units"),
        desk.page(f"{PRODUCTS}/{id}/variants", limit=50),
        categories_of(desk),
        warehouses_of(desk),
        _lots(desk, visitor, id),
    )
    today = today_of(visitor)
    return show(
        request, "products/product.html", status=status, product=product, lists=_lists(prices.items),
        units=[one for one in units if one["of_this_product"]], variants=variants.items,
        category=dict(categories).get(product["category_id"]), warehouses=dict(warehouses), form=form,
        lots=[{**one, "days_left": days_left(one["expires_on"], today)} for one in lots.items], count=LINES,
        below=_below(product),
    )  # fmt: skip


def _below(product: Answer) -> bool:
    """Whether less of it is there than ought to be ordered at."""
    point = product["reorder_point"] or product["min_stock_level"]
    return point is not None and float(product["current_stock"]) <= float(point)


def _lists(prices: Sequence[Answer]) -> list[dict[str, Any]]:
    """Lines by the day from which they hold, the latest first."""
    ordered = sorted(prices, key=lambda line: (line["valid_from"], line["variant_id"] or ""), reverse=True)
    return [
        {"valid_from": day, "variant_id": variant, "lines": sorted(lines, key=lambda line: float(line["min_quantity"]))}
        for (day, variant), lines in groupby(ordered, key=lambda line: (line["valid_from"], line["variant_id"]))
    ]


def _where_typed(refused: Refused, typed: Sequence[int]) -> Refused:
    """The API's `lines.0` is the first line that was filled in: its complaint goes to where that stands."""
    fields = {}
    for name, message in refused.fields.items():
        head, _, rest = name.partition(".")
        place, _, last = rest.partition(".")
        known = head == "lines" and place.isdecimal() and int(place) < len(typed)
        fields[f"lines.{typed[int(place)]}.{last}" if known else name] = message
    return Refused(refused.status, refused.code, refused.message, fields)


async def _lots(desk: Desk, visitor: Visitor, product_id: str) -> Listing:
    if not visitor.may("stock:read"):
        return _NOTHING
    return await desk.page("/warehouse/batches", product_id=product_id, status="available", order="fefo", limit=8)
