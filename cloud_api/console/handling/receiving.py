"""`/console/receiving`: goods come in, one lot after the other, by hand or by scanner."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for, names_of_goods
from cloud_api.console.handling.ledger import ledger_file
from cloud_api.console.names import names_of
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import Table

router = console_router("/receiving")

GRADES = ("excellent", "very-good", "good", "fair", "poor")
_NUMBERS = ("weight_g",)
_FIELDS = (
    "product_id",
    "variant_id",
    "location_id",
    "lot_number",
    "expires_on",
    "manufactured_on",
    "quantity",
    "unit",
    "grade",
    "supplier",
    "unit_cost",
    "reference",
    "source",
)
#: what the next receipt keeps of the one before
_KEPT = ("location_id", "supplier", "reference")
_RECENT = 20


@router.get("")
async def show_receiving(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The form, with what was kept of the last receipt, or what a scanned code says of the goods."""
    asked = request.query_params
    form = Form.of({name: asked[name] for name in _KEPT if name in asked})
    if code := asked.get("code", "").strip():
        try:
            scanned = await desk.do("POST", "/warehouse/scans", {"code": code})
        except Refused as refused:
            form.problem = refused.message
        else:
            form.values |= filled_by(scanned)
            form.problem = (
                ""
                if scanned["product"] or scanned["location"]
                else visitor.say("Nothing here goes by the code {code}.", code=code)
            )
    return await _page(request, visitor, form)


@router.post("")
async def receive(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Book it; the form comes again, for the next lot in the same place."""
    form = await forms.read(request)
    try:
        await desk.do("POST", "/warehouse/stock/receiving", _body(form), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        return await _page(request, visitor, form, status=refused.status)
    kept = urlencode({name: form.get(name) for name in _KEPT if form.get(name)})
    return go(request, f"/console/receiving?{kept}", said="The goods are booked in.")


@router.get("/recent")
async def show_recent(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """What came in of late, read again when something is booked."""
    return show(request, "handling/receipts.html", **await _receipts(visitor))


async def _page(request: Request, visitor: Any, form: Form, *, status: int = 200) -> Response:
    told, (choices, chosen) = await together(
        _receipts(visitor), choices_for(visitor, products=[form.get("product_id")])
    )
    return show(
        request,
        "handling/receiving.html",
        status=status,
        form=form,
        choices=choices,
        chosen=chosen,
        table=Table("/console/receiving", {}, []),
        grades=visitor.writing.words(GRADES),
        **told,
    )


async def _receipts(visitor: Any) -> dict[str, Any]:
    said = await visitor.desk.get("/warehouse/stock/receiving", limit=_RECENT)
    entries: list[Answer] = [*said["recent"], *said["expected"]]
    names, going = await together(
        names_of_goods(visitor, entries),
        names_of(visitor, warehouses=[entry["to_warehouse_id"] for entry in said["expected"]]),
    )
    names = replace(names, warehouses={**names.warehouses, **going.warehouses})
    return {"recent": said["recent"], "expected": said["expected"], "names": names}


@router.get("/export")
async def export_receipts(request: Request, visitor: Looking) -> Response:
    """What came in, as a file; newest first."""
    return await ledger_file(request, visitor, "receipts", {"movement_type": "inbound"})


def _body(form: Form) -> dict[str, Any]:
    body = form.body(*_FIELDS)
    for name in _NUMBERS:
        if text := form.get(name):
            # what is no number is for the API to say, beside its field
            body[name] = int(text) if text.isdecimal() else text
    return body


def filled_by(scanned: Answer) -> dict[str, str]:
    """What a scanned code says of goods that come in, by field."""
    values = {"source": "scan"}
    if scanned["location"]:
        values["location_id"] = scanned["location"]["id"]
    product, decoded, lot = scanned["product"], scanned["decoded"], scanned["lot"]
    if product:
        values["product_id"] = product["id"]
    if scanned["variant"]:
        values["variant_id"] = scanned["variant"]["id"]
    if lot:
        values |= {"lot_number": lot["lot_number"], "expires_on": lot["expires_on"] or ""}
    if decoded:
        said = {
            "lot_number": decoded["lot_number"],
            "expires_on": decoded["expires_on"] or decoded["best_before_on"],
            "manufactured_on": decoded["produced_on"] or decoded["packed_on"],
            "quantity": decoded["count"],
            **_weighed(product, decoded["net_weight_g"]),
        }
        values |= {name: str(value) for name, value in said.items() if value}
    return values


def _weighed(product: Answer | None, net_weight_g: str | None) -> dict[str, str]:
    """What a code's net weight says: the weight of goods that are counted too, or how much of goods by the kilogram."""
    if product is None or net_weight_g is None:
        return {}
    grams = Decimal(net_weight_g)
    if product["catch_weight"]:
        return {"weight_g": str(int(grams))}
    if product["unit"] in ("kg", "g"):
        return {"quantity": f"{grams / 1000 if product['unit'] == 'kg' else grams:f}"}
    return {}
