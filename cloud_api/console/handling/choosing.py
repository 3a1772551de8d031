"""Places to choose from, and the names of what a page is about, in one round of questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cloud_api.console.asking import Answer, together
from cloud_api.console.choices import Options, by_warehouse, options, places_of, warehouses_of
from cloud_api.console.names import Ids, Names, names_of
from cloud_api.console.pages import Visitor


@dataclass(frozen=True)
class Choices:
    """What forms offer."""

    warehouses: Sequence[Answer]
    places: Sequence[Answer] = ()

    def warehouse_options(self) -> Options:
        """Warehouses that are open."""
        return options((one for one in self.warehouses if one["is_active"]), "name", "code")

    def place_groups(self, warehouse_id: str | None = None) -> list[tuple[str, Options]]:
        """Places that goods can be put into, by warehouse; of one warehouse, or of all."""
        return by_warehouse(self.places, self.warehouses, only=warehouse_id or "")


async def choices_for(visitor: Visitor, **ids: Ids) -> tuple[Choices, Names]:
    """All warehouses and places that the visitor sees, with their names and those of `ids` (`names.names_of`)."""
    warehouses, places, names = await together(
        warehouses_of(visitor, closed=True), places_of(visitor), names_of(visitor, **ids)
    )
    known = replace(names, places=_by_id(places), warehouses=_by_id(warehouses))
    return Choices(warehouses, places), known


async def warehouses_for(visitor: Visitor) -> tuple[Choices, Names]:
    """Warehouses alone, to choose from and to be named."""
    warehouses = await warehouses_of(visitor, closed=True)
    return Choices(warehouses), Names(warehouses=_by_id(warehouses))


async def names_of_goods(visitor: Visitor, rows: Sequence[Answer], *, more: Iterable[str | None] = ()) -> Names:
    """The names of what rows say of products, lots and places.

    Args:
        more: places beside those that the rows lie in.
    """
    return await names_of(
        visitor,
        products=[row["product_id"] for row in rows],
        lots=[row["lot_id"] for row in rows],
        places=[*(row["location_id"] for row in rows if "location_id" in row), *more],
    )


def _by_id(rows: Iterable[Answer]) -> dict[str, Answer]:
    return {row["id"]: row for row in rows}
