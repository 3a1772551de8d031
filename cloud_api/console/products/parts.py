"""`/console/products/{id}/prices` and its like: what it costs, its packs, its variants and its pictures."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import UploadFile

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.detail import LINES, Typed, product_page, where_typed
from cloud_api.console.products.listing import PRODUCTS
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products")

_LABELS: Mapping[str, str] = {
    "sku": "Stock number (SKU)",
    "name": "Name",
    "gtin": "GTIN",
    "barcode": "Other barcode",
    "price": "Price",
    "cost_price": "Cost",
    "unit_weight_g": "Weight of a unit, in grams",
    "is_active": "It is sold",
}
_VARIANT = tuple(name for name in _LABELS if name != "is_active")
#: what is empty is the product's own
_EMPTY_IS_NONE = ("gtin", "barcode", "price", "cost_price", "unit_weight_g")


@router.post("/{id}/prices")
async def put_prices(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The list that is in force from a day on, of the product or of a variant."""
    form = await forms.read(request)
    typed = [place for place in range(LINES) if form.get(f"lines.{place}.price")]
    lines = [
        {"price": form.get(f"lines.{place}.price"), "min_quantity": form.get(f"lines.{place}.min_quantity") or "0"}
        for place in typed
    ]
    try:
        body = form.body("valid_from", "variant_id", lines=lines)
        await desk.do("PUT", f"{PRODUCTS}/{id}/prices", body, key=form.key)
    except Refused as refused:
        _complain(form, refused, where_typed(refused.fields, "lines", typed))
        return await product_page(request, visitor, id, Typed(prices=form), refused.status)
    return go(request, _at(id, "prices"), said="The price list is saved." if lines else "It is taken back.")


@router.post("/{id}/packs")
async def put_packs(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """The product's own units, in the place of those of before."""
    form = await forms.read(request)
    typed = [place for place in range(LINES) if form.get(f"packs.{place}.unit")]
    packs = [_pack(form, place) for place in typed]
    try:
        await desk.do("PUT", f"{PRODUCTS}/{id}/units", {"packs": packs, **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        _complain(form, refused, where_typed(refused.fields, "packs", typed))
        return await product_page(request, visitor, id, Typed(packs=form, packs_refused=refused), refused.status)
    return go(request, _at(id, "packs"), said="The packs are saved.")


@router.post("/{id}/variants")
async def add_variant(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Offer it in one more way."""
    form = await forms.read(request)
    body = {name: value for name, value in _variant(form).items() if value is not None}
    try:
        await desk.do("POST", f"{PRODUCTS}/{id}/variants", body, key=form.key)
    except Refused as refused:
        _complain(form, refused, refused.fields)
        return await product_page(request, visitor, id, Typed(variant=form), refused.status)
    return go(request, _at(id, "variants"), said="The variant is added.")


@router.get("/{id}/variants/{variant_id}")
async def show_variant(request: Request, visitor: Looking, id: str, variant_id: str) -> Response:
    """The form of one."""
    _allowed(visitor.may("products:write"))
    variant = await _variant_of(request, visitor.desk, id, variant_id)
    return await _variant_page(request, visitor.desk, id, variant, _form_of(variant))


@router.post("/{id}/variants/{variant_id}")
async def change_variant(request: Request, desk: AtDesk, visitor: Looking, id: str, variant_id: str) -> Response:
    """Change a variant of a product."""
    form = await forms.read(request)
    body = {**_variant(form), "is_active": form.ticked("is_active"), **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{PRODUCTS}/{id}/variants/{variant_id}", body, key=form.key)
    except Refused as refused:
        _complain(form, refused, refused.fields)
        variant = await _variant_of(request, desk, id, variant_id)
        labels = clashes.said(visitor, _LABELS)
        clashes.meet(form, refused, _form_of(variant), labels)
        return await _variant_page(request, desk, id, variant, form, refused.status)
    return go(request, _at(id, "variants"), said="The variant is changed.")


@router.post("/{id}/variants/{variant_id}/delete")
async def delete_variant(request: Request, desk: AtDesk, id: str, variant_id: str) -> Response:
    """Take it away, unless there are lots of it."""
    await desk.do("DELETE", f"{PRODUCTS}/{id}/variants/{variant_id}")
    return go(request, _at(id, "variants"), said="The variant is taken away.")


@router.post("/{id}/pictures")
async def add_picture(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Keep a picture, and show it with the product."""
    form = await forms.read(request)
    try:
        body = {"media_id": await _kept(request, visitor), "main": form.ticked("main")}
        await desk.do("POST", f"{PRODUCTS}/{id}/images", body, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        form.errors["picture"] = refused.message
        return await product_page(request, visitor, id, Typed(picture=form), refused.status)
    return go(request, _at(id, "pictures"), said="The picture is shown.")


@router.post("/{id}/pictures/{media_id}/main")
async def make_main(request: Request, desk: AtDesk, id: str, media_id: str) -> Response:
    """It stands for the product in lists."""
    await desk.do("POST", f"{PRODUCTS}/{id}/images", {"media_id": media_id, "main": True, "position": 0})
    return go(request, _at(id, "pictures"), said="It stands for the product now.")


@router.post("/{id}/pictures/{media_id}/remove")
async def remove_picture(request: Request, desk: AtDesk, id: str, media_id: str) -> Response:
    """Show it no more."""
    await desk.do("DELETE", f"{PRODUCTS}/{id}/images/{media_id}")
    return go(request, _at(id, "pictures"), said="The picture is not shown any more.")


@router.get("/{id}/pictures/{media_id}")
async def get_picture(desk: AtDesk, id: str, media_id: str) -> Response:
    """A picture, as small as a page needs it."""
    file = await desk.raw(f"/media/{media_id}/transform", width=480, height=480, format="webp")
    headers = {"Cache-Control": "private, max-age=86400"}
    return Response(file.content, media_type=file.headers["Content-Type"], headers=headers)


async def _kept(request: Request, visitor: Visitor) -> str:
    """The key of the file that was sent, once the API keeps it."""
    async with request.form() as sent:
        file = sent.get("picture")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Refused(422, "VALIDATION_FAILED", visitor.say("Choose a picture first."))
        content = await file.read()
        said = {
            "Content-Type": file.content_type or "application/octet-stream",
            "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
        }
        kept = await visitor.desk.send_bytes("POST", "/media", content, headers=said, name=file.filename)
    if kept.status_code >= 400:
        error = kept.json()["error"]
        raise Refused(kept.status_code, error["code"], error["message"])
    return str(kept.json()["data"]["id"])


def _at(id: str, part: str) -> str:
    return f"/console/products/{id}#{part}"


def _allowed(may: bool) -> None:
    if not may:
        raise Refused(403, "FORBIDDEN", "this needs the permission products:write")


def _complain(form: Form, refused: Refused, fields: Any) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(Refused(refused.status, refused.code, refused.message, fields))


def _pack(form: Form, place: int) -> dict[str, Any]:
    pack: dict[str, Any] = {name: form.get(f"packs.{place}.{name}") for name in ("unit", "quantity", "of")}
    per = form.get(f"packs.{place}.per")
    return {**pack, "per": int(per) if per.isdecimal() else per or 1}


def _variant(form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {name: form.get(name) for name in ("sku", "name")}
    body |= {name: form.get(name) or None for name in _EMPTY_IS_NONE}
    weight = form.get("unit_weight_g")
    if weight.isdecimal():
        body["unit_weight_g"] = int(weight)
    return body


def _form_of(variant: Any) -> Form:
    return Form.of({name: variant[name] for name in (*_VARIANT, "version")}, is_active=variant["is_active"] or None)


async def _variant_of(request: Request, desk: Any, id: str, variant_id: str) -> Any:
    found = await desk.every(f"{PRODUCTS}/{id}/variants")
    for variant in found:
        if variant["id"] == variant_id:
            return variant
    raise Refused(404, "NOT_FOUND", "this product has no such variant")


async def _variant_page(request: Request, desk: Any, id: str, variant: Any, form: Form, status: int = 200) -> Response:
    product = await desk.get(f"{PRODUCTS}/{id}")
    return show(request, "products/variant.html", status=status, product=product, variant=variant, form=form)
