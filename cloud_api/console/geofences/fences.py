"""Fences as they are typed and drawn: a circle by its centre and radius, a polygon by one corner a line."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor

KINDS = ("depot", "customer", "restricted")
SHAPES = ("circle", "polygon")
#: how a kind of fence looks on a map
TONES: Mapping[str, str] = {"depot": "primary", "customer": "green", "restricted": "red"}
CORNERS = "polygon"
_CIRCLE = ("latitude", "longitude", "radius_m")
#: what two people may say differently, as the form calls it
LABELS: Mapping[str, str] = {
    "name": "Name",
    "kind": "Kind",
    "warehouse_id": "Warehouse",
    "circle.latitude": "Latitude",
    "circle.longitude": "Longitude",
    "circle.radius_m": "Radius, m",
    "polygon": "Corners",
}
_BETWEEN = re.compile(r"[\s,;]+")
_CORNER = re.compile(r"polygon\.(\d+)")


def form_of(fence: Answer) -> Form:
    """A fence, to be changed."""
    corners = "\n".join(f"{latitude:.6f}, {longitude:.6f}" for latitude, longitude in fence["polygon"] or ())
    shown = {name: fence[name] for name in ("name", "kind", "warehouse_id", "version")}
    circle = {f"circle.{name}": fence["circle"][name] for name in _CIRCLE} if fence["circle"] else {}
    return Form.of(shape="polygon" if corners else "circle", polygon=corners, **shown, **circle)


def body_of(form: Form) -> dict[str, Any]:
    """What the API is sent; what is no number goes as it was typed, so that the API says so."""
    body: dict[str, Any] = {
        "name": form.get("name"),
        "kind": form.get("kind"),
        "warehouse_id": form.get("warehouse_id") or None,
    }
    if form.get("shape") == "polygon":
        return {**body, "polygon": corners_of(form.get(CORNERS))}
    return {**body, "circle": {name: _figure(form.get(f"circle.{name}")) for name in _CIRCLE}}


def corners_of(text: str) -> list[list[object]]:
    """`latitude, longitude` of each line that is not empty."""
    return [[_figure(part) for part in _BETWEEN.split(line.strip())] for line in text.splitlines() if line.strip()]


def refuse(form: Form, refused: Refused, visitor: Visitor) -> None:
    """Show what the API said: of a corner beside the field that has them all, with its line."""
    said: dict[str, str] = {}
    for name, message in refused.fields.items():
        corner = _CORNER.match(name)
        shown = CORNERS if corner else "circle.latitude" if name == "circle" else name
        line = (
            visitor.say("Line {number}: {message}", number=int(corner[1]) + 1, message=message) if corner else message
        )
        said.setdefault(shown, line)
    form.refuse(Refused(refused.status, refused.code, refused.message, said))


def drawn(fences: Iterable[Answer], visitor: Visitor) -> dict[str, Any]:
    """What a map shows of them."""
    shapes = [
        {
            "circle": fence["circle"],
            "polygon": fence["polygon"],
            "tone": TONES.get(fence["kind"], "secondary"),
            "title": f"{fence['name']} · {visitor.writing.word(fence['kind'])}",
            "address": f"/console/geofences/{fence['id']}",
        }
        for fence in fences
    ]
    return {"points": [], "shapes": shapes}


def _figure(text: str) -> object:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
