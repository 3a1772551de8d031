"""`/console/products/{id}`: one product, how it is stored, what it costs, how it is offered, and where it lies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes
from cloud_api.console.asking import Answer, Listing, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.listing import PRODUCTS
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import days_left

router = console_router("/products")

_NOTHING = Listing([], None)
#: lines of a price list, and packs, that can be typed at once
LINES = 5


@dataclass
class Typed:
    """The forms of the page; the one that was refused has what was typed, and says what is wrong."""

    prices: Form = field(default_factory=Form)
    packs: Form = field(default_factory=Form)
    picture: Form = field(default_factory=Form)
    variant: Form = field(default_factory=Form)
    #: why the packs were refused
    packs_refused: Refused | None = None


@router.get("/{id}")
async def show_product(request: Request, visitor: Looking, id: str) -> Response:
    """All that is known of it."""
    return await product_page(request, visitor, id, Typed())


@router.post("/{id}/discontinue")
async def discontinue(request: Request, desk: AtDesk, id: str) -> Response:
    """Buy and sell it no more."""
    await desk.do("DELETE", f"{PRODUCTS}/{id}")
    return go(request, f"/console/products/{id}", said="The product is discontinued.")


async def product_page(request: Request, visitor: Visitor, id: str, typed: Typed, status: int = 200) -> Response:
    """The page, with what was typed into one of its forms."""
    desk = visitor.desk
    product, prices, units, variants, images, lots = await together(
        desk.get(f"{PRODUCTS}/{id}"),
        desk.page(f"{PRODUCTS}/{id}/prices", limit=100),
        desk.get(f"{PRODUCTS}/{id}/units"),
        desk.page(f"{PRODUCTS}/{id}/variants", limit=50),
        desk.get(f"{PRODUCTS}/{id}/images"),
        _lots(visitor, id),
    )
    names, category = await together(
        names_of(visitor, warehouses=[one["warehouse_id"] for one in product["stock"]]), _category(visitor, product)
    )
    packs = [one for one in units if one["of_this_product"]]
    typed.prices.values.setdefault("valid_from", visitor.today().isoformat())
    known = Form.of({"packs": [_pack(one, product) for one in packs]}, version=product["version"])
    if typed.packs_refused is not None:
        label = visitor.say("Packs and units")
        clashes.meet(typed.packs, typed.packs_refused, known, lambda form: {label: _packs(form)})
    elif not typed.packs.values:
        typed.packs = known
    today = visitor.today()
    return show(
        request, "products/product.html", status=status, product=product, lists=_lists(prices.items), units=packs,
        variants=variants.items, images=images, category=category, names=names, typed=typed, count=LINES,
        lots=[{**one, "days_left": days_left(one["expires_on"], today)} for one in lots.items],
        variant_names={one["id"]: one["name"] for one in variants.items}, below=_below(product),
        known_units=sorted(one["unit"] for one in units),
    )  # fmt: skip


def where_typed(fields: Any, within: str, typed: Sequence[int]) -> dict[str, str]:
    """The API's `lines.0` is the first line that was filled in: its complaint goes to where that stands.

    Args:
        fields: complaints by the API's fields.
        within: the name of the list.
        typed: the places of the lines that were filled in.
    """
    shown = {}
    for name, message in fields.items():
        head, _, rest = name.partition(".")
        place, _, last = rest.partition(".")
        known = head == within and place.isdecimal() and int(place) < len(typed)
        shown[f"{within}.{typed[int(place)]}.{last}" if known else name] = message
    return shown


def _pack(unit: Answer, product: Answer) -> dict[str, object]:
    """A unit as its form has it: so many of it hold so many of the unit that stock is counted in."""
    return {
        "unit": unit["unit"],
        "per": unit["denominator"],
        "quantity": unit["numerator"],
        "of": product["unit"],
    }


def _packs(form: Form) -> str:
    """The packs of a form in one line."""
    names = ("per", "unit", "quantity", "of")
    lines = [[form.get(f"packs.{place}.{name}") for name in names] for place in range(LINES)]
    return "; ".join(f"{per or 1} {unit} = {quantity} {of}" for per, unit, quantity, of in lines if unit)


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


async def _category(visitor: Visitor, product: Answer) -> str:
    if product["category_id"] is None:
        return ""
    return str((await visitor.desk.get(f"{PRODUCTS}/categories/{product['category_id']}"))["name"])


async def _lots(visitor: Visitor, product_id: str) -> Listing:
    if not visitor.may("stock:read"):
        return _NOTHING
    return await visitor.desk.page(
        "/warehouse/batches", product_id=product_id, status="available", order="fefo", limit=8
    )
