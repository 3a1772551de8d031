"""`/console/products/{id}/bundle`: what a bundle is made of, and how many can be made of what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from fastapi import Request, Response

from cloud_api.console import form_rows, forms
from cloud_api.console.asking import Answer, Refused, nothing, together
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.detail import where_typed
from cloud_api.console.products.listing import PRODUCTS
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products")

_MOST = 100
_LINE = ("component_id", "quantity")


@dataclass(frozen=True)
class Part:
    """A component, and for how many bundles it is enough."""

    row: Answer
    #: None: whoever looks may not see stock
    available: Decimal | None

    @property
    def enough_for(self) -> int | None:
        """Whole bundles; None: nobody can say."""
        if self.available is None:
            return None
        return int((self.available / Decimal(self.row["quantity"])).to_integral_value(ROUND_FLOOR))


@router.get("/{id}/bundle")
async def show_bundle(request: Request, visitor: Looking, id: str) -> Response:
    """Its components, and the form that says others."""
    return await _page(request, visitor, id)


@router.post("/{id}/bundle")
async def replace_bundle(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Let it be made of these, and of nothing else."""
    form = await forms.read(request)
    typed = form_rows.places_of(form, "items", *_LINE)
    items = [form.body(*(f"items.{place}.{name}" for name in _LINE))["items"][0] for place in typed]
    try:
        await desk.do("PUT", f"{PRODUCTS}/{id}/bundle", {"items": items}, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        fields = where_typed(refused.fields, "items", typed)
        form.refuse(Refused(refused.status, refused.code, refused.message, fields))
        return await _page(request, visitor, id, form, status=refused.status)
    return go(request, f"/console/products/{id}/bundle", said="The bundle is made of that from now on.")


def parts_of(rows: Sequence[Answer], there: Mapping[str, Answer] | None) -> list[Part]:
    """Components with what is free of each.

    Args:
        there: what lies of a product, by its id; one of which nothing lies is missing. None: nobody may say.
    """
    none = {"available": "0"}
    return [
        Part(row, None if there is None else Decimal(there.get(row["component_id"], none)["available"])) for row in rows
    ]


async def _page(
    request: Request, visitor: Visitor, id: str, form: Form | None = None, *, status: int = 200
) -> Response:
    desk = visitor.desk
    product, rows = await together(desk.get(f"{PRODUCTS}/{id}"), desk.get(f"{PRODUCTS}/{id}/bundle"))
    ids, sees = [row["component_id"] for row in rows], visitor.may("stock:read")
    shown = form or _form_of(rows)
    typed = form_rows.places_of(shown, "items", *_LINE)
    levels, names = await together(
        desk.every("/warehouse/stock/levels/summary", product_id=ids) if ids and sees else nothing(),
        names_of(visitor, products=[shown.get(f"items.{place}.component_id") for place in typed]),
    )
    parts = parts_of(rows, {one["product_id"]: one for one in levels} if sees else None)
    enough = [part.enough_for for part in parts if part.enough_for is not None]
    return show(
        request, "products/bundle.html", status=status, product=product, parts=parts, form=shown, names=names,
        can_make=min(enough, default=None), lines=form_rows.to_show(max(typed, default=-1) + 1, _MOST),
        is_bundle=product["product_type"] == "bundle",
    )  # fmt: skip


def _form_of(rows: Sequence[Answer]) -> Form:
    form = Form()
    for place, row in enumerate(rows):
        quantity = f"{Decimal(row['quantity']).normalize():f}"
        form.values |= {f"items.{place}.component_id": row["component_id"], f"items.{place}.quantity": quantity}
    return form
