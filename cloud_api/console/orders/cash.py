"""`/console/orders/cash`: what drivers took at doors, counted when they are back."""

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Answer, Desk, Refused
from cloud_api.console.forms import Form
from cloud_api.console.orders import known
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router
from cloud_api.console.tables import table

router = console_router("/orders/cash")


@router.get("")
async def show_cash(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Who holds how much of which day, and what was handed over."""
    held = await desk.get("/orders/payments/cash")
    handovers = await table(request, desk, "/orders/payments/cash/handovers", filters=("driver_id",))
    return show(request, "orders/cash.html", held=held, table=handovers, people=await _people(desk, looking))


@router.get("/handover")
async def ask_count(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """How much was counted, beside how much was taken."""
    known.need(looking, "deliveries:write")
    form = Form.of(driver_id=request.query_params.get("driver_id"), through=request.query_params.get("through"))
    return await _show_count(request, desk, looking, form)


@router.post("/handover")
async def hand_over(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Take it over, as it was counted."""
    form = await forms.read(request)
    counted = {name: known.minor(form.get(name.replace("_minor", ""))) for name in ("expected_minor", "counted_minor")}
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
    people = await _people(desk, looking)
    name = people.get(form.get("driver_id"), "")
    return show(request, "orders/handover.html", status=status, form=form, expected_minor=expected, name=name)


async def _people(desk: Desk, looking: Visitor) -> dict[str, Answer]:
    """Id -> name of those who may hold cash or count it, where this person may read of people."""
    return known.names(await desk.every("/admin/users"), "full_name") if looking.may("users:read") else {}
