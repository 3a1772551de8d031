"""`/console/lots/{id}/split`, `/merge` and `/repack`: one lot becomes others, and what came of what stays known."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.handling.sheets import taken
from cloud_api.console.lots.listing import LOTS
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.detail import where_typed
from cloud_api.console.products.listing import PRODUCTS
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.stock.levels import LEVELS

router = console_router("/lots")

#: lots that can be typed at once
_LINES = 5
_LEVELS = 100


@router.get("/{id}/split")
async def show_split(request: Request, visitor: Looking, id: str) -> Response:
    """The form for making several lots of what lies in a place."""
    return await _page(request, visitor, id, "split", Form())


@router.post("/{id}/split")
async def split(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Make them."""
    form = await forms.read(request)
    lines = _lines(form, "parts")
    parts = [_made(form, "parts", line) for line in lines]
    try:
        await desk.do("POST", f"{LOTS}/{id}/split", form.body("location_id", "reference", parts=parts), key=form.key)
    except Refused as refused:
        _complain(form, refused, where_typed(refused.fields, "parts", lines))
        if not lines:
            form.problem = visitor.say("Say of at least one new lot what it is called and how much it is.")
        return await _page(request, visitor, id, "split", form, refused.status)
    return go(request, f"/console/lots/{id}", said="The lot is split.")


@router.get("/{id}/repack")
async def show_repack(request: Request, visitor: Looking, id: str) -> Response:
    """The form for packing a part of it as something else."""
    return await _page(request, visitor, id, "repack", Form())


@router.get("/{id}/repack/weight")
async def show_made_weight(
    request: Request, desk: AtDesk, id: str, line: Annotated[int, Query(ge=0, lt=_LINES)]
) -> Response:
    """The field for the weight of what comes out, if that is weighed piece by piece; else nothing."""
    at, asked = f"made.{line}.", request.query_params
    chosen = asked.get(f"{at}product_id") or (await desk.get(f"{LOTS}/{id}"))["product_id"]
    product = await desk.get(f"{PRODUCTS}/{chosen}")
    if not product["catch_weight"]:
        return Response()
    return show(request, "lots/made_weight.html", form=Form.of(dict(asked)), at=at)


@router.post("/{id}/repack")
async def repack(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Book what went in, what came out, and what was lost."""
    form = await forms.read(request)
    lines = _lines(form, "made")
    said = form.body("location_id", "to_location_id", "quantity", "reference")
    said |= {name: _grams(form.get(name)) for name in ("weight_g", "loss_g") if form.get(name)}
    said["made"] = [_made(form, "made", line, "product_id", "expires_on") for line in lines]
    try:
        await desk.do("POST", f"{LOTS}/{id}/repack", said, key=form.key)
    except Refused as refused:
        _complain(form, refused, where_typed(refused.fields, "made", lines))
        if not lines:
            form.problem = visitor.say("Say of at least one new lot what it is called and how much it is.")
        return await _page(request, visitor, id, "repack", form, refused.status)
    return go(request, f"/console/lots/{id}", said="It is packed anew.")


@router.get("/{id}/merge")
async def show_merge(request: Request, visitor: Looking, id: str) -> Response:
    """A sheet of all that lies of the same product."""
    return await _page(request, visitor, id, "merge", Form())


@router.post("/{id}/merge")
async def merge(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Put them together into a new lot."""
    form = await forms.read(request)
    rows = taken(form)
    portions = [{"lot_id": row.lot_id, "location_id": row.location_id, **row.amount} for row in rows]
    try:
        body = form.body("lot_number", "to_location_id", "reference", portions=portions)
        made = await desk.do("POST", f"{LOTS}/merge", body, key=form.key)
    except Refused as refused:
        ours: dict[str, str] = {}
        for place, row in enumerate(rows):
            ours |= row.beside(f"portions.{place}.", "location_id")
        _complain(form, refused, {ours.get(name, name): said for name, said in refused.fields.items()})
        form.errors.pop("portions", None)
        if len(rows) < len(("one", "another")):
            form.problem = visitor.say("Say of at least two of them how much goes in.")
        return await _page(request, visitor, id, "merge", form, refused.status)
    return go(request, f"/console/lots/{made['lots'][0]}", said="The lots are put together.")


async def _page(request: Request, visitor: Visitor, id: str, act: str, form: Form, status: int = 200) -> Response:
    if not visitor.may("stock:write"):
        raise Refused(403, "FORBIDDEN", "this needs the permission stock:write")
    lot = await visitor.desk.get(f"{LOTS}/{id}")
    wanted = {"product_id": lot["product_id"]} if act == "merge" else {"lot_id": id}
    levels = (await visitor.desk.page(LEVELS, in_stock=True, sort="keeps_until", limit=_LEVELS, **wanted)).items
    into = [form.get(f"made.{line}.product_id") for line in range(_LINES)]
    choices, names = await choices_for(
        visitor, products=[lot["product_id"], *into], lots=[level["lot_id"] for level in levels]
    )
    if len(levels) == 1:
        form.values.setdefault("location_id", levels[0]["location_id"])
    lying = [(one["location_id"], _lies(one, names.place(one["location_id"]))) for one in levels]
    product: Mapping[str, Any] = names.products.get(lot["product_id"], {})
    return show(
        request, f"lots/{act}.html", status=status, lot=lot, form=form, choices=choices, names=names, levels=levels,
        lying=lying, product=product, count=_LINES,
    )  # fmt: skip


def _lies(level: Answer, place: str) -> str:
    return f"{place} · {level['on_hand'].rstrip('0').rstrip('.')}"


def _lines(form: Form, within: str) -> list[int]:
    """The lines that were filled in."""
    fields = ("lot_number", "quantity")
    return [line for line in range(_LINES) if any(form.get(f"{within}.{line}.{name}") for name in fields)]


def _made(form: Form, within: str, line: int, *more: str) -> dict[str, Any]:
    at = f"{within}.{line}."
    made: dict[str, Any] = {name: form.get(at + name) for name in ("lot_number", "quantity")}
    made |= {name: form.get(at + name) for name in more if form.get(at + name)}
    if weight := form.get(f"{at}weight_g"):
        made["weight_g"] = _grams(weight)
    return made


def _grams(text: str) -> object:
    """A number where it is one: what is none is for the API to refuse."""
    return int(text) if text.isdecimal() else text


def _complain(form: Form, refused: Refused, fields: Mapping[str, str]) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(Refused(refused.status, refused.code, refused.message, fields))
