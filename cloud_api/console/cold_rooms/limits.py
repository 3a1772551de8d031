"""What a place is to be kept at: what the place itself says, or the rules over it and over what it lies in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cloud_api.console.asking import Answer

SYMBOLS: Mapping[str, str] = {"Cel": "°C", "%": "%", "hPa": "hPa", "V": "V"}
#: the place's own fields, of each quantity
_OWN: Mapping[str, tuple[str, str]] = {
    "temperature": ("temperature_min_c", "temperature_max_c"),
    "humidity": ("humidity_min_pct", "humidity_max_pct"),
}


@dataclass(frozen=True)
class Limits:
    """Between what a quantity is to stay; None: it may be as it likes on that side."""

    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is any."""
        return self.low is not None or self.high is not None

    def beyond(self, value: float) -> float:
        """How far a value lies beyond them; negative: how far it is from them."""
        over = [] if self.high is None else [value - self.high]
        under = [] if self.low is None else [self.low - value]
        return max([*over, *under], default=value)

    def side(self, value: float) -> str:
        """On which side a value lies beyond them: high, low, or neither."""
        if self.high is not None and value > self.high:
            return "high"
        return "low" if self.low is not None and value < self.low else ""


def limits_of(place: Answer, quantity: str, rules: Iterable[Answer]) -> Limits:
    """The strictest of what is said of a quantity in a place.

    Args:
        rules: those of the place and of all that it lies in.
    """
    low, high = (place.get(name) for name in _OWN.get(quantity, ("", "")))
    lows, highs = [low], [high]
    for rule in rules:
        if rule["enabled"] and rule["quantity"] == quantity:
            if rule["kind"] == "high":
                highs.append(rule["set_at"])
            elif rule["kind"] == "low":
                lows.append(rule["set_at"])
    return Limits(
        max((one for one in lows if one is not None), default=None),
        min((one for one in highs if one is not None), default=None),
    )


def around(place_id: str, places: Mapping[str, Answer]) -> list[str]:
    """The place and all that it lies in, from the inside out."""
    chain: list[str] = []
    at: str | None = place_id
    while at is not None and at not in chain:
        chain.append(at)
        at = places.get(at, {}).get("parent_id")
    return chain
