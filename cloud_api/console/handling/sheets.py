"""Sheets: what lies somewhere, with a field beside each row for how much of it is meant, and what that weighs."""

from dataclasses import dataclass
from typing import Any

from cloud_api.console.forms import Form


@dataclass(frozen=True)
class Taken:
    """A row that somebody filled in.

    Args:
        field: where the quantity was typed.
    """

    field: str
    lot_id: str
    location_id: str
    quantity: str
    weight: str

    @property
    def amount(self) -> dict[str, Any]:
        """How much it is, as the API wants it; what is no number is for the API to refuse."""
        said: dict[str, Any] = {"quantity": self.quantity}
        if self.weight:
            said["weight_g"] = int(self.weight) if self.weight.isdecimal() else self.weight
        return said

    def beside(self, at: str, *fields: str) -> dict[str, str]:
        """The API's fields of this row -> ours.

        Args:
            at: what stands before them, as `lines.0.`.
            fields: those that are told beside the quantity, too.
        """
        weight = f"weight.{self.field}"
        return {**{f"{at}{name}": self.field for name in ("quantity", "lot_id", *fields)}, f"{at}weight_g": weight}


def taken(form: Form) -> list[Taken]:
    """The rows that somebody filled in."""
    typed = []
    for name in form.values:
        kind, _, row = name.partition(".")
        if kind == "take" and form.get(name):
            lot, _, place = row.partition("_")
            typed.append(Taken(name, lot, place, form.get(name), form.get(f"weight.{name}")))
    return typed
