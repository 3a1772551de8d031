"""Levels as they are shown: with names, with the day until which they keep, and why they are held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request

from cloud_api.console.asking import Answer
from cloud_api.console.files import Cell, amount, day
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor
from cloud_api.console.tables import Table, table

LEVELS = "/warehouse/stock/levels"
FILTERS = ("search", "warehouse_id", "status", "product_id", "lot_id", "location_id")


@dataclass(frozen=True)
class Found:
    """A table of levels, and the names of what is in it."""

    table: Table
    names: Names


async def find_levels(request: Request, visitor: Visitor) -> Found:
    """What the address asks for, of what lies anywhere."""
    listed = await table(request, visitor.desk, LEVELS, filters=FILTERS, in_stock=True)
    names = await names_of_levels(visitor, listed.rows)
    return Found(Table(listed.path, listed.query, shown(listed.rows, names, visitor), listed.next_cursor), names)


async def names_of_levels(visitor: Visitor, levels: Sequence[Answer]) -> Names:
    """The names of their products, lots and places."""
    return await names_of(
        visitor,
        products=[level["product_id"] for level in levels],
        lots=[level["lot_id"] for level in levels],
        places=[level["location_id"] for level in levels],
    )


def shown(rows: Iterable[Answer], names: Names, visitor: Visitor) -> list[dict[str, Any]]:
    """Levels with their lot's expiry and reasons beside them."""
    today = visitor.today()
    return [_shown(row, names.lots.get(row["lot_id"]) or {}, today) for row in rows]


def head(visitor: Visitor) -> list[str]:
    """The columns of a file of levels."""
    say = visitor.say
    return [
        say("Product"), say("Number"), say("Lot"), say("Place"), say("Warehouse"), say("On hand"), say("Reserved"),
        say("Available"), say("Unit"), say("Keeps until"), say("Status"), say("Reason"),
    ]  # fmt: skip


def cells(row: dict[str, Any], names: Names, visitor: Visitor) -> list[Cell]:
    """A level that was shown, as a row of a file."""
    product = names.products.get(row["product_id"], {})
    return [
        names.product(row["product_id"]),
        product.get("sku"),
        names.lot(row["lot_id"]),
        names.place(row["location_id"]),
        names.warehouse_of(row["location_id"]),
        amount(row["on_hand"]),
        amount(row["reserved"]),
        amount(row["available"]),
        product.get("unit"),
        day(row["until"]),
        visitor.writing.word(row["status"]),
        "; ".join(row["reasons"]),
    ]


def _shown(row: Answer, lot: Answer, today: date) -> dict[str, Any]:
    until = row["keeps_until"] or lot.get("expires_on")
    held = row["status"] == "on_hold"
    return {
        **row,
        "until": until,
        "days_left": days_left(until, today),
        "shortened": bool(row["keeps_until"]) and row["keeps_until"] != lot.get("expires_on"),
        "reasons": lot.get("reasons", []) if held else [],
    }


def days_left(until: str | None, today: date) -> int | None:
    """Days until goods may not be sold any more; negative: they may not; None: they keep."""
    return None if not until else (date.fromisoformat(until) - today).days
