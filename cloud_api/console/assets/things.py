"""Assets and their check-outs, as pages know them: what may be done with one, and what is out too long."""

from collections.abc import Collection, Mapping, Sequence

from cloud_api.console.asking import Answer, nothing, together
from cloud_api.console.choices import Options, by_warehouse, options, places_of, warehouses_of
from cloud_api.console.pages import Visitor
from cloud_api.kernel import clock

ASSETS = "/console/assets"
ITEMS = "/items"
STATES = ("active", "in_use", "damaged", "in_repair", "lost", "archived")
#: what of an asset's status somebody may say, in which state: the API's status, and the verb of a button
MOVES: Mapping[str, Sequence[str]] = {
    "active": ("lost",),
    "in_use": ("lost",),
    "damaged": ("in_repair", "lost"),
    "in_repair": ("active", "lost"),
    "lost": ("active",),
    "archived": (),
}
#: states out of which one is taken out of service
_RETIRED_FROM = frozenset({"active", "damaged"})
_AT_ONCE = 200
_MOST_BORROWERS = 400


def is_out(item: Answer) -> bool:
    """Whether somebody has it."""
    return item["checkout"] is not None and item["checkout"]["status"] == "out"


def is_asked_for(item: Answer) -> bool:
    """Whether somebody waits for a decision."""
    return item["checkout"] is not None and item["checkout"]["status"] == "pending_approval"


def is_late(visitor: Visitor, checkout: Answer | None) -> bool:
    """Whether it should be back."""
    if checkout is None or checkout["status"] != "out":
        return False
    due = visitor.writing.moment(checkout["due_at"])
    return due is not None and due < clock.now()


def ways_of(visitor: Visitor, item: Answer) -> frozenset[str]:
    """What the visitor may do with it as it is: `lend`, `return`, `move`, `edit`, `retire`, and statuses to set."""
    ways: set[str] = set()
    state = item["status"]
    if visitor.may("items:checkout"):
        if is_out(item):
            ways.add("return")
        elif state == "active" and not is_asked_for(item):
            ways.add("lend")
    if visitor.may("items:write") and state != "archived":
        # what was lost while it was lent is found by bringing it back
        ways |= {"move", "edit"} | {to for to in MOVES[state] if to != "active" or not is_out(item)}
        if state in _RETIRED_FROM:
            ways.add("retire")
    return frozenset(ways)


async def items_of(visitor: Visitor, checkouts: Collection[Answer]) -> dict[str, Answer]:
    """The assets of these check-outs, by their ids."""
    ids = sorted({one["item_id"] for one in checkouts})
    parts = [ids[begin : begin + _AT_ONCE] for begin in range(0, len(ids), _AT_ONCE)]
    pages = await together(*(visitor.desk.page(ITEMS, id=part, limit=len(part)) for part in parts))
    return {item["id"]: item for page in pages for item in page.items}


async def people_of(visitor: Visitor) -> Options:
    """People whom things can be lent to, by name; nobody for whoever lends nothing."""
    return await _borrowers(visitor, "user")


async def teams_of(visitor: Visitor) -> Options:
    """The same of teams."""
    return await _borrowers(visitor, "team")


async def place_groups(visitor: Visitor) -> list[tuple[str, Options]]:
    """Places where a thing can be, by warehouse: offices and job sites too."""
    places, warehouses = await together(places_of(visitor), warehouses_of(visitor, closed=True))
    return by_warehouse(places, warehouses, goods=False)


async def _borrowers(visitor: Visitor, kind: str) -> Options:
    asked = (
        visitor.desk.every(f"{ITEMS}/borrowers", most=_MOST_BORROWERS, kind=kind)
        if visitor.may("items:checkout")
        else nothing()
    )
    return sorted(options(await asked), key=lambda pair: pair[1].casefold())
