"""The parts of the page: each asks the API one question, and tells its answer as cards and panels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.management import business, cards, use
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import CardMaking, Making, no_cards

FILTERS = ("from", "to", "by", "warehouse_id")
_BASE = "/admin/analytics"
#: of what is told by hours, the API tells no more at once
_MOST_DAYS_OF_HOURS = 31


@dataclass(frozen=True)
class Part:
    """One question.

    Args:
        needs: the permission without which it is not asked.
        filters: what of the page's address it is asked with.
    """

    needs: str
    panels: Mapping[str, Making]
    cards: CardMaking = no_cards
    filters: Sequence[str] = FILTERS
    by_hours: bool = False


PARTS: Mapping[str, Part] = {
    "business": Part("analytics:business", {"main-figures": business.main_figures}, cards.business),
    "revenue": Part("analytics:business", {"revenue": business.revenue}),
    "orders": Part(
        "analytics:business",
        {
            "orders": business.orders,
            "statuses": business.statuses,
            "categories": business.categories,
            "cities": business.cities,
        },
    ),
    "customers": Part(
        "analytics:business", {"customers": business.customers, "best-customers": business.best_customers}
    ),
    "products": Part("analytics:business", {"products": business.best_products}),
    "usage": Part(
        "analytics:business",
        {"people": use.new_people, "surfaces": use.surfaces, "storage": use.storage},
        cards.usage,
        ("from", "to", "by"),
    ),
    "security": Part(
        "security:read",
        {"events": use.events, "score": use.score, "changes": use.changes},
        cards.security,
        ("from", "to", "by"),
    ),
    "system": Part("analytics:system", {"growth": use.growth}, cards.system, ()),
    "performance": Part(
        "analytics:system",
        {"times": use.times, "areas": use.areas},
        cards.performance,
        ("from", "to"),
        by_hours=True,
    ),
    "errors": Part(
        "analytics:system",
        {"error-hours": use.error_hours, "error-types": use.error_types},
        filters=("from", "to"),
        by_hours=True,
    ),
}
#: panel -> the part that has it
PART_OF: Mapping[str, str] = {panel: name for name, part in PARTS.items() for panel in part.panels}
#: whose list of the best is as long as it is asked for
_BEST = frozenset({"customers", "products"})


def open_to(visitor: Visitor) -> list[str]:
    """The parts that a visitor may see."""
    return [name for name, part in PARTS.items() if visitor.may(part.needs)]


async def answer_of(desk: Desk, name: str, query: Mapping[str, str], *, best: int = 10) -> Answer:
    """What the API says for a part, and by which steps.

    Raises:
        Refused: when it does not.
    """
    part = PARTS[name]
    asked: dict[str, object] = {key: query.get(key) for key in part.filters}
    if part.by_hours:
        asked["from"] = _not_before(query)
    if name in _BEST:
        asked["best"] = best
    said = await desk.get(f"{_BASE}/{name}", **asked)
    return {"currency": "", **said, "by": query.get("by") or "day"}


def _not_before(query: Mapping[str, str]) -> str | None:
    """The first day, but no earlier than hours are told of at once; what is no day is the API's to refuse."""
    first = query.get("from")
    try:
        last = date.fromisoformat(query["to"]) if query.get("to") else None
        if first and last:
            return max(date.fromisoformat(first), last - timedelta(days=_MOST_DAYS_OF_HOURS - 1)).isoformat()
    except ValueError:
        return first
    return first
