"""A warehouse's floor plan as a drawing: where each place is, what it is like there, how full it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor
from cloud_api.console.writing import number

#: how the climate of a place looks
_TONES = {"in_range": "green", "out_of_range": "red", "unknown": "azure"}
#: how tall a code is written at most: as shares of all that is drawn, and of its place's width and height
_OF_ALL, _OF_WIDTH, _OF_HEIGHT = 0.04, 1.4, 0.4
#: around all of it, as a share of its longer side
_MARGIN = 0.02


@dataclass(frozen=True)
class Drawn:
    """One place, in metres."""

    place: Answer
    x: float
    y: float
    width: float
    height: float
    #: of its code
    text_m: float
    tone: str
    #: all that the drawing shows of it, in words
    told: str
    #: something else is drawn in it: its code stands at the top
    holds: bool


@dataclass(frozen=True)
class Plan:
    """What is drawn, the outer places first, and the part of the plane in which it lies."""

    areas: Sequence[Drawn]
    view: str


def plan_of(areas: Sequence[Answer], visitor: Visitor) -> Plan | None:
    """The drawing of places with an area; None: nobody has said where any of them is."""
    if not areas:
        return None
    parents = {area["parent_id"] for area in areas}
    largest_first = sorted(areas, key=lambda area: -area["map"]["width_m"] * area["map"]["height_m"])
    left, top = (min(area["map"][name] for area in areas) for name in ("x_m", "y_m"))
    width = max(area["map"]["x_m"] + area["map"]["width_m"] for area in areas) - left
    height = max(area["map"]["y_m"] + area["map"]["height_m"] for area in areas) - top
    margin = max(width, height) * _MARGIN
    view = (left - margin, top - margin, width + 2 * margin, height + 2 * margin)
    most = max(width, height) * _OF_ALL
    drawn = [_drawn(area, visitor, most=most, holds=area["id"] in parents) for area in largest_first]
    return Plan(drawn, " ".join(f"{one:g}" for one in view))


def _drawn(area: Answer, visitor: Visitor, *, most: float, holds: bool) -> Drawn:
    at = area["map"]
    fits = (most, at["width_m"] * _OF_WIDTH / len(area["code"]), at["height_m"] * _OF_HEIGHT)
    return Drawn(
        area,
        at["x_m"],
        at["y_m"],
        at["width_m"],
        at["height_m"],
        min(fits),
        "secondary" if area["status"] != "active" else _TONES[area["climate"]],
        ", ".join(_told(area, visitor)),
        holds,
    )


def _told(area: Answer, visitor: Visitor) -> Iterable[str]:
    yield f"{area['code']} {area['name']}"
    if area["status"] != "active":
        yield visitor.writing.word(area["status"])
    if area["climate"] != "unknown":
        yield visitor.writing.word(area["climate"])
    yield from (f"{number(one['value'], 1)} {_UNITS.get(one['unit'], one['unit'])}" for one in area["sensors"])
    if area["utilisation_pct"] is not None:
        yield visitor.say("{percent} % full", percent=number(area["utilisation_pct"], 0))
    elif area["used_kg"]:
        yield f"{number(area['used_kg'])} kg"
    if area["on_hold"]:
        yield visitor.say("goods on hold in it")


_UNITS = {"Cel": "°C", "%RH": "%"}
