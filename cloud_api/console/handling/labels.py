"""`/console/labels`: labels for products, lots and places, and what a scanned code is of."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import Choices, choices_for
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, show
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
#: labels of one file
_MOST = 200
_ID = re.compile(r"[0-9a-fA-F-]{36}")


@router.get("")
async def show_labels(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Choose what labels are for; with `code`, what a code is of."""
    wanted, code = _wanted(request), request.query_params.get("code", "").strip()
    kind = wanted.form.get("kind")
    (scanned, problem), (choices, names) = await together(_scanned(desk, code), _named(visitor, wanted))
    return show(
        request,
        "handling/labels.html",
        form=wanted.form,
        kind=kind,
        ids=wanted.ids,
        choices=choices,
        scanned=scanned,
        problem=problem,
        code=code,
        symbologies=list(SYMBOLOGIES.items()),
        formats=[(one, one.upper()) for one in FORMATS if wanted.pictured or one not in _PICTURES],
        dpi=[(one, one) for one in DPI],
        file=wanted.address() if wanted.ids else "",
        pictured=wanted.pictured,
        stand=[(id, _text(kind, id, names), wanted.without(id)) for id in wanted.ids],
    )


@router.get("/file")
async def get_file(request: Request, desk: AtDesk) -> Response:
    """The labels, as a file."""
    wanted = _wanted(request)
    form, format = wanted.form, wanted.form.get("format")
    size = {name: form.get(name) for name in (*_SIZE, "dpi")}
    symbology = form.get("symbology")
    if format in _PICTURES and wanted.pictured:
        pictured = {name: size[name] for name in _SIZE}
        path = f"/warehouse/products/{wanted.ids[0]}/label"
        answer = await desk.raw(path, format=format, symbology=symbology, **pictured)
    else:
        copies = _number(form.get("copies"))
        labels = [{"kind": form.get("kind"), "id": id, "copies": copies} for id in wanted.ids]
        body = {"format": format, "symbology": symbology or None, "labels": labels}
        answer = await _posted(desk, {**body, **{name: _number(said) for name, said in size.items()}})
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="labels.{format}"'}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)


@dataclass(frozen=True)
class _Wanted:
    """What the address asks for."""

    form: Form
    #: of what labels are printed, in their order
    ids: Sequence[str]

    @property
    def pictured(self) -> bool:
        """Whether a picture of it can be drawn: of one product alone."""
        return self.form.get("kind") == "product" and len(self.ids) == 1

    def address(self) -> str:
        """Where the file is, but for its format."""
        return f"/console/labels/file?{self._query(self.ids)}"

    def without(self, id: str) -> str:
        """The same page without one of them."""
        return f"/console/labels?{self._query([one for one in self.ids if one != id])}"

    def _query(self, ids: Sequence[str]) -> str:
        said = [(name, self.form.get(name)) for name in ("symbology", "copies", "dpi", *_SIZE) if self.form.get(name)]
        return urlencode([("kind", self.form.get("kind")), *(("id", id) for id in ids), *said])


def _wanted(request: Request) -> _Wanted:
    """What the address asks for, and else what most labels are."""
    usual = {"kind": "lot", "format": "pdf", "symbology": "", "copies": "1", "dpi": "203"}
    usual |= {"width_mm": "60", "height_mm": "40"}
    asked = {name: request.query_params.get(name) or value for name, value in usual.items()}
    if asked["kind"] not in KINDS:
        asked["kind"] = "lot"
    ids = [id for id in dict.fromkeys(request.query_params.getlist("id")) if id]
    return _Wanted(Form.of(asked), ids[:_MOST])


async def _named(visitor: Visitor, wanted: _Wanted) -> tuple[Choices, Names]:
    kind = wanted.form.get("kind")
    if kind == "location":
        return await choices_for(visitor)
    known = [id for id in wanted.ids if _ID.fullmatch(id)]
    return Choices([]), await names_of(visitor, **{"lots" if kind == "lot" else "products": known})


def _text(kind: str, id: str, names: Names) -> list[str]:
    """What stands on a label."""
    if kind == "lot" and id in names.lots:
        return [names.product_of(id), names.lot(id), names.lots[id]["expires_on"] or ""]
    if kind == "location" and id in names.places:
        return [names.place(id), names.place_code(id), names.warehouse_of(id)]
    if kind == "product" and id in names.products:
        return [names.product(id), names.products[id]["sku"]]
    return [id]


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
