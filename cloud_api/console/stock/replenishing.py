"""`/console/stock/low` and `/console/stock/rules`: what is to be bought again, how much of it, and who decides when."""

from fastapi import Request, Response

from cloud_api.console import clashes, files, forms
from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.choices import options, warehouses_of
from cloud_api.console.forms import Form
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/stock")

_LOW = "/warehouse/products/low-stock"
_RULES = "/warehouse/stock/reorder-rules"
_FILTERS = ("warehouse_id", "product_id")
#: what a rule says: when, and how much
_SAID = {
    "reorder_point": "Order at",
    "reorder_quantity": "So much at a time",
    "up_to_level": "Or up to so much",
    "lead_time_days": "Days until it comes",
}


@router.get("/low")
async def show_low(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Products of which too little may be sold, and what to buy."""
    listed, warehouses = await together(table(request, desk, _LOW, filters=_FILTERS), warehouses_of(visitor))
    names = await names_of(visitor, warehouses=[row["warehouse_id"] for row in listed.rows])
    return show(request, "stock/low.html", table=listed, names=names, warehouses=options(warehouses))


@router.get("/low/export")
async def export_low(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """The same as a file, to buy by."""
    rows = await desk.every(_LOW, most=files.MOST_ROWS, **asked_for(request, _FILTERS))
    names = await names_of(visitor, warehouses=[row["warehouse_id"] for row in rows])
    say = visitor.say
    head = [
        say("Product"), say("Number"), say("Warehouse"), say("Available"), say("Order at"), say("Missing"),
        say("To order"), say("Unit"), say("Days until it comes"),
    ]  # fmt: skip
    cells = (
        [
            row["name"],
            row["sku"],
            names.warehouse(row["warehouse_id"]),
            *(files.amount(row[name]) for name in ("available", "reorder_point", "shortage", "suggested_quantity")),
            row["unit"],
            row["lead_time_days"],
        ]
        for row in rows
    )
    return files.table_file(request, "to-order", head, cells)


@router.get("/rules")
async def show_rules(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """When products are bought again in single warehouses."""
    listed, warehouses = await together(table(request, desk, _RULES, filters=_FILTERS), warehouses_of(visitor))
    names = await names_of(
        visitor,
        products=[row["product_id"] for row in listed.rows],
        warehouses=[row["warehouse_id"] for row in listed.rows],
    )
    return show(request, "stock/rules.html", table=listed, names=names, warehouses=options(warehouses))


@router.get("/rules/new")
async def show_new_rule(request: Request, visitor: Looking) -> Response:
    """The form for another."""
    asked = request.query_params
    form = Form.of({name: asked.get(name, "") for name in (*_FILTERS, "reorder_point", "reorder_quantity")})
    return await _page(request, visitor, form)


@router.post("/rules/new")
async def add_rule(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say when a product is bought again in one warehouse."""
    form = await forms.read(request)
    try:
        await desk.do("POST", _RULES, {**form.body(*_FILTERS), **_body(form, empty=False)}, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        return await _page(request, visitor, form, status=refused.status)
    return go(request, "/console/stock/rules", said="The rule is there.")


@router.get("/rules/{id}")
async def show_rule(request: Request, visitor: Looking, id: str) -> Response:
    """One rule for ordering, in its form."""
    return await _page(request, visitor, _form_of(await visitor.desk.get(f"{_RULES}/{id}")), id)


@router.post("/rules/{id}")
async def change_rule(request: Request, desk: AtDesk, visitor: Looking, id: str) -> Response:
    """Say it otherwise."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", f"{_RULES}/{id}", {**_body(form, empty=True), **clashes.version_of(form)}, key=form.key)
    except Refused as refused:
        _complain(form, refused)
        if clashes.is_stale(refused):
            now = _form_of(await desk.get(f"{_RULES}/{id}"))
            clashes.meet(form, refused, now, clashes.said(visitor, _SAID))
        return await _page(request, visitor, form, id, status=refused.status)
    return go(request, "/console/stock/rules", said="The rule is changed.")


@router.post("/rules/{id}/delete")
async def delete_rule(request: Request, desk: AtDesk, id: str) -> Response:
    """The product's own point counts there again."""
    await desk.do("DELETE", f"{_RULES}/{id}")
    return go(request, "/console/stock/rules", said="The rule is taken away.")


async def _page(request: Request, visitor: Visitor, form: Form, id: str = "", *, status: int = 200) -> Response:
    if not visitor.may("stock:write"):
        raise Refused(403, "FORBIDDEN", "this needs the permission stock:write")
    names, warehouses = await together(
        names_of(visitor, products=[form.get("product_id")]), warehouses_of(visitor, closed=bool(id))
    )
    return show(
        request, "stock/rule.html", status=status, form=form, id=id, names=names, warehouses=options(warehouses)
    )


def _body(form: Form, *, empty: bool) -> dict[str, object]:
    """What is said; with `empty`, what is left empty is said to be nothing."""
    body: dict[str, object] = {"reorder_point": form.get("reorder_point") or "0"}
    for name in ("reorder_quantity", "up_to_level"):
        if empty or form.get(name):
            body[name] = form.get(name) or None
    days = form.get("lead_time_days")
    if empty or days:
        body["lead_time_days"] = int(days) if days.isdecimal() else days or None
    return body


def _form_of(rule: Answer) -> Form:
    said = {name: rule[name] for name in (*_FILTERS, *_SAID, "version")}
    return Form.of({**said, **_plain(said)})


def _plain(said: dict[str, str | None]) -> dict[str, str]:
    """Quantities as people type them, without zeros that say nothing."""
    names = ("reorder_point", "reorder_quantity", "up_to_level")
    return {name: f"{files.amount(said[name]):f}".rstrip("0").rstrip(".") for name in names if said[name]}


def _complain(form: Form, refused: Refused) -> None:
    if refused.status == 403:
        raise refused
    form.refuse(refused)
