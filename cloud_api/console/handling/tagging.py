"""`/console/sightings/bindings/many`: crates are tagged one after the other, and said at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from cloud_api.console import forms
from cloud_api.console.asking import Refused
from cloud_api.console.forms import Form
from cloud_api.console.handling.choosing import choices_for
from cloud_api.console.handling.tags import HERE, TAGS, amount_of
from cloud_api.console.pages import Visitor, go, show
from cloud_api.console.route import AtDesk, Looking, console_router

#: before the page of one tag: `many` is no id
router = console_router("/sightings/bindings/many")

_BETWEEN = re.compile(r"[\s,;]+")
_COMPLAINT = re.compile(r"tags\.(\d+)\.?(.*)")


@dataclass(frozen=True)
class _Line:
    """A line that was typed or scanned."""

    #: from 1, as people count
    number: int
    epc: str
    #: of this tag alone; empty: what is said of all
    quantity: str
    weight_g: str

    @property
    def said(self) -> tuple[str, str, str]:
        """What makes it another line."""
        return self.epc.upper(), self.quantity, self.weight_g


@router.get("")
async def show_many(request: Request, visitor: Looking) -> Response:
    """The form: a scanner types a line for each tag."""
    return await _page(request, visitor, Form())


@router.post("/draft")
async def show_draft(request: Request, visitor: Looking) -> Response:
    """The same form with tags that another page has found."""
    sent = await forms.read(request)
    return await _page(request, visitor, Form.of(epcs="\n".join(sent.many.get("epc", []))))


@router.post("")
async def bind_many(request: Request, desk: AtDesk, visitor: Looking) -> Response:
    """Say what all of them are on: all, or none."""
    form = await forms.read(request)
    lines = lines_of(form.get("epcs"))
    if not _is_filled(form, visitor, lines):
        return await _page(request, visitor, form, status=422)
    try:
        made = await desk.do("POST", f"{TAGS}/bulk", {"tags": [_binding(form, line) for line in lines]}, key=form.key)
    except Refused as refused:
        if refused.status == 403:
            raise
        _complain(form, refused, lines, visitor)
        return await _page(request, visitor, form, status=refused.status)
    said = "It is known what the tags are on." if len(made) > 1 else "It is known what the tag is on."
    return go(request, f"{HERE}?entity_type=lot", said=said)


def lines_of(text: str) -> list[_Line]:
    """A tag a line, after it how much is there if that is not what is said of all; what stands twice counts once."""
    lines: dict[tuple[str, str, str], _Line] = {}
    for number, typed in enumerate(text.splitlines(), 1):
        parts = [part for part in _BETWEEN.split(typed.strip()) if part]
        if parts:
            line = _Line(number, *[*parts, "", ""][:3])
            lines.setdefault(line.said, line)
    return list(lines.values())


def _is_filled(form: Form, visitor: Visitor, lines: Sequence[_Line]) -> bool:
    if not lines:
        form.errors["epcs"] = visitor.say("Scan a tag, or paste a list of them: one a line")
    if not form.get("entity_id"):
        form.errors["entity_id"] = visitor.say("Choose what the tags are on")
    if not form.get("quantity") and not (lines and all(line.quantity for line in lines)):
        form.errors["quantity"] = visitor.say("Say how much of it is where each tag is")
    return not form.errors


def _binding(form: Form, line: _Line) -> dict[str, Any]:
    own = Form(values={"quantity": line.quantity, "weight_g": line.weight_g})
    amount = {**amount_of(form, ""), **amount_of(own, "")}
    return {"entity_type": "lot", "epc": line.epc, **form.body("entity_id", "goods_location_id"), **amount}


def _complain(form: Form, refused: Refused, lines: Sequence[_Line], visitor: Visitor) -> None:
    """What the API says of a tag, beside the list with its line; of what is said of all, beside that."""
    told: dict[str, str] = {}
    for name, message in refused.fields.items():
        match = _COMPLAINT.fullmatch(name)
        line = lines[int(match[1])] if match and int(match[1]) < len(lines) else None
        field = match[2] if match else name
        own = line is not None and (field == "epc" or bool(getattr(line, field, "")))
        if line is not None and (own or field not in ("entity_id", "quantity", "weight_g", "goods_location_id")):
            said = visitor.say("Line {line}: {what}", line=line.number, what=message)
            told["epcs"] = f"{told['epcs']} {said}" if "epcs" in told else said
        else:
            told.setdefault(field, message)
    form.refuse(Refused(refused.status, refused.code, refused.message, told))


async def _page(request: Request, visitor: Visitor, form: Form, *, status: int = 200) -> Response:
    visitor.need("stock:write")
    choices, names = await choices_for(visitor, lots=[form.get("entity_id")])
    groups = choices.place_groups()
    return show(request, "handling/tag_many.html", status=status, form=form, groups=groups, names=names)
