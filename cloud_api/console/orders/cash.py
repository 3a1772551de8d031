"""`/console/orders/cash`: what drivers took at doors, counted when they are back."""

from collections.abc import Iterable
from decimal import Decimal

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.files import MOST_ROWS, table_file
from cloud_api.console.forms import Form
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import asked_for, table

router = console_router("/orders/cash")
_HANDOVERS = "/orders/payments/cash/handovers"
_FILTERS = ("driver_id",)
_HEAD = ("Handover", "Driver", "At", "Taken", "Counted", "Difference", "Currency", "Reason", "Counted by")


@router.get("")
async def show_cash(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Who holds how much of which day, and what was handed over."""
    held, handovers = await together(
        desk.get("/orders/payments/cash"), table(request, desk, _HANDOVERS, filters=_FILTERS)
    )
    names = await _people(looking, held, handovers.rows)
    return show(request, "orders/cash.html", held=held, table=handovers, names=names)


@router.get("/export")
async def export_cash(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """What was handed over, as a file."""
    rows = await desk.every(_HANDOVERS, most=MOST_ROWS, **asked_for(request, _FILTERS))
    names = await _people(looking, rows)
    told = (
        [
            row["number"],
            names.person(row["driver_id"]),
            looking.writing.moment(row["received_at"]),
            *(Decimal(row[name]) / 100 for name in ("expected_minor", "counted_minor", "difference_minor")),
            row["currency"],
            row["reason"],
            names.person(row["received_by"]),
        ]
        for row in rows
    )
    return table_file(request, "cash-handovers", [looking.say(column) for column in _HEAD], told)


@router.get("/handover")
async def ask_count(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """How much was counted, beside how much was taken."""
    looking.need("deliveries:write")
    form = Form.of(driver_id=request.query_params.get("driver_id"), through=request.query_params.get("through"))
    return await _show_count(request, desk, looking, form)


@router.post("/handover")
async def hand_over(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Take it over, as it was counted."""
    form = await forms.read(request)
    counted = {name: forms.minor(form.get(name.replace("_minor", ""))) for name in ("expected_minor", "counted_minor")}
    try:
        await desk.do(
            "POST",
            "/orders/payments/cash/handover",
            form.body("driver_id", "through", "reason", **counted),
            key=form.key,
        )
    except Refused as refused:
        form.refuse(refused, counted_minor="counted", expected_minor="counted")
        return await _show_count(request, desk, looking, form, status=refused.status)
    return go(request, "/console/orders/cash", said="The cash is handed over.")


async def _show_count(request: Request, desk: Desk, looking: Visitor, form: Form, *, status: int = 200) -> Response:
    held = [one for one in await desk.get("/orders/payments/cash") if one["driver_id"] == form.get("driver_id")]
    through = form.get("through")
    expected = sum(one["amount_minor"] for one in held if not through or one["day"] <= through)
    form.values["expected"] = f"{expected / 100:.2f}"
    names = await names_of(looking, people=[form.get("driver_id")])
    name = names.person(form.get("driver_id"))
    return show(request, "orders/handover.html", status=status, form=form, expected_minor=expected, name=name)


async def _people(looking: Visitor, *rows: Iterable[Answer]) -> Names:
    """Those who held cash or counted it."""
    those = {row.get(name) for part in rows for row in part for name in ("driver_id", "received_by")}
    return await names_of(looking, people=those)
