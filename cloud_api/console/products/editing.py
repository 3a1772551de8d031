"""`/console/products/new` and `/console/products/{id}/edit`: what is said of a product."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.choices import options
from cloud_api.console.forms import Form
from cloud_api.console.pages import go, refusal, show, visitor_of
from cloud_api.console.products.keywords import keywords_of
from cloud_api.console.products.listing import PRODUCTS, STATES, TYPES, categories_of
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products")

UNITS = ("kg", "g", "piece", "bunch", "liter", "ml", "box", "crate", "pallet")
STORED = ("cold_storage", "freezer", "ambient", "dry_storage")
GRADES = ("excellent", "very-good", "good", "fair", "poor")
_NEEDED = "products:write"
#: "" is none of it
_TEXTS = ("description", "brand")
#: what is empty is said to be nothing
_OPTIONAL = (
    "category_id", "gtin", "barcode", "price", "cost_price", "min_stock_level", "max_stock_level", "reorder_point",
    "reorder_quantity", "quality_grade", "storage_type",
)  # fmt: skip
_DECIMALS = (
    "price",
    "cost_price",
    "min_stock_level",
    "max_stock_level",
    "reorder_point",
    "reorder_quantity",
)
_NUMBERS: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("shelf_life_days", "length_mm", "width_mm", "height_mm"), int),
    **dict.fromkeys(
        ("storage_temperature_min_c", "storage_temperature_max_c", "reference_temperature_c", "q10"), float
    ),
}
_REQUIRED = ("sku", "name", "product_type", "status")
#: what two people may say differently, as the form calls it
_LABELS: Mapping[str, str] = {
    "name": "Name",
    "sku": "Stock number (SKU)",
    "description": "Description",
    "category_id": "Category",
    "product_type": "Type",
    "brand": "Brand",
    "status": "Status",
    "unit_weight_g": "Weight of a unit, in grams",
    "gtin": "GTIN",
    "barcode": "Other barcode",
    "length_mm": "Length, mm",
    "width_mm": "Width, mm",
    "height_mm": "Height, mm",
    "price": "Price",
    "cost_price": "Cost",
    "is_b2c_available": "Anybody may order it",
    "storage_temperature_min_c": "At least, °C",
    "storage_temperature_max_c": "At most, °C",
    "shelf_life_days": "Shelf life, days",
    "storage_type": "Kept in",
    "reference_temperature_c": "Shelf life said for, °C",
    "q10": "Q10",
    "perishable": "Perishable",
    "quality_grade": "Grade",
    "min_stock_level": "At least in stock",
    "max_stock_level": "At most in stock",
    "reorder_point": "Order at",
    "reorder_quantity": "Order so much",
}


@router.get("/new")
async def show_new(request: Request, desk: AtDesk) -> Response:
    """The form for another product."""
    if (refused := _not_allowed(request)) is not None:
        return refused
    form = Form.of(unit="kg", product_type="finished_good", status="active", unit_weight_g=1000)
    return await _page(request, desk, form, None)


@router.post("/new")
async def create(request: Request, desk: AtDesk) -> Response:
    """Add a product to the catalogue."""
    form = await forms.read(request)
    body = {**_body(form), "unit": form.get("unit"), "catch_weight": form.ticked("catch_weight")}
    try:
        made = await desk.do("POST", PRODUCTS, {name: value for name, value in body.items() if value is not None},
                             key=form.key)  # fmt: skip
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(refused)
        return await _page(request, desk, form, None, refused.status)
    return go(request, f"/console/products/{made['id']}", said="The product is added.")


@router.get("/{id}/edit")
async def show_edit(request: Request, desk: AtDesk, id: str) -> Response:
    """The form with what is said of it now."""
    if (refused := _not_allowed(request)) is not None:
        return refused
    product = await desk.get(f"{PRODUCTS}/{id}")
    form = Form.of(_shown(product))
    form.many["tag_ids"] = product["tag_ids"]
    return await _page(request, desk, form, product)


@router.post("/{id}/edit")
async def edit(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change it, unless somebody else did meanwhile."""
    form = await forms.read(request)
    body = {**_body(form), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{PRODUCTS}/{id}", body, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.refuse(refused)
        product = await desk.get(f"{PRODUCTS}/{id}")
        labels, word = clashes.said(visitor, _LABELS), visitor.writing.word
        categories = dict(await categories_of(desk))
        worded = dict.fromkeys(("product_type", "status", "storage_type", "quality_grade"), word)
        clashes.meet(form, refused, Form.of(_shown(product)), labels, category_id=categories.get, **worded)
        return await _page(request, desk, form, product, refused.status)
    return go(request, f"/console/products/{id}", said="The product is changed.")


def _not_allowed(request: Request) -> Response | None:
    if visitor_of(request).may(_NEEDED):
        return None
    return refusal(request, Refused(403, "FORBIDDEN", f"this needs the permission {_NEEDED}"))


def _body(form: Form) -> dict[str, Any]:
    """What was typed, as the API wants it; what is no number is sent as it is, and the API says so."""
    body: dict[str, Any] = {name: form.get(name) for name in (*_REQUIRED, *_TEXTS) if name in form.values}
    body |= {name: form.get(name) or None for name in _OPTIONAL if name in form.values}
    body |= {name: _number(form.get(name), kind) for name, kind in _NUMBERS.items() if name in form.values}
    if form.get("unit_weight_g"):
        body["unit_weight_g"] = _number(form.get("unit_weight_g"), int)
    body["perishable"] = {"yes": True, "no": False}.get(form.get("perishable"))
    body["is_b2c_available"] = form.ticked("is_b2c_available")
    if "tag_ids" in form.values:
        body["tag_ids"] = [one for one in form.many["tag_ids"] if one]
    return body


def _number(text: str, kind: Callable[[str], object]) -> object:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        return text


def _shown(product: Answer) -> dict[str, Any]:
    """A product as its form has it: without what the form has no field for."""
    shown = {name: product[name] for name in (*_REQUIRED, *_TEXTS, *_OPTIONAL, *_NUMBERS, "unit_weight_g", "version")}
    for name in ("storage_temperature_min_c", "storage_temperature_max_c", "reference_temperature_c", "q10"):
        shown[name] = None if shown[name] is None else f"{shown[name]:g}"
    for name in _DECIMALS:
        shown[name] = None if shown[name] is None else f"{Decimal(shown[name]).normalize():f}"
    shown["perishable"] = "yes" if product["perishable"] else "no"
    return {**shown, **({"is_b2c_available": "true"} if product["is_b2c_available"] else {})}


async def _page(request: Request, desk: Desk, form: Form, product: Answer | None, status: int = 200) -> Response:
    words = visitor_of(request).writing.words
    categories, keywords = await together(categories_of(desk), keywords_of(desk))
    choices = {
        "categories": categories,
        "keywords": options(keywords),
        "types": words(TYPES),
        "units": [(one, one) for one in UNITS],
        "stored": words(STORED),
        "grades": words(GRADES),
        "states": words(one for one in STATES if product is not None or one != "discontinued"),
    }
    return show(request, "products/form.html", status=status, form=form, product=product, **choices)
