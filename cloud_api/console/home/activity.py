"""What was done last, each with the page of the record that it was done to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.names import names_of
from cloud_api.console.pages import Visitor
from cloud_api.console.writing import number

TRAIL = "/console/audit"
MOVEMENTS = "/console/movements"
_MOST = 10
#: what the trail calls a record -> the page that shows one
PAGES: Mapping[str, Callable[[str], str]] = {
    "customer_orders": lambda id: f"/console/orders/{id}",
    "customers": lambda id: f"/console/customers/{id}",
    "customer_returns": lambda id: f"/console/returns/{id}",
    "deliveries": lambda id: f"/console/deliveries/{id}",
    "delivery_routes": lambda id: f"/console/routes/{id}",
    "excursions": lambda id: f"/console/excursions/{id}",
    "gateways": lambda id: f"/console/gateways/{id}",
    "locations": lambda id: f"/console/cold-rooms/{id}",
    "lots": lambda id: f"/console/lots/{id}",
    "products": lambda id: f"/console/products/{id}",
    "sensors": lambda id: f"/console/gateways/sensors/{id}",
    "stock_takes": lambda id: f"/console/counts/{id}",
    "stock_transfers": lambda id: f"/console/transfers/{id}",
    "users": lambda id: f"/console/people/{id}",
    "vehicles": lambda id: f"/console/fleet/{id}",
}


@dataclass(frozen=True)
class Done:
    """One thing that was done."""

    at: str
    who: str
    what: str
    #: of its record; empty: it has no page of its own
    address: str
    note: str = ""


async def from_the_trail(desk: Desk, visitor: Visitor) -> Sequence[Done]:
    """What people and programs changed."""
    rows = (await desk.page("/activity", limit=_MOST)).items
    return [_trailed(row, visitor) for row in rows]


async def from_the_ledger(desk: Desk, visitor: Visitor) -> Sequence[Done]:
    """What was booked."""
    rows = (await desk.page("/warehouse/stock/movements", limit=_MOST)).items
    names = await names_of(visitor, lots=[row["lot_id"] for row in rows], people=[row["recorded_by"] for row in rows])
    return [
        Done(
            row["recorded_at"],
            names.person(row["recorded_by"]) if row["recorded_by"] else "–",
            f"{visitor.writing.word(row['movement_type'])}: {names.lot(row['lot_id'])}",
            f"/console/lots/{row['lot_id']}",
            number(row["quantity"]),
        )
        for row in rows
    ]


def _trailed(row: Answer, visitor: Visitor) -> Done:
    page, word = PAGES.get(row["entity"]), visitor.writing.word
    own = f"{TRAIL}?entity={row['entity']}&entity_id={row['entity_id']}"
    return Done(
        row["occurred_at"],
        row["actor_name"] or word(row["actor_kind"]),
        word(row["action"]),
        page(row["entity_id"]) if page and not row["action"].endswith(".deleted") else own,
        row["note"],
    )
