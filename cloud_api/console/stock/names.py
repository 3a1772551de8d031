"""What the keys in the API's answers stand for: products, lots and places, by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cloud_api.console.asking import Answer, Desk, Refused, together

_AT_ONCE = 200
#: whoever may not read a list sees keys instead of names
_UNSEEN = (403, 404)


@dataclass(frozen=True)
class Names:
    """Things by their keys. What is missing is shown by the beginning of its key."""

    products: Mapping[str, Answer] = field(default_factory=dict)
    lots: Mapping[str, Answer] = field(default_factory=dict)
    places: Mapping[str, Answer] = field(default_factory=dict)
    warehouses: Mapping[str, Answer] = field(default_factory=dict)

    def product(self, key: str) -> str:
        """A product's name."""
        return _of(self.products, key, "name")

    def unit(self, key: str) -> str:
        """What a product is counted in."""
        return str(self.products[key]["unit"]) if key in self.products else ""

    def lot(self, key: str) -> str:
        """A lot's number."""
        return _of(self.lots, key, "lot_number")

    def place(self, key: str) -> str:
        """A place's name."""
        return _of(self.places, key, "name")

    def around(self, key: str) -> str:
        """The name of the warehouse that a place is in; empty of vans and what is on the way."""
        warehouse_id = self.places[key]["warehouse_id"] if key in self.places else None
        return "" if warehouse_id is None else self.warehouse(warehouse_id)

    def warehouse(self, key: str) -> str:
        """A warehouse's name."""
        return _of(self.warehouses, key, "name")


async def names_of(desk: Desk, *, products: Iterable[str] = (), lots: Iterable[str] = ()) -> Names:
    """These products and lots, and all places: in a few calls, however many rows name them."""
    found = await together(
        _known(desk, "/warehouse/products", products),
        _known(desk, "/warehouse/batches", lots),
        _all(desk, "/warehouse/storage/locations"),
        _all(desk, "/warehouse/warehouses"),
    )
    return Names(*found)


async def places_of(desk: Desk) -> list[Answer]:
    """All places; none for whoever may not read them."""
    return list((await _all(desk, "/warehouse/storage/locations")).values())


async def warehouses_of(desk: Desk) -> list[tuple[str, str]]:
    """Warehouses to choose from: key and name, by name."""
    found = await _all(desk, "/warehouse/warehouses")
    return sorted(((key, one["name"]) for key, one in found.items()), key=lambda pair: pair[1])


async def _known(desk: Desk, source: str, wanted: Iterable[str]) -> dict[str, Answer]:
    """Those that are wanted: the newest come in one list, others are asked for beside each other."""
    keys = set(wanted)
    if not keys:
        return {}
    try:
        if len(keys) == 1:
            return {key: await desk.get(f"{source}/{key}") for key in keys}
        newest = (await desk.page(source, limit=_AT_ONCE)).items
    except Refused as refused:
        if refused.status in _UNSEEN:
            return {}
        raise
    found = {one["id"]: one for one in newest if one["id"] in keys}
    others = await together(*(_one(desk, f"{source}/{key}") for key in keys - found.keys()))
    return {**found, **{one["id"]: one for one in others if one is not None}}


async def _one(desk: Desk, path: str) -> Answer | None:
    try:
        return await desk.get(path)
    except Refused as refused:
        if refused.status in _UNSEEN:
            return None
        raise


async def _all(desk: Desk, source: str) -> dict[str, Answer]:
    try:
        return {one["id"]: one for one in await desk.every(source)}
    except Refused as refused:
        if refused.status in _UNSEEN:
            return {}
        raise


def _of(things: Mapping[str, Answer], key: str, name: str) -> str:
    return str(things[key][name]) if key in things else f"{key[:8]}…"
