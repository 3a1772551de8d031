"""Lists that are short enough to choose from in a form, read whole; empty for whoever may not read them."""

from collections.abc import Iterable, Sequence
from functools import cache
from zoneinfo import available_timezones

from cloud_api.console.asking import Answer
from cloud_api.console.pages import Visitor

#: value and text, as `choice` and `pick` of the macros take them
Options = list[tuple[str, str]]
#: a longer catalogue is searched, not chosen from
_MOST_PRODUCTS = 1_000
#: zones that are no place: other names, and whole hours off
_NO_ZONES = ("Etc", "posix", "right")
#: kinds of place in which nothing is put away
_NO_PLACES = frozenset({"office", "job_site"})


async def warehouses_of(visitor: Visitor, *, closed: bool = False) -> list[Answer]:
    """Warehouses that the visitor sees, by name.

    Args:
        closed: those too that are not active any more.
    """
    if not visitor.may("stock:read"):
        return []
    found = await visitor.desk.every("/warehouse/warehouses")
    return sorted((one for one in found if closed or one["is_active"]), key=lambda one: str(one["name"]))


async def places_of(visitor: Visitor, *, warehouse_id: str = "") -> list[Answer]:
    """Places of a warehouse, or of all, by code."""
    if not visitor.may("storage:read"):
        return []
    found = await visitor.desk.every("/warehouse/storage/locations", warehouse_id=warehouse_id, climate=False)
    return sorted(found, key=lambda one: str(one["code"]))


async def products_of(visitor: Visitor) -> list[Answer]:
    """Products that can be sold or bought now, by name."""
    if not visitor.may("products:read"):
        return []
    found = await visitor.desk.every("/warehouse/products", most=_MOST_PRODUCTS, is_active=True)
    return sorted(found, key=lambda one: str(one["name"]).casefold())


@cache
def zones() -> Options:
    """Time zones by their names, as "Asia/Kolkata"."""
    places = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(_NO_ZONES))
    return [(zone, zone.replace("_", " ")) for zone in places]


def by_warehouse(
    places: Iterable[Answer], warehouses: Iterable[Answer], *, only: str = "", goods: bool = True
) -> list[tuple[str, Options]]:
    """Places that goods can be put into, by the names of their warehouses; those of vans come first, under no name.

    Args:
        only: the id of one warehouse; of all when empty.
        goods: only places that goods can be put into; false: offices and job sites too.
    """
    names = {one["id"]: str(one["name"]) for one in warehouses}
    groups: dict[str, Options] = {}
    for place in places:
        there = place["warehouse_id"] or ""
        if not (goods and place["location_type"] in _NO_PLACES) and only in ("", there):
            groups.setdefault(names.get(there, ""), []).append((place["id"], _text(place, ("code", "name"))))
    return sorted(groups.items())


def options(rows: Iterable[Answer], *fields: str) -> Options:
    """Id and text of each row: its name, or these fields of it with a dot between them."""
    return [(row["id"], _text(row, fields or ("name",))) for row in rows]


def _text(row: Answer, fields: Sequence[str]) -> str:
    return " · ".join(str(row[field]) for field in fields if row[field])
