"""What the ids in the API's answers stand for: pages say names, and rows only have ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cloud_api.console.asking import Answer, together
from cloud_api.console.pages import Visitor

_AT_ONCE = 200
#: kind -> the list that has it, and what somebody must be allowed to read it
_LISTS: Mapping[str, tuple[str, str]] = {
    "products": ("/warehouse/products", "products:read"),
    "lots": ("/warehouse/batches", "stock:read"),
    "places": ("/warehouse/storage/locations", "storage:read"),
    "warehouses": ("/warehouse/warehouses", "stock:read"),
    "orders": ("/orders", "orders:read"),
    "customers": ("/customers", "customers:read"),
    "people": ("/admin/users", "users:read"),
    "vans": ("/warehouse/fleet/vehicles", "fleet:read"),
    "routes": ("/warehouse/routes", "routes:read"),
    "gateways": ("/edge/gateways", "devices:read"),
    "sensors": ("/edge/sensors", "devices:read"),
    "readers": ("/edge/readers", "devices:read"),
    "scales": ("/edge/scales", "devices:read"),
    "items": ("/items", "items:read"),
}
#: what is told with them and has no name in it
_WITHOUT: Mapping[str, Mapping[str, object]] = {"places": {"climate": False}}
Rows = Mapping[str, Answer]
Ids = Iterable[str | None]


@dataclass(frozen=True)
class Names:
    """Rows of the API by their ids. What somebody may not see, or is gone, goes by the end of its id."""

    products: Rows = field(default_factory=dict)
    lots: Rows = field(default_factory=dict)
    places: Rows = field(default_factory=dict)
    warehouses: Rows = field(default_factory=dict)
    orders: Rows = field(default_factory=dict)
    customers: Rows = field(default_factory=dict)
    people: Rows = field(default_factory=dict)
    vans: Rows = field(default_factory=dict)
    routes: Rows = field(default_factory=dict)
    gateways: Rows = field(default_factory=dict)
    sensors: Rows = field(default_factory=dict)
    readers: Rows = field(default_factory=dict)
    scales: Rows = field(default_factory=dict)
    items: Rows = field(default_factory=dict)

    def product(self, id: str | None) -> str:
        """A product's name."""
        return _said(self.products, id, "name")

    def unit(self, id: str | None) -> str:
        """What a product is counted in."""
        return str(self.products.get(id or "", {}).get("unit", ""))

    def lot(self, id: str | None) -> str:
        """A lot's number."""
        return _said(self.lots, id, "lot_number")

    def product_of(self, lot_id: str | None) -> str:
        """The name of what a lot is of."""
        return self.product(self.lots.get(lot_id or "", {}).get("product_id"))

    def unit_of(self, lot_id: str | None) -> str:
        """What a lot is counted in."""
        return self.unit(self.lots.get(lot_id or "", {}).get("product_id"))

    def place(self, id: str | None) -> str:
        """A place's name."""
        return _said(self.places, id, "name")

    def place_code(self, id: str | None) -> str:
        """What stands on a place's label."""
        return _said(self.places, id, "code")

    def warehouse(self, id: str | None) -> str:
        """A warehouse's name."""
        return _said(self.warehouses, id, "name")

    def warehouse_of(self, place_id: str | None) -> str:
        """The name of the warehouse that a place is in; empty of vans and of what is on the way."""
        there = self.places.get(place_id or "", {}).get("warehouse_id")
        return self.warehouse(there) if there else ""

    def order(self, id: str | None) -> str:
        """An order's number."""
        return _said(self.orders, id, "number")

    def customer(self, id: str | None) -> str:
        """A customer's name."""
        return _said(self.customers, id, "name")

    def person(self, id: str | None) -> str:
        """A person's name."""
        row = self.people.get(id or "")
        return short(id) if row is None else str(row["full_name"] or row["username"])

    def van(self, id: str | None) -> str:
        """A van's number plate."""
        return _said(self.vans, id, "number")

    def route(self, id: str | None) -> str:
        """A route's number."""
        return _said(self.routes, id, "number")

    def item(self, id: str | None) -> str:
        """An asset's name."""
        return _said(self.items, id, "name")

    def device(self, id: str | None) -> str:
        """A sensor's, reader's or scale's name, or else its code."""
        row = self.sensors.get(id or "") or self.readers.get(id or "") or self.scales.get(id or "") or {}
        return str(row.get("name") or row.get("code") or short(id))


async def names_of(visitor: Visitor, **ids: Ids) -> Names:
    """The names of these: one question a kind for each two hundred, and none for what somebody may not read.

    Args:
        ids: kind -> ids, as `products=`, `lots=`, `people=`: the fields of `Names`. With lots come their products, with
            places their warehouses.

    Raises:
        Refused: when a list is not given.
    """
    found = await _found(visitor, ids)
    if "people" in ids and visitor.me is not None:  # who looks knows themselves, whatever else they may see
        found["people"] = {visitor.me["id"]: visitor.me, **found.get("people", {})}
    beside = {
        "products": {lot["product_id"] for lot in found.get("lots", {}).values()},
        "warehouses": {place["warehouse_id"] for place in found.get("places", {}).values()},
    }
    missing = {kind: wanted - found.get(kind, {}).keys() for kind, wanted in beside.items()}
    more = await _found(visitor, missing)
    return Names(**{kind: {**found.get(kind, {}), **more.get(kind, {})} for kind in {*found, *more}})


def short(id: str | None) -> str:
    """The end of an id: the beginnings of those that were made on one day are the same. A dash where there is none."""
    return f"…{id[-6:]}" if id else "–"


async def _found(visitor: Visitor, ids: Mapping[str, Ids]) -> dict[str, Rows]:
    wanted = {kind: sorted({id for id in those if id}) for kind, those in ids.items() if visitor.may(_LISTS[kind][1])}
    asked = [
        (kind, those[begin : begin + _AT_ONCE])
        for kind, those in wanted.items()
        for begin in range(0, len(those), _AT_ONCE)
    ]
    pages = await together(
        *(
            visitor.desk.page(_LISTS[kind][0], id=part, limit=len(part), **_WITHOUT.get(kind, {}))
            for kind, part in asked
        )
    )
    rows: dict[str, dict[str, Answer]] = {kind: {} for kind in wanted}
    for (kind, _), page in zip(asked, pages, strict=True):
        rows[kind] |= {row["id"]: row for row in page.items}
    return dict(rows)


def _said(rows: Rows, id: str | None, field: str) -> str:
    return str(rows[id][field]) if id is not None and id in rows else short(id)
