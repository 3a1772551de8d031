"""The ledger as a file, and what one may ask it of."""

from typing import Any

from fastapi import Request, Response

from cloud_api.console import files
from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.handling.choosing import names_of_goods
from cloud_api.console.names import Names
from cloud_api.console.pages import Visitor

LEDGER = "/warehouse/stock/movements"
#: kind of what is found -> the filter of the ledger
_KINDS = {"product": "product_id", "lot": "lot_id"}


async def ledger_file(request: Request, visitor: Visitor, name: str, asked: dict[str, Any]) -> Response:
    """Entries of the ledger, newest first."""
    rows = await visitor.desk.every(LEDGER, most=files.MOST_ROWS, **asked)
    names = await names_of_goods(visitor, rows)
    say = visitor.say
    head = [
        say("Number"), say("Happened"), say("Written down"), say("Kind"), say("Product"), say("Lot"), say("Place"),
        say("Warehouse"), say("Quantity"), say("Unit"), say("Weight in grams"), say("Reference"), say("Came about by"),
    ]  # fmt: skip
    return files.table_file(request, name, head, (_cells(row, names, visitor) for row in rows))


async def booked_of(desk: Desk, word: str) -> list[dict[str, str]]:
    """Products and lots that a word may mean, each with the address of what was booked of it."""
    found = await together(*(_hits(desk, word, kind) for kind in _KINDS))
    return [
        {"text": hit["title"], "note": hit["code"], "href": f"/console/movements?{name}={hit['id']}"}
        for name, hits in zip(_KINDS.values(), found, strict=True)
        for hit in hits
    ]


def _cells(row: Answer, names: Names, visitor: Visitor) -> list[files.Cell]:
    word = visitor.writing.word
    return [
        row["number"],
        files.moment(row["effective_at"]),
        files.moment(row["recorded_at"]),
        word(row["movement_type"]),
        names.product(row["product_id"]),
        names.lot(row["lot_id"]),
        names.place(row["location_id"]),
        names.warehouse_of(row["location_id"]),
        files.amount(row["quantity"]),
        names.unit(row["product_id"]),
        row["weight_g"],
        row["reference"],
        word(row["source"]),
    ]


async def _hits(desk: Desk, word: str, kind: str) -> list[Answer]:
    try:
        return list((await desk.get("/search", q=word, kind=kind, limit=4))["hits"])
    except Refused:
        return []
