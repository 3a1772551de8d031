"""`/console/dispatch/constraints`: how the organisation plans when nobody says otherwise."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import Request, Response

from cloud_api.console import clashes, forms
from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import go, show
from cloud_api.console.route import AtDesk, Looking, console_router

router = console_router("/dispatch")
FACTORS = ("weekday_factors", "weekend_factors")
_HOURS = 24


@dataclass(frozen=True)
class Limit:
    """One number of the form.

    Args:
        unit: as people type it.
        scale: how many of the API's units one of those is: 60 where it counts seconds and people minutes.
        whole: whether the API takes whole numbers only.
    """

    name: str
    label: str
    unit: str
    least: float
    most: float
    scale: int = 1
    whole: bool = True
    hint: str = ""


#: heading -> its numbers
GROUPS: dict[str, tuple[Limit, ...]] = {
    "At the door": (
        Limit("service_time_s", "Handing over at a door", "min", 0, 240, 60),
        Limit("service_s_per_100_kg", "More for each 100 kg", "min", 0, 60, 60),
        Limit("late_tolerance_s", "A door may be served late by", "min", 0, 1440, 60),
        Limit(
            "late_cost_per_hour", "Price of an hour late", "units", 0, 100_000_000, hint="In units of the objective."
        ),
        Limit("retry_priority", "Priority for each failed attempt", "points", 0, 100),
    ),
    "On the road": (
        Limit("speed_kmh", "Speed in the city", "km/h", 1, 150, whole=False),
        Limit("detour_factor", "Road for each metre of beeline", "times", 1, 5, whole=False),
        Limit("max_stops", "Stops of a van at most", "stops", 1, 500, hint="Empty: no limit."),
        Limit("max_distance_m", "Distance of a van at most", "km", 1, 2_000, 1_000, hint="Empty: no limit."),
    ),
    "Drivers": (
        Limit("drive_at_most_s", "Driving without a rest", "min", 30, 720, 60, hint="Empty: no limit."),
        Limit("rest_s", "Length of a rest", "min", 0, 240, 60),
        Limit("overtime_s", "A van on the road may be sent after its shift for", "min", 0, 480, 60),
    ),
    "Cold goods": (
        Limit("chilled_aboard_s", "Chilled goods in a van at most", "min", 10, 1440, 60, hint="Empty: no limit."),
        Limit("frozen_aboard_s", "Frozen goods in a van at most", "min", 10, 1440, 60, hint="Empty: no limit."),
    ),
    "Money": (
        Limit("driver_cost_per_hour_minor", "A driver's hour", "money", 0, 1_000_000, 100),
        Limit("fuel_price_minor_per_l", "A litre of fuel", "money", 0, 1_000_000, 100),
        Limit("co2_price_minor_per_kg", "A kilogram of carbon dioxide", "money", 0, 1_000_000, 100),
    ),
    "Planning again": (
        Limit("max_moved", "Stops that may change vans for a late order", "stops", 0, 50),
        Limit("handover_s", "Handing over an order from a broken van", "min", 0, 60, 60),
    ),
}
_LABELS = {"objective": "Keep small"} | {limit.name: limit.label for limits in GROUPS.values() for limit in limits}
OBJECTIVES = (
    ("distance", "Distance"),
    ("time", "Time"),
    ("fuel", "Fuel"),
    ("cost", "Cost"),
    ("hybrid", "Cost with carbon dioxide"),
)


@router.get("/constraints")
async def show_constraints(request: Request, desk: AtDesk) -> Response:
    """As they are."""
    said = await desk.get("/dispatch/constraints")
    return show(request, "dispatch/constraints.html", form=_form(said), said=said, **_known())


@router.post("/constraints")
async def save_constraints(request: Request, desk: AtDesk, looking: Looking) -> Response:
    """Set them, all of them."""
    form = await forms.read(request)
    try:
        await desk.do("PUT", "/dispatch/constraints", body_of(form), key=form.key)
    except Refused as refused:
        form.refuse(refused)
        said = await desk.get("/dispatch/constraints")
        objectives = clashes.said(looking, dict(OBJECTIVES))
        clashes.meet(form, refused, _form(said), clashes.said(looking, _LABELS), objective=objectives.get)
        told = {"form": form, "said": said, **_known()}
        return show(request, "dispatch/constraints.html", status=refused.status, **told)
    return go(request, "/console/dispatch/constraints", said="Saved: the next plan keeps to it.")


def body_of(form: Form) -> dict[str, Any]:
    """What was typed, in the API's units; what is no number goes as it is, and comes back with its complaint."""
    body: dict[str, Any] = {
        "objective": form.get("objective"),
        "learn_service_times": form.ticked("learn_service_times"),
        **clashes.version_of(form),
    }
    for limits in GROUPS.values():
        body |= {limit.name: _sent(form.get(limit.name), limit) for limit in limits if form.get(limit.name)}
    for name in FACTORS:
        typed = [form.get(f"{name}.{hour}") for hour in range(_HOURS)]
        body[name] = [_number(one or "1") for one in typed] if any(typed) else []
    return body


def _sent(typed: str, limit: Limit) -> object:
    value = _number(typed)
    if isinstance(value, str):
        return value
    scaled = Decimal(str(value)) * limit.scale
    return int(scaled) if limit.whole and scaled == int(scaled) else float(scaled)


def _number(typed: str) -> float | str:
    try:
        value = Decimal(typed)
    except InvalidOperation:
        return typed
    return float(value) if value.is_finite() else typed


def _form(said: Answer) -> Form:
    form = Form.of({name: value for name, value in said.items() if value is not None})
    for limits in GROUPS.values():
        for limit in limits:
            value = said[limit.name]
            form.values[limit.name] = "" if value is None else f"{Decimal(str(value)) / limit.scale:f}"
    return form


def _known() -> dict[str, Any]:
    return {"groups": GROUPS, "objectives": OBJECTIVES, "factors": FACTORS, "hours": range(_HOURS)}
