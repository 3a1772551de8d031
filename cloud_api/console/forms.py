"""What people type: read as it was sent, shown again as they typed it, with the API's complaints beside the fields.

A field is named by its dotted path in the API's body: `lines.0.quantity` is the quantity of the first line. So what
the API says of a field finds its way back to it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from cloud_api.console.asking import Refused

#: the field that carries the form's idempotency key: sent twice, it is done once
KEY = "_key"


@dataclass(frozen=True)
class Difference:
    """A field that is otherwise than somebody typed."""

    label: str
    now: str
    typed: str


@dataclass
class Form:
    """What was typed, and what is wrong with it."""

    values: dict[str, str] = field(default_factory=dict)
    #: fields that were sent more than once, as boxes that are ticked are
    many: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    #: what is wrong with all of it
    problem: str = ""
    #: what somebody else has changed meanwhile; None: nobody has (`clashes.py`)
    clash: list[Difference] | None = None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def of(cls, said: Mapping[str, Any] | None = None, **values: object) -> "Form":
        """A form that shows what is there already."""
        return cls(values={**_flat(said or {}), **{name: shown(value) for name, value in values.items()}})

    def get(self, name: str, default: str = "") -> str:
        """What was typed into a field, without the spaces around it."""
        return self.values.get(name, default).strip()

    def error(self, name: str) -> str:
        """What is wrong with a field."""
        return self.errors.get(name, "")

    def body(self, *names: str, **fixed: object) -> dict[str, Any]:
        """The API's body: these fields, or all; what is empty is left out, dotted names make objects and lists.

        Args:
            fixed: fields that nobody typed.
        """
        nested: dict[str, Any] = {}
        for name in names or tuple(self.values):
            text = self.get(name)
            if text and not name.startswith("_"):
                _put(nested, name.split("."), text)
        return {**_listed(nested), **fixed}

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return name in self.values

    def refuse(self, refused: Refused, **renamed: str) -> None:
        """Show what the API said, each complaint beside its field; one of no field of ours is shown above all.

        A complaint about a part stands beside the whole: `roles.0` is one of those that are ticked in `roles`.

        Args:
            renamed: the API's field -> ours, where they are not named alike.
        """
        for name, message in refused.fields.items():
            self.errors.setdefault(self._field_of(renamed.get(name, name)), message)
        elsewhere = [name for name in self.errors if name not in self.values and name not in self.many]
        if not self.errors or elsewhere:
            self.problem = refused.message

    def _field_of(self, name: str) -> str:
        parts = name.split(".")
        wholes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((whole for whole in wholes if whole in self.values or whole in self.many), name)


@dataclass(frozen=True)
class Sent:
    """A file that somebody chose."""

    name: str
    #: as their browser says; may be anything
    kind: str
    content: bytes


async def file_of(request: Request, name: str) -> Sent | None:
    """The file in a field; None: nothing was chosen, or it is empty."""
    sent = (await request.form()).get(name)
    if not isinstance(sent, UploadFile):
        return None
    content = await sent.read()
    await sent.close()
    return Sent(sent.filename or "", sent.content_type or "application/octet-stream", content) if content else None


async def read(request: Request) -> Form:
    """The form that was sent; its files are in `request.form()`."""
    sent = await request.form()
    form = Form()
    for name in sent:
        texts = [value for value in sent.getlist(name) if isinstance(value, str)]
        if texts:
            form.values[name] = texts[-1]
            form.many[name] = texts
    form.key = form.values.pop(KEY, "") or form.key
    return form


def decimal(text: str) -> Decimal | None:
    """A number that somebody typed; None: it is none."""
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def minor(text: str) -> int | str:
    """A sum of money that somebody typed, in the smallest unit; what is no number stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else int((value * 100).to_integral_value())


def grams(text: str) -> int | str:
    """Kilograms that somebody typed, in grams; what is no number stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else int((value * 1000).to_integral_value())


def whole(text: str) -> int | str:
    """A whole number that somebody typed; what is none stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None or value != value.to_integral_value() else int(value)


def real(text: str) -> float | str:
    """A number that somebody typed, for measurements and coordinates; what is none stays as it is, to be refused."""
    value = decimal(text)
    return text if value is None else float(value)


def shown(value: object) -> str:
    """A value as a field has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(said: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """`{"a": [{"b": 1}]}` as `{"a.0.b": "1"}`."""
    flat: dict[str, str] = {}
    for name, value in said.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{path}.")
        elif isinstance(value, list):
            flat |= _flat({str(place): one for place, one in enumerate(value)}, f"{path}.")
        else:
            flat[path] = shown(value)
    return flat


def _put(nested: dict[str, Any], path: list[str], text: str) -> None:
    for part in path[:-1]:
        nested = nested.setdefault(part, {})
    nested[path[-1]] = text


def _listed(nested: Any) -> Any:
    """Objects whose fields are all numbers are lists, in the order of the numbers."""
    if not isinstance(nested, dict):
        return nested
    inner = {name: _listed(value) for name, value in nested.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
