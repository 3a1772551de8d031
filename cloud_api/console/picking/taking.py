"""What somebody took from a shelf, as a row of a walk has it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from cloud_api.console.asking import Answer, Refused
from cloud_api.console.forms import Form
from cloud_api.console.pages import Visitor

_WEIGHTS = 20
#: units of goods that a scale says the quantity of
WEIGHED = frozenset({"kg", "g"})


@dataclass
class Row:
    """One row of a walk, as it was sent; empty: none was."""

    form: Form = field(default_factory=Form)
    problem: str = ""

    @classmethod
    def of(cls, form: Form) -> "Row":
        """The row that was sent."""
        return cls(form)

    @property
    def order_id(self) -> str:
        return self.form.get("order_id")

    def is_of(self, *names: str) -> bool:
        """Whether it is the row of this line, lot and place."""
        return names == tuple(self.form.get(name) for name in ("line_id", "lot_id", "location_id"))

    def refuse(self, refused: Refused) -> None:
        """What is wrong with it."""
        self.problem = next(iter(refused.fields.values()), refused.message)

    @staticmethod
    def new_key() -> str:
        """For a form of a row."""
        return str(uuid.uuid4())


async def weights_of(looking: Visitor) -> list[Answer]:
    """Weights of scales that nobody has used, newest first."""
    if not looking.may("telemetry:read"):
        return []
    part = await looking.desk.page("/telemetry/weights", applied=False, limit=_WEIGHTS)
    return part.items


def pick_of(row: Row) -> dict[str, Any]:
    """The API's body: so much of one lot, from where it lies; by a weight, when one was chosen."""
    amount = "weight_id" if row.form.get("weight_id") else "quantity"
    lot = row.form.body("lot_id", "location_id", amount)
    return {"lines": [{"line_id": row.form.get("line_id"), "lots": [lot]}]}
