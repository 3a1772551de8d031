"""What goes by which name: vans, people, orders. As far as the reader may know; the rest shows as an id."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloud_api.console.asking import Answer, Desk, together
from cloud_api.console.pages import Visitor

_MOST = 600


@dataclass(frozen=True)
class Known:
    """Rows of the API, by their ids."""

    vehicles: Mapping[str, Answer] = field(default_factory=dict)
    people: Mapping[str, Answer] = field(default_factory=dict)
    orders: Mapping[str, Answer] = field(default_factory=dict)

    def van(self, vehicle_id: str | None) -> str:
        """A van's number plate."""
        row = self.vehicles.get(vehicle_id or "")
        return short(vehicle_id) if row is None else str(row["number"])

    def person(self, user_id: str | None) -> str:
        """A person's name."""
        row = self.people.get(user_id or "")
        return short(user_id) if row is None else str(row["full_name"])

    def order(self, order_id: str | None) -> Answer:
        """An order; empty when it is not known here."""
        return self.orders.get(order_id or "", {})


def short(id: str | None) -> str:
    """The end of an id, which differs; a dash where there is none."""
    return f"…{id[-6:]}" if id else "–"


async def known(desk: Desk, visitor: Visitor, *, orders: Mapping[str, object] | None = None) -> Known:
    """All that are needed to name what is on the road.

    Args:
        orders: the query of the list of orders that are wanted too; None: none are.

    Raises:
        Refused: when a list is not given.
    """

    async def listed(permission: str, path: str, **query: object) -> dict[str, Answer]:
        if not visitor.may(permission):
            return {}
        return {row["id"]: row for row in await desk.every(path, most=_MOST, **query)}

    async def nothing() -> dict[str, Answer]:
        return {}

    vehicles, people, found = await together(
        listed("fleet:read", "/warehouse/fleet/vehicles"),
        listed("users:read", "/admin/users", role="delivery_personnel"),
        nothing() if orders is None else listed("orders:read", "/orders", **orders),
    )
    return Known(vehicles, people, found)
