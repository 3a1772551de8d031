"""Labels: of a product, of an item, and of many things at once."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud_api.inventory.labels.printing import MIMES, Print, printed
from cloud_api.inventory.labels.schemas import Copies, Dpi, LabelBatch, LabelFormat, LabelSize, LabelWanted, Millimetres
from cloud_api.inventory.labels.subjects import describe
from cloud_api.inventory.labels.symbols import Symbology
from cloud_api.kernel.http import ApiRoute
from cloud_api.kernel.permissions import CurrentPrincipal, Principal, require
from cloud_api.places import service as places

router = APIRouter(tags=["labels"], route_class=ApiRoute)

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_LABELS: dict[int | str, dict[str, Any]] = {
    "200": {"description": "The labels", "content": dict.fromkeys(MIMES.values(), _BYTES)},
    "501": {"description": "This platform can print zpl only"},
}


def _how(
    request: Request,
    format: LabelFormat = "pdf",
    symbology: Symbology | None = None,
    width_mm: Annotated[Millimetres, Query()] = 60,
    height_mm: Annotated[Millimetres, Query()] = 40,
    dpi: Annotated[Dpi, Query()] = 203,
) -> Print:
    size = LabelSize(width_mm=width_mm, height_mm=height_mm, dpi=dpi)
    return Print(size, format, symbology, request.app.state.settings.label_font_folder)


How = Annotated[Print, Depends(_how)]


@router.get(
    "/warehouse/products/{id}/label",
    response_model=None,
    response_class=Response,
    responses=_LABELS,
    dependencies=[require("products:read")],
)
async def get_product_label(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, how: How, copies: Annotated[Copies, Query()] = 1
) -> Response:
    """A product's label: its name, and its stock-keeping number as a QR code, or its GTIN as an element string."""
    return await _answer(request, principal, [LabelWanted(kind="product", id=id, copies=copies)], how)


@router.get(
    "/items/{id}/label",
    response_model=None,
    response_class=Response,
    responses=_LABELS,
    dependencies=[require("items:read")],
)
async def get_item_label(
    request: Request, principal: CurrentPrincipal, id: uuid.UUID, how: How, copies: Annotated[Copies, Query()] = 1
) -> Response:
    """The label of something that is lent: its name, and its number or bar code."""
    return await _answer(request, principal, [LabelWanted(kind="item", id=id, copies=copies)], how)


@router.post(
    "/warehouse/labels",
    response_model=None,
    response_class=Response,
    responses=_LABELS,
    dependencies=[require("products:read")],
)
async def print_labels(request: Request, principal: CurrentPrincipal, body: LabelBatch) -> Response:
    """Labels of products, lots, items and places, in the order in which they are wanted; nothing is changed by it."""
    how = Print(body, body.format, body.symbology, request.app.state.settings.label_font_folder)
    return await _answer(request, principal, body.labels, how)


async def _answer(request: Request, principal: Principal, wanted: Sequence[LabelWanted], how: Print) -> Response:
    """Read what stands on them in a unit of work that is over when they are printed."""
    async with request.app.state.database.unit_of_work(principal.scope, read_only=True) as db:
        seen = await places.visible_to(db, principal)
        subjects = await describe(db, [(one.kind, one.id) for one in wanted], by=principal, seen=seen)
    content = await printed(wanted, subjects, how)
    disposition = f'inline; filename="labels.{how.format}"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(content, media_type=MIMES[how.format], headers=headers)
