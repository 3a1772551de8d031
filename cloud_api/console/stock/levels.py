"""Levels as they are shown: found by a word, with names, with the day until which they keep, and why they are held."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request

from cloud_api.console.asking import Answer, Desk, Listing, together
from cloud_api.console.pages import Visitor
from cloud_api.console.stock.names import Names, names_of, places_of
from cloud_api.console.tables import LIMIT, Table, asked_for, table
from cloud_api.kernel import clock

LEVELS = "/warehouse/stock/levels"
#: what the API's own list can be narrowed by
NARROWED = ("warehouse_id", "status", "product_id", "lot_id", "location_id")
FILTERS = ("q", *NARROWED)
#: things of one kind that a word may mean
_MEANT = 6


@dataclass(frozen=True)
class Found:
    """A table of levels, and what there is to say of how it was found."""

    table: Table
    names: Names
    #: there is more than is shown, and no next page: a word found too much
    cut: bool = False


async def find_levels(request: Request, desk: Desk, visitor: Visitor) -> Found:
    """What the address asks for: all, or what a word finds among products, lots and places."""
    query = asked_for(request, FILTERS)
    word = query.get("q", "").strip()
    if not word:
        listed = await table(request, desk, LEVELS, filters=NARROWED)
        names = await _names(desk, listed.rows)
        return Found(Table(listed.path, listed.query, shown(listed.rows, names, visitor), listed.next_cursor), names)
    rows, cut = await _with_word(desk, word, {name: query[name] for name in NARROWED if name in query})
    names = await _names(desk, rows)
    return Found(Table(request.url.path, query, shown(rows, names, visitor)), names, cut)


async def _with_word(desk: Desk, word: str, narrowed: dict[str, str]) -> tuple[list[Answer], bool]:
    """Levels of the products, of the lots and in the places that the word means; whether there are more."""
    products, lots, places = await together(
        desk.get("/search", q=word, kind="product", limit=_MEANT),
        desk.get("/search", q=word, kind="lot", limit=_MEANT),
        places_of(desk),
    )
    named = [one["id"] for one in places if word.lower() in f"{one['code']} {one['name']}".lower()]
    wanted = [
        *(("product_id", hit["id"]) for hit in products["hits"]),
        *(("lot_id", hit["id"]) for hit in lots["hits"]),
        *(("location_id", key) for key in named[:_MEANT]),
    ]
    asked = [{**narrowed, name: key} for name, key in wanted if narrowed.get(name, key) == key]
    parts: Sequence[Listing] = await together(*(desk.page(LEVELS, limit=LIMIT, **one) for one in asked))
    found = {level["id"]: level for part in parts for level in part.items}
    cut = len(named) > _MEANT or any(part.next_cursor for part in parts)
    return sorted(found.values(), key=lambda level: level["id"], reverse=True), cut


async def _names(desk: Desk, rows: Iterable[Answer]) -> Names:
    listed = list(rows)
    return await names_of(desk, products={row["product_id"] for row in listed}, lots={row["lot_id"] for row in listed})


def shown(rows: Iterable[Answer], names: Names, visitor: Visitor) -> list[dict[str, Any]]:
    """Levels with their lot's expiry and reasons beside them."""
    today = today_of(visitor)
    return [_shown(row, names.lots.get(row["lot_id"]) or {}, today) for row in rows]


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


def today_of(visitor: Visitor) -> date:
    """What day it is where the organisation is."""
    return clock.now().astimezone(visitor.writing.zone).date()


def days_left(until: str | None, today: date) -> int | None:
    """Days until goods may not be sold any more; negative: they may not; None: they keep."""
    return None if not until else (date.fromisoformat(until) - today).days
