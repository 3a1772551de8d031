"""What ids are of: pages name products, lots and places, and the API's entries only have their ids."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloud_api.console.asking import Answer, Refused, together
from cloud_api.console.pages import Visitor

#: lots that are asked for one by one, when they are not among the newest
_MOST_SINGLE = 12
_NEWEST = 200
#: kinds of location in which nothing is put away
_NO_PLACES = frozenset({"office", "job_site"})

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Names:
    """Products, places, warehouses, lots, readers and scales by their ids."""

    products: Mapping[str, Answer] = field(default_factory=dict)
    places: Mapping[str, Answer] = field(default_factory=dict)
    warehouses: Mapping[str, Answer] = field(default_factory=dict)
    lots: Mapping[str, Answer] = field(default_factory=dict)
    readers: Mapping[str, Answer] = field(default_factory=dict)
    scales: Mapping[str, Answer] = field(default_factory=dict)

    def product(self, product_id: str | None) -> str:
        """The product's name."""
        return _of(self.products, product_id, "name")

    def unit(self, product_id: str | None) -> str:
        """The unit that it is counted in."""
        return str(self.products.get(product_id or "", {}).get("unit", ""))

    def lot(self, lot_id: str | None) -> str:
        """The lot's number."""
        return _of(self.lots, lot_id, "lot_number")

    def place(self, location_id: str | None) -> str:
        """The place's code."""
        return _of(self.places, location_id, "code")

    def place_name(self, location_id: str | None) -> str:
        """Its name."""
        return _of(self.places, location_id, "name")

    def warehouse(self, warehouse_id: str | None) -> str:
        """The warehouse's name."""
        return _of(self.warehouses, warehouse_id, "name")

    def warehouse_of(self, location_id: str | None) -> str:
        """The name of the warehouse that a place stands in; vehicles stand in none."""
        there = self.places.get(location_id or "", {}).get("warehouse_id")
        return self.warehouse(there) if there else ""

    def device(self, device_id: str | None) -> str:
        """The name of a reader or a scale, or else its code."""
        said = self.readers.get(device_id or "") or self.scales.get(device_id or "") or {}
        return str(said.get("name") or said.get("code") or _short(device_id))

    def product_options(self) -> Options:
        """Products that can be chosen, by name."""
        found = [(one["id"], f"{one['name']} · {one['sku']}") for one in self.products.values()]
        return sorted(found, key=lambda option: option[1].casefold())

    def warehouse_options(self) -> Options:
        """Warehouses that are open."""
        return [(one["id"], f"{one['name']} · {one['code']}") for one in self.warehouses.values() if one["is_active"]]

    def lot_options(self) -> Options:
        """Lots that are known, as they came."""
        return [(one["id"], f"{one['lot_number']} · {self.product(one['product_id'])}") for one in self.lots.values()]

    def place_groups(self, warehouse_id: str | None = None) -> list[tuple[str, Options]]:
        """Places that goods can be put into, by warehouse; of one warehouse, or of all."""
        groups: dict[str, Options] = {}
        for place in sorted(self.places.values(), key=lambda one: str(one["code"])):
            if place["location_type"] in _NO_PLACES or warehouse_id not in (None, "", place["warehouse_id"]):
                continue
            there = self.warehouse(place["warehouse_id"]) if place["warehouse_id"] else ""
            groups.setdefault(there, []).append((place["id"], f"{place['code']} · {place['name']}"))
        return sorted(groups.items())


async def names_for(visitor: Visitor, *, lots: Iterable[str | None] = (), devices: bool = False) -> Names:
    """The names of all places and products that the visitor sees, and of these lots.

    Args:
        devices: readers and scales too.
    """
    wanted = {one for one in lots if one}
    sources = {
        "products": ("/warehouse/products", "products:read"),
        "warehouses": ("/warehouse/warehouses", "stock:read"),
        "places": ("/warehouse/storage/locations", "storage:read"),
    }
    if devices:
        sources |= {"readers": ("/edge/readers", "devices:read"), "scales": ("/edge/scales", "devices:read")}
    answers = await together(
        *(_every(visitor, path, permission) for path, permission in sources.values()), _lots(visitor, wanted)
    )
    known = {name: _by_id(said) for name, said in zip(sources, answers, strict=False)}
    return Names(**known, lots=_by_id(answers[-1]))


async def newest_lots(visitor: Visitor, *also: str) -> Sequence[Answer]:
    """The lots that came last, and these."""
    if not visitor.may("stock:read"):
        return []
    newest = (await visitor.desk.page("/warehouse/batches", limit=_NEWEST)).items
    missing = {one for one in also if one} - {lot["id"] for lot in newest}
    return [*newest, *await _singly(visitor, missing)]


async def _lots(visitor: Visitor, wanted: set[str]) -> list[Answer]:
    if not wanted or not visitor.may("stock:read"):
        return []
    newest = (await visitor.desk.page("/warehouse/batches", limit=_NEWEST)).items
    found = [lot for lot in newest if lot["id"] in wanted]
    return found + await _singly(visitor, wanted - {lot["id"] for lot in found})


async def _singly(visitor: Visitor, lot_ids: set[str]) -> list[Answer]:
    """Older ones, a few of them."""
    asked = (visitor.desk.get(f"/warehouse/batches/{lot_id}") for lot_id in sorted(lot_ids)[:_MOST_SINGLE])
    said = await asyncio.gather(*asked, return_exceptions=True)
    for one in said:
        if isinstance(one, BaseException) and not isinstance(one, Refused):
            raise one
    return [one for one in said if not isinstance(one, BaseException)]


async def _every(visitor: Visitor, path: str, permission: str) -> list[Answer]:
    return await visitor.desk.every(path) if visitor.may(permission) else []


def _by_id(said: Iterable[Answer]) -> dict[str, Answer]:
    return {one["id"]: one for one in said}


def _of(known: Mapping[str, Answer], key: str | None, name: str) -> str:
    if not key:
        return "–"
    return str(known[key][name]) if key in known else _short(key)


def _short(key: str | None) -> str:
    """The end of an id: the beginning of those that were made on one day is the same."""
    return f"…{key[-6:]}" if key else "–"
