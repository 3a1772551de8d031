"""What lies in a room: levels of stock with the lot's number and the product's name, which the API lists apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cloud_api.console.asking import Answer, Desk, Refused, together
from cloud_api.console.pages import Visitor

#: lots that are older than the newest are asked for one by one, up to so many
_MOST_SINGLE = 10
SHOWN = 100


@dataclass(frozen=True)
class Names:
    """What lots and products are called."""

    lots: Mapping[str, Answer]
    products: Mapping[str, Answer]

    def lot(self, lot_id: str) -> str:
        """A lot's number; of one that is not known the beginning of its id."""
        return str(self.lots.get(lot_id, {}).get("lot_number", lot_id[:8]))

    def product(self, lot_id: str) -> str:
        """The name of what a lot is of."""
        product_id = self.lots.get(lot_id, {}).get("product_id", "")
        return str(self.products.get(product_id, {}).get("name", ""))

    def unit(self, lot_id: str) -> str:
        """What a lot is counted in."""
        product_id = self.lots.get(lot_id, {}).get("product_id", "")
        return str(self.products.get(product_id, {}).get("unit", ""))


async def names_of(desk: Desk, visitor: Visitor, lot_ids: Iterable[str]) -> Names:
    """What these lots are called, and what they are of."""
    wanted = set(lot_ids)
    if not wanted or not visitor.may("stock:read"):
        return Names({}, {})
    newest, products = await together(desk.page("/warehouse/batches", limit=200), _products(desk, visitor))
    lots = {lot["id"]: lot for lot in newest.items if lot["id"] in wanted}
    missing = sorted(wanted - set(lots))[:_MOST_SINGLE]
    for found in await together(*(_lot(desk, lot_id) for lot_id in missing)):
        if found is not None:
            lots[found["id"]] = found
    return Names(lots, products)


async def levels_in(desk: Desk, visitor: Visitor, place_ids: Sequence[str]) -> list[Answer]:
    """Levels of stock in these places that hold something; the first that there are room for."""
    if not visitor.may("stock:read"):
        return []
    pages = await together(
        *(desk.page("/warehouse/stock/levels", location_id=place_id, limit=SHOWN) for place_id in place_ids)
    )
    levels = [level for page in pages for level in page.items if float(level["on_hand"]) > 0]
    return levels[:SHOWN]


async def _products(desk: Desk, visitor: Visitor) -> dict[str, Answer]:
    if not visitor.may("products:read"):
        return {}
    return {product["id"]: product for product in await desk.every("/warehouse/products", most=600)}


async def _lot(desk: Desk, lot_id: str) -> Answer | None:
    try:
        return await desk.get(f"/warehouse/batches/{lot_id}")
    except Refused:
        return None
