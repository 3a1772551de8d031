"""`/console/products/categories`: the tree in which products are found: made, moved, renamed, taken away."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.products.listing import CATEGORIES
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/products/categories")

_AT = "/console/products/categories"
_FACTS = ("name", "slug", "description", "color")
_DECIMALS = ("reference_temperature_c", "q10")
#: what two people may say differently, as the form calls it
_LABELS: Mapping[str, str] = {
    "name": "Name",
    "slug": "In addresses",
    "parent_id": "Under",
    "sort_order": "Order",
    "color": "Colour",
    "description": "Description",
    "reference_temperature_c": "Shelf life said for, °C",
    "q10": "Q10",
    "is_active": "Shown to customers",
}
_NO_SIGN = re.compile(r"[^a-z0-9]+")


@router.get("")
async def show_categories(request: Request, visitor: Looking) -> Response:
    """The whole tree, and the form for another."""
    return await _tree(request, visitor, Form.of(parent_id=request.query_params.get("parent_id", "")))


@router.post("")
async def add_category(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Add one, at the top or under another."""
    form = await forms.read(request)
    form.values["slug"] = form.get("slug") or _slug(form.get("name"))
    try:
        await desk.do("POST", CATEGORIES, {**form.body("name", "slug"), "parent_id": _parent(form)}, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _tree(request, visitor, form, refused.status)
    return go(request, _AT, said="The category is added.")


@router.get("/{id}")
async def show_category(request: Request, visitor: Looking, id: str) -> Response:
    """What is said of one, and where it stands."""
    if not visitor.may("products:write"):
        raise Refused(403, "FORBIDDEN", "this needs the permission products:write")
    category = await visitor.desk.get(f"{CATEGORIES}/{id}")
    return await _page(request, visitor, category, _form_of(category))


@router.post("/{id}")
async def change_category(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Rename it, move it with all below it, say how its goods age."""
    form = await forms.read(request)
    body: dict[str, Any] = {name: form.get(name) for name in ("name", "slug", "description")}
    body |= {"color": form.get("color") or None, "parent_id": _parent(form), "is_active": form.ticked("is_active")}
    body |= {name: _number(form.get(name)) for name in _DECIMALS}
    body |= {"sort_order": _number(form.get("sort_order")) or 0, **clashes.version_of(form)}
    try:
        await desk.do("PUT", f"{CATEGORIES}/{id}", body, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _page(request, visitor, await desk.get(f"{CATEGORIES}/{id}"), form, refused)
    return go(request, _AT, said="The category is changed.")


@router.post("/{id}/delete")
async def delete_category(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it away; what is in it moves to where it was."""
    await desk.do("DELETE", f"{CATEGORIES}/{id}")
    return go(request, _AT, said="The category is taken away.")


def flat(tree: Sequence[Answer], depth: int = 0) -> Iterator[tuple[int, Answer]]:
    """Each category with how deep it stands, in the order in which shelves are walked."""
    for node in tree:
        yield depth, node
        yield from flat(node["children"], depth + 1)


async def _tree(request: Request, visitor: Visitor, form: Form, status: int = 200) -> Response:
    rows = list(flat(await visitor.desk.get(f"{CATEGORIES}/tree")))
    return show(
        request, "products/categories.html", status=status, form=form, rows=rows, parents=_parents(rows, without="")
    )


async def _page(
    request: Request, visitor: Visitor, category: Answer, form: Form, refused: Refused | None = None
) -> Response:
    rows = list(flat(await visitor.desk.get(f"{CATEGORIES}/tree")))
    parents = _parents(rows, without=category["id"])
    if refused is not None:
        labels = clashes.said(visitor, _LABELS)
        clashes.meet(form, refused, _form_of(category), labels, parent_id=dict(parents).get)
    status = 200 if refused is None else refused.status
    return show(request, "products/category.html", status=status, form=form, category=category, parents=parents)


def _form_of(category: Answer) -> Form:
    said = {name: category[name] for name in (*_FACTS, *_DECIMALS, "parent_id", "sort_order", "version")}
    return Form.of(said, is_active=category["is_active"] or None)


def _parents(rows: Sequence[tuple[int, Answer]], *, without: str) -> list[tuple[str, str]]:
    """Where a category can stand: everywhere but within itself."""
    parents, inside = [], None
    for depth, node in rows:
        if inside is not None and depth > inside:
            continue
        inside = depth if node["id"] == without else None
        if inside is None:
            parents.append((node["id"], "\u2003" * depth + str(node["name"])))
    return parents


def _parent(form: Form) -> str | None:
    return form.get("parent_id") or None


def _slug(name: str) -> str:
    """A name as it stands in addresses: `Leafy greens` is `leafy-greens`."""
    return _NO_SIGN.sub("-", name.lower()).strip("-")


def _number(text: str) -> object:
    if not text:
        return None
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _complain(form: Form, refused: Refused) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(refused)
