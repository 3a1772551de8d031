"""Vehicles as they are shown and typed: kilograms and rupees, where the API has grams and minor units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from cloud_api.console.asking import Answer
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor

TYPES = ("van", "truck", "bike", "car")
FUELS = ("diesel", "petrol", "electric", "cng")
CLIMATES = ("cold_storage", "freezer", "ambient", "dry_storage")
KINDS = ("service", "repair", "inspection", "tyres", "refrigeration", "other")
#: the dates that a vehicle lives by: the API's field, and what people call it
PAPERS: Mapping[str, str] = {
    "insurance_expires_on": "Insurance",
    "registration_expires_on": "Registration",
    "permit_expires_on": "Permit",
    "pollution_expires_on": "Pollution certificate",
}
SERVICE = "next_maintenance_on"
MOST_COMPARTMENTS = 12
_PARTS = ("name", "storage_type", "temperature_min_c", "temperature_max_c", "capacity_kg")
_SOON_DAYS = 30
_PLAIN = ("number", "vehicle_type", "fuel_type", "model", "home_warehouse_id", SERVICE, *PAPERS)
#: what is emptied when nothing stands in the field
_EMPTIED = ("home_warehouse_id", "driver_id", SERVICE, *PAPERS)


def _whole(text: str) -> object:
    return int(text) if text.lstrip("-").isdecimal() else text


def _float(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _times(factor: int) -> Callable[[str], object]:
    def converted(text: str) -> object:
        try:
            return int(Decimal(text) * factor)
        except InvalidOperation:
            return text

    return converted


#: typed field -> the API's, and how it is converted; what is empty becomes nothing
_FIGURES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "capacity_kg": ("capacity_g", _times(1_000)),
    "capacity_volume_l": ("capacity_volume_l", _whole),
    "fuel_l_per_100km": ("fuel_l_per_100km", _float),
    "energy_kwh_per_100km": ("energy_kwh_per_100km", _float),
    "co2_g_per_km": ("co2_g_per_km", _whole),
    "odometer_km": ("odometer_km", _whole),
    "fixed_cost": ("fixed_cost_minor", _times(100)),
    "cost_per_km": ("cost_per_km_minor", _times(100)),
}
_MAY_BE_UNKNOWN = ("capacity_volume_l", "fuel_l_per_100km", "energy_kwh_per_100km", "co2_g_per_km")
#: what two people may say differently, as the form calls it
_LABELS: Mapping[str, str] = {
    "number": "Number plate",
    "vehicle_type": "Kind",
    "model": "Model",
    "capacity_kg": "Carries, kg",
    "capacity_volume_l": "Volume, litres",
    "driver_id": "Who usually drives it",
    "home_warehouse_id": "Home",
    **PAPERS,
    SERVICE: "Next workshop visit",
    "odometer_km": "Odometer, km",
    "fuel_type": "Runs on",
    "co2_g_per_km": "CO₂, g/km",
    "fuel_l_per_100km": "Litres / 100 km",
    "energy_kwh_per_100km": "kWh / 100 km",
    "fixed_cost": "Cost of a day",
    "cost_per_km": "Cost of a kilometre",
}
#: the API's field -> ours
RENAMED = {sent: typed for typed, (sent, _) in _FIGURES.items()}


@dataclass(frozen=True)
class Paper:
    """A date that a vehicle lives by, and how near it is."""

    title: str
    on: str | None
    #: "expired", "open_soon", "ok", or "not_kept" where nobody keeps watch
    state: str
    days: int = 0


def papers(vehicle: Answer, today: date) -> list[Paper]:
    """Its papers and its next visit to the workshop."""
    named = {**PAPERS, SERVICE: "Next workshop visit"}
    return [_paper(title, vehicle[field], today) for field, title in named.items()]


def worst(vehicle: Answer, today: date) -> Paper | None:
    """The paper or visit that is nearest, of those that need somebody; None: none does."""
    pressing = [paper for paper in papers(vehicle, today) if paper.state in ("expired", "open_soon")]
    return min(pressing, key=lambda paper: paper.days, default=None)


def _paper(title: str, on: str | None, today: date) -> Paper:
    if on is None:
        return Paper(title, None, "not_kept")
    days = (date.fromisoformat(on) - today).days
    state = "expired" if days < 0 else "open_soon" if days <= _SOON_DAYS else "ok"
    return Paper(title, on, state, days)


def form_of(vehicle: Answer) -> Form:
    """A form that shows a vehicle as it is."""
    form = Form.of(vehicle)
    form.values |= {
        "capacity_kg": _divided(vehicle["capacity_g"], 1_000),
        "fixed_cost": _divided(vehicle["fixed_cost_minor"], 100),
        "cost_per_km": _divided(vehicle["cost_per_km_minor"], 100),
    }
    for place, part in enumerate(vehicle["compartments"]):
        form.values[f"compartments.{place}.capacity_kg"] = _divided(part["capacity_g"], 1_000)
    return form


def body_of(form: Form, *, new: bool) -> dict[str, Any]:
    """The API's body of what was typed.

    Args:
        new: of a vehicle to come: what is empty is left out instead of emptied.
    """
    body = form.body(*_PLAIN, "driver_id")
    for typed, (sent, convert) in _FIGURES.items():
        if form.get(typed):
            body[sent] = convert(form.get(typed))
        elif not new and typed in _MAY_BE_UNKNOWN and typed in form.values:
            body[sent] = None
    if new:
        body["is_refrigerated"] = form.ticked("is_refrigerated")
    else:
        body |= {name: None for name in _EMPTIED if name in form.values and not form.get(name)}
    body["compartments"] = _compartments(form)
    return body


def told(form: Form, known: Mapping[str, str], visitor: Visitor) -> Mapping[str, str]:
    """What stands in a form as people read it, a line a field and a line a compartment.

    Args:
        known: what drivers and warehouses are called.
    """
    said, word = {name: form.get(name) for name in _LABELS}, visitor.writing.word
    said |= {name: known.get(said[name], said[name]) for name in ("driver_id", "home_warehouse_id")}
    said |= {name: word(said[name]) for name in ("vehicle_type", "fuel_type") if said[name]}
    lines = {visitor.say(label): said[name] for name, label in _LABELS.items()}
    for place in _typed_places(form):
        name, climate, low, high, capacity = (form.get(f"compartments.{place}.{part}") for part in _PARTS)
        figures = (word(climate), f"{low or '–'} … {high or '–'} °C", f"{capacity} kg")
        lines[f"{visitor.say('Compartments')}: {name}"] = " · ".join(figures)
    return lines


def rows_of(form: Form) -> int:
    """How many rows of compartments a form shows: those with something in them, and two to fill in."""
    used = [place for place in range(MOST_COMPARTMENTS) if form.get(f"compartments.{place}.name")]
    return min(MOST_COMPARTMENTS, (used[-1] + 1 if used else 0) + 2)


def refuse(form: Form, fields: Mapping[str, str]) -> dict[str, str]:
    """How the API's fields are called in this form, compartments at the places that they were typed at."""
    places = _typed_places(form)
    renamed = dict(RENAMED)
    for name in fields:
        part = name.split(".")
        if len(part) == 3 and part[0] == "compartments" and part[1].isdecimal() and int(part[1]) < len(places):
            last = "capacity_kg" if part[2] == "capacity_g" else part[2]
            renamed[name] = f"compartments.{places[int(part[1])]}.{last}"
    return renamed


def _typed_places(form: Form) -> Sequence[int]:
    return [place for place in range(MOST_COMPARTMENTS) if form.get(f"compartments.{place}.name")]


def _compartments(form: Form) -> list[dict[str, object]]:
    parts = []
    for place in _typed_places(form):
        said = {name: form.get(f"compartments.{place}.{name}") for name in ("name", "storage_type")}
        figures = {
            "temperature_min_c": _float(form.get(f"compartments.{place}.temperature_min_c")),
            "temperature_max_c": _float(form.get(f"compartments.{place}.temperature_max_c")),
            "capacity_g": _times(1_000)(form.get(f"compartments.{place}.capacity_kg")),
        }
        parts.append({**said, **{name: value for name, value in figures.items() if value != ""}})
    return parts


def _divided(value: int, by: int) -> str:
    text = f"{Decimal(value) / by:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
