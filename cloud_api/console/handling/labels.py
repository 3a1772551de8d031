"""`/console/labels`: labels for products, lots and places, and what a scanned code is of."""

import json
from typing import Any

from fastapi import Request, Response

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.naming import Names, names_for, newest_lots
from cloud_api.console.pages import show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/labels")

KINDS = ("product", "lot", "location")
FORMATS = ("pdf", "png", "svg", "zpl")
#: pictures are drawn of a product alone
_PICTURES = ("png", "svg")
SYMBOLOGIES = {
    "qr": "QR",
    "code128": "Code 128",
    "datamatrix": "Data Matrix",
    "gs1_128": "GS1-128",
    "gs1_datamatrix": "GS1 Data Matrix",
}
DPI = ("203", "300", "600")
_SIZE = ("width_mm", "height_mm")


@router.get("")
async def show_labels(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Choose what a label is for; with `code`, what a code is of."""
    form, asked = Form.of(_chosen(request)), request.query_params
    scanned, problem = await _scanned(desk, asked.get("code", "").strip())
    kind, id = form.get("kind"), form.get("id")
    names, lots = await together(names_for(visitor), newest_lots(visitor, id if kind == "lot" else ""))
    known = Names(names.products, names.places, names.warehouses, {lot["id"]: lot for lot in lots})
    return show(
        request,
        "handling/labels.html",
        form=form,
        names=known,
        scanned=scanned,
        problem=problem,
        code=asked.get("code", ""),
        symbologies=list(SYMBOLOGIES.items()),
        formats=[(one, one.upper()) for one in FORMATS if kind == "product" or one not in _PICTURES],
        dpi=[(one, one) for one in DPI],
        file=_address(form) if id else "",
        stands_on_it=_text(form, known),
    )


@router.get("/file")
async def get_file(request: Request, desk: AtDesk) -> Response:
    """The labels, as a file."""
    wanted = Form.of(_chosen(request))
    kind, format, id = wanted.get("kind"), wanted.get("format"), wanted.get("id")
    size = {name: wanted.get(name) for name in (*_SIZE, "dpi")}
    if format in _PICTURES:
        pictured = {name: size[name] for name in _SIZE}
        symbology = wanted.get("symbology")
        answer = await desk.raw(f"/warehouse/products/{id}/label", format=format, symbology=symbology, **pictured)
    else:
        label = {"kind": kind, "id": id, "copies": _number(wanted.get("copies"))}
        body = {"format": format, "symbology": wanted.get("symbology") or None, "labels": [label]}
        answer = await _posted(desk, {**body, **{name: _number(said) for name, said in size.items()}})
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="labels.{format}"'}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)


def _chosen(request: Request) -> dict[str, str]:
    """What the address asks for, and else what most labels are."""
    usual = {"kind": "lot", "id": "", "format": "pdf", "symbology": "", "copies": "1", "dpi": "203"}
    usual |= {"width_mm": "60", "height_mm": "40"}
    asked = {name: request.query_params.get(name) or value for name, value in usual.items()}
    if asked["kind"] not in KINDS:
        asked["kind"] = "lot"
    return asked


def _address(form: Form) -> str:
    """Where the file is, but for its format."""
    names = ("kind", "id", "symbology", "copies", "dpi", *_SIZE)
    return "/console/labels/file?" + "&".join(f"{name}={form.get(name)}" for name in names if form.get(name))


def _text(form: Form, names: Names) -> list[str]:
    """What stands on the label, where there is no picture of it."""
    id = form.get("id")
    if form.get("kind") == "lot" and id in names.lots:
        lot = names.lots[id]
        return [names.product(lot["product_id"]), lot["lot_number"], lot["expires_on"] or ""]
    if form.get("kind") == "location" and id in names.places:
        return [names.place_name(id), names.place(id), names.warehouse_of(id)]
    return []


def _number(text: str) -> Any:
    """A number where it is one: what is none is for the API to refuse."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


async def _scanned(desk: Desk, code: str) -> tuple[Answer | None, str]:
    if not code:
        return None, ""
    try:
        return await desk.do("POST", "/warehouse/scans", {"code": code}), ""
    except Refused as refused:
        return None, refused.message


async def _posted(desk: Desk, body: object) -> Any:
    """A file that is asked for by a POST."""
    said = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    answer = await desk.send_bytes("POST", "/warehouse/labels", said, headers=headers)
    if answer.status_code >= 400:
        error = answer.json()["error"]
        raise Refused(answer.status_code, error["code"], error["message"])
    return answer
