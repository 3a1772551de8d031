"""How an excursion is called: in other rooms' books, and to people."""

from cloud_api.cold_chain.excursions.models import Excursion

_SYMBOLS = {"Cel": "°C", "%": "%", "hPa": "hPa", "V": "V"}
_TYPES = {
    ("high", "temperature"): "high_temp",
    ("high", "core_temperature"): "high_temp",
    ("low", "temperature"): "low_temp",
    ("low", "core_temperature"): "low_temp",
}


def source(excursion: Excursion) -> str:
    """As holds and alerts name it."""
    return f"excursion:{excursion.id}"


def group(excursion: Excursion) -> str:
    """What is one alert to people: the same of all sensors of a place."""
    return f"{excursion.kind}:{excursion.quantity}:{excursion.location_id}"


def alert_type(kind: str, quantity: str) -> str:
    """The type of an alert about a bound."""
    if kind.startswith("cumulative"):
        return "cumulative"
    return _TYPES.get((kind, quantity), f"{kind}_{quantity}")


def measured(quantity: str, unit: str, value: float) -> str:
    """`temperature 9.3 °C`."""
    return f"{quantity.replace('_', ' ')} {value:.1f} {_SYMBOLS.get(unit, unit)}"


def breach(kind: str, quantity: str, unit: str, set_at: float) -> str:
    """`temperature above 8 °C`."""
    side = "above" if kind in ("high", "cumulative_high") else "below"
    today = " for too long today" if kind.startswith("cumulative") else ""
    return f"{quantity.replace('_', ' ')} {side} {set_at:g} {_SYMBOLS.get(unit, unit)}{today}"


def breach_of(excursion: Excursion) -> str:
    """The same of an excursion."""
    return breach(excursion.kind, excursion.quantity, excursion.unit, excursion.set_at)
