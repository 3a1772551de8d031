"""The places of a warehouse as a tree: all of it where it is small, else its outermost places, which fold out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from cloud_api.console.asking import Answer
from cloud_api.console.files import Cell
from cloud_api.console.pages import Visitor
from cloud_api.console.tables import LIMIT, Table, asked_for, table

PLACES = "/warehouse/storage/locations"
FILTERS = ("search", "location_type", "storage_type", "status")
#: what people make in a warehouse
KINDS = ("room", "zone", "rack", "bin", "storage_unit", "building", "office", "job_site", "warehouse")
STORAGE = ("cold_storage", "freezer", "ambient", "dry_storage")
STATES = ("active", "maintenance", "inactive")
#: a warehouse of so many places is shown whole
_WHOLE = 100
_HEAD = (
    *("Code on its label", "Name", "Kind", "Kept as", "Within", "From °C", "To °C"),
    *("Humidity from, %", "Humidity to, %", "Holds at most, kg", "Lies there, kg", "Full, %", "Status"),
)


@dataclass(frozen=True)
class Shown:
    """Places as a page shows them.

    Args:
        table: of the warehouse's page; its rows are the places.
        rows: (how deep it stands, place), in the order in which they are walked.
        folds: whether what is inside is not among the rows, and folds out.
    """

    table: Table
    rows: Sequence[tuple[int, Answer]]
    folds: bool


async def places_in(request: Request, visitor: Visitor, warehouse_id: str) -> Shown:
    """What the address asks for of a warehouse's places; without filters they are a tree."""
    fixed: dict[str, Any] = {"warehouse_id": warehouse_id, "climate": False, "fill": True}
    query = asked_for(request, FILTERS)
    filtered = bool(set(query) & set(FILTERS))
    outermost = {} if filtered else {"outermost": True}
    found = await table(request, visitor.desk, PLACES, filters=FILTERS, **{**fixed, **outermost, **_sort(query)})
    count = sum(1 + row["places_within"] for row in found.rows)
    if query or found.next_cursor is not None or not len(found.rows) < count <= _WHOLE:
        return Shown(found, [(0, row) for row in found.rows], folds=not filtered)
    whole = await visitor.desk.page(PLACES, **fixed, sort="code", limit=_WHOLE)
    return Shown(found, list(_walked(whole.items)), folds=False)


async def inside(visitor: Visitor, place_id: str) -> tuple[Sequence[Answer], bool]:
    """What lies directly in a place, by code, and whether there is more of it."""
    found = await visitor.desk.page(PLACES, parent_id=place_id, climate=False, fill=True, sort="code", limit=LIMIT)
    return found.items, found.next_cursor is not None


def head(visitor: Visitor) -> list[str]:
    """The columns of a file of places."""
    return [visitor.say(name) for name in _HEAD]


def cells(place: Answer, codes: Mapping[str, str], visitor: Visitor) -> Sequence[Cell]:
    """A place, as a row of a file."""
    return (
        *(place[name] for name in ("code", "name")),
        *(visitor.writing.word(place[name]) for name in ("location_type", "storage_type")),
        codes.get(place["parent_id"] or "", ""),
        *(place[f"{quantity}_{end}"] for quantity, end in _LIMITS),
        *(place[name] for name in ("capacity_kg", "used_kg", "utilisation_pct")),
        visitor.writing.word(place["status"]),
    )


_LIMITS = (("temperature", "min_c"), ("temperature", "max_c"), ("humidity", "min_pct"), ("humidity", "max_pct"))


def _sort(query: Mapping[str, str]) -> dict[str, str]:
    return {} if "sort" in query else {"sort": "code"}


def _walked(places: Sequence[Answer], parent_id: str | None = None, depth: int = 0) -> Iterator[tuple[int, Answer]]:
    for place in places:
        if place["parent_id"] == parent_id:
            yield depth, place
            yield from _walked(places, place["id"], depth + 1)
