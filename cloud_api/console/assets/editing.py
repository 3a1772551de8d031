"""Assets are registered, changed, and taken out of service."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, form_rows, forms
from cloud_api.console.asking import Answer, Refused, nothing, together
from cloud_api.console.assets import things
from cloud_api.console.assets.things import ASSETS, ITEMS
from cloud_api.console.choices import Options, options
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/assets")

CATEGORIES = "/warehouse/products/categories"
_FACTS = ("name", "description", "serial_number")
#: rows of what else is known of it
MOST_FACTS = 50
_EMPTY_ROWS = 3
_LABELS: Mapping[str, str] = {
    "name": "Name",
    "description": "Description",
    "category_id": "Category",
    "serial_number": "Serial number",
    "barcode": "Bar code",
    "restricted": "Lent only when agreed",
}
#: what is said of a status that somebody set
_SAID = {"in_repair": "It is in repair.", "active": "It can be lent again.", "lost": "It is written down as lost."}


@router.get("/new")
async def show_new(request: Request, visitor: Looking) -> Response:
    """The form of an asset to come."""
    visitor.need("items:write")
    return await _form(request, visitor, Form.of({"location_id": request.query_params.get("location_id")}))


@router.post("")
async def create(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Register it; the platform gives it its number."""
    form = await forms.read(request)
    body = _body(form, visitor, {})
    try:
        if form.errors:
            return await _form(request, visitor, form, status=422)
        made = await desk.do("POST", ITEMS, {**body, "location_id": form.get("location_id") or None}, key=form.key)
    except Refused as refused:
        _refuse(form, refused)
        return await _form(request, visitor, form, status=refused.status)
    return go(request, f"{ASSETS}/{made['id']}", said="The asset is registered: print its label.")


@router.get("/{id}/edit")
async def show_edit(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """What is known of it, to be changed."""
    visitor.need("items:write")
    item = await desk.get(f"{ITEMS}/{id}")
    return await _form(request, visitor, form_of(item), item=item)


@router.post("/{id}")
async def change(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Change what was typed."""
    form = await forms.read(request)
    item = await desk.get(f"{ITEMS}/{id}")
    body = {**_body(form, visitor, item["attributes"]), **clashes.version_of(form)}
    refused = None
    if not form.errors:
        try:
            await desk.do("PATCH", f"{ITEMS}/{id}", body, key=form.key)
            return go(request, f"{ASSETS}/{id}", said="The asset is changed.")
        except Refused as error:
            refused = error
            _refuse(form, refused)
    return await _form(request, visitor, form, item=item, refused=refused, status=refused.status if refused else 422)


@router.post("/{id}/status")
async def set_status(request: Request, desk: AtDesk, id: str) -> Response:
    """Into repair, mended, lost or found."""
    form = await forms.read(request)
    status = form.get("status")
    await desk.do("PATCH", f"{ITEMS}/{id}", {"status": status, "note": form.get("note")}, key=form.key)
    return go(request, f"{ASSETS}/{id}", said=_SAID[status])


@router.post("/{id}/retire")
async def retire(request: Request, desk: AtDesk, id: str) -> Response:
    """Take it out of service, for good."""
    await desk.do("DELETE", f"{ITEMS}/{id}")
    return go(request, f"{ASSETS}/{id}", said="The asset is out of service. What is known of it stays.")


def form_of(item: Answer) -> Form:
    """A form that shows an asset as it is."""
    plain = {name: item[name] for name in (*_FACTS, "category_id", "barcode", "version")}
    facts = [{"name": name, "value": value} for name, value in item["attributes"].items()]
    form = Form.of({**plain, "facts": facts})
    if item["restricted"]:
        form.values["restricted"] = "true"
    return form


def _body(form: Form, visitor: Visitor, known: Mapping[str, Any]) -> dict[str, Any]:
    """The API's body of what was typed; a fact that is named twice is complained about in the form.

    Args:
        known: the facts that it has already.
    """
    body: dict[str, Any] = {name: form.get(name) for name in _FACTS}
    body |= {"barcode": form.get("barcode") or None, "restricted": form.ticked("restricted"), "attributes": {}}
    if "category_id" in form.values:
        body["category_id"] = form.get("category_id") or None
    for row in range(form_rows.close_up(form, "facts", "name", "value")):
        name = form.get(f"facts.{row}.name")
        if not name:
            form.errors[f"facts.{row}.name"] = visitor.say("Say what this is.")
        elif name in body["attributes"]:
            form.errors[f"facts.{row}.name"] = visitor.say("This stands there twice.")
        body["attributes"][name] = _meant(form.get(f"facts.{row}.value"), known.get(name))
    return body


def _meant(text: str, before: object) -> object:
    """The value of a fact: what it was, unless it was changed; instead of a number a number, and else a text."""
    if forms.shown(before) == text:
        return before
    if isinstance(before, int | float) and not isinstance(before, bool):
        value = forms.whole(text)
        return forms.real(text) if isinstance(value, str) else value
    return text


def _refuse(form: Form, refused: Refused) -> None:
    """What the API says, each complaint beside its field: of one of the facts beside the row that names it."""
    form.refuse(refused)
    named = {form.get(name): name for name in form.values if name.startswith("facts.") and name.endswith(".name")}
    rows = [(f"attributes.{fact}", field) for fact, field in named.items()]
    form_rows.beside(form, [*rows, ("attributes", "facts.0.name")])


def _told(form: Form, categories: Options, visitor: Visitor) -> dict[str, str]:
    """What stands in the form, as it is read beside what somebody else has changed."""
    known = dict(categories)
    told = {visitor.say(label): form.get(name) for name, label in _LABELS.items()}
    told[visitor.say("Category")] = known.get(form.get("category_id"), "")
    facts = sorted(name.removesuffix(".name") for name in form.values if name.startswith("facts.") and ".name" in name)
    told |= {form.get(f"{fact}.name"): form.get(f"{fact}.value") for fact in facts if form.get(f"{fact}.name")}
    return told


async def _form(
    request: Request,
    visitor: Visitor,
    form: Form,
    *,
    item: Answer | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    found, groups = await together(
        visitor.desk.every(CATEGORIES) if visitor.may("products:read") else nothing(),
        things.place_groups(visitor) if item is None else nothing(),
    )
    categories = sorted(options(found), key=lambda pair: pair[1].casefold())
    if item is not None and refused is not None:
        clashes.meet(form, refused, form_of(item), lambda one: _told(one, categories, visitor))
    facts = len(form_rows.places_of(form, "facts", "name", "value"))
    rows = form_rows.to_show(facts + _EMPTY_ROWS - 1, MOST_FACTS)
    return show(
        request,
        "assets/form.html",
        status=status,
        form=form,
        item=item,
        categories=categories,
        groups=groups,
        rows=rows,
    )
