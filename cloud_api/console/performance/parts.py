"""The parts of the page: each asks the API one question, and tells its answer as cards and panels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloud_api.console.asking import Answer, Desk
from cloud_api.console.names import Names, names_of
from cloud_api.console.pages import Visitor
from cloud_api.console.panels import CardMaking, Making, no_cards
from cloud_api.console.performance import goods, road

FILTERS = ("from", "to", "warehouse_id")
_BASE = "/warehouse/analytics"
_OF_STOCK = ("analytics:warehouse",)
_OF_THE_ROAD = ("analytics:logistics", "analytics:warehouse")
_MOST_CATEGORIES = 1_000
Found = Callable[[Answer], Mapping[str, Iterable[str | None]]]


def _nobody(_said: Answer) -> Mapping[str, Iterable[str | None]]:
    return {}


@dataclass(frozen=True)
class Part:
    """One question.

    Args:
        asks: the operation, below `/warehouse/analytics`.
        needs: any of these permissions lets it be asked.
        names: kind -> the ids that an answer has, as `names_of` takes them.
        fixed: what it is asked besides.
    """

    asks: str
    panels: Mapping[str, Making]
    needs: Sequence[str] = _OF_STOCK
    cards: CardMaking = no_cards
    names: Found = _nobody
    fixed: Mapping[str, object] = field(default_factory=dict)
    with_categories: bool = False
    #: it is no part of the page, but only a file
    is_hidden: bool = False


def _in_stock(said: Answer) -> Mapping[str, Iterable[str | None]]:
    lots = said["expiring"]["first"]
    return {
        "products": [one["product_id"] for one in lots],
        "warehouses": [one["warehouse_id"] for one in (*lots, *said["low"])],
    }


def _wasted(said: Answer) -> Mapping[str, Iterable[str | None]]:
    lots = said["expired_on_hand"]["first"]
    return {
        "products": [one["product_id"] for one in (*said["by_product"], *lots)],
        "warehouses": [one["warehouse_id"] for one in lots],
    }


PARTS: Mapping[str, Part] = {
    "inventory": Part(
        "inventory",
        {"statuses": goods.statuses, "low-stock": goods.low, "expiring": goods.expiring},
        cards=goods.inventory_cards,
        names=_in_stock,
    ),
    "trends": Part("trends", {"stock-by-day": goods.trends}),
    "turnover": Part("turnover", {"turnover": goods.turnover}, cards=goods.turnover_cards),
    "waste": Part(
        "waste",
        {"waste-reasons": goods.waste_reasons, "waste-products": goods.waste_products, "expired": goods.expired},
        cards=goods.waste_cards,
        names=_wasted,
    ),
    "cold": Part(
        "compliance",
        {"cold-days": road.cold_days, "cold-places": road.cold_places, "excursions": road.excursions},
        cards=road.cold_cards,
        names=lambda said: {"places": [one["location_id"] for one in said["places"]]},
    ),
    "cold-report": Part(
        "compliance",
        {"cold-report": road.cold_report},
        names=lambda said: {"places": [one["location_id"] for one in said["days"]]},
        fixed={"by_place": True},
        is_hidden=True,
    ),
    "road": Part(
        "logistics",
        {"deliveries": road.punctuality, "failed": road.reasons, "vans": road.vehicles},
        _OF_THE_ROAD,
        road.road_cards,
    ),
    "drivers": Part(
        "performance",
        {"drivers": road.drivers},
        _OF_THE_ROAD,
        road.driver_cards,
        lambda said: {"people": [one["driver_id"] for one in said["drivers"]]},
    ),
    "storage": Part("efficiency", {"storage": goods.storage}, cards=goods.storage_cards),
    "costs": Part("costs", {"costs": goods.costs}, cards=goods.costs_cards),
    "value": Part(
        "valuation",
        {"value": goods.value},
        cards=goods.value_cards,
        names=lambda said: {"warehouses": [one["warehouse_id"] for one in said["categories"]]},
        with_categories=True,
    ),
}
#: panel -> the part that has it
PART_OF: Mapping[str, str] = {panel: name for name, part in PARTS.items() for panel in part.panels}


def open_to(visitor: Visitor) -> list[str]:
    """The parts that a visitor may see."""
    return [name for name, part in PARTS.items() if visitor.may(*part.needs) and not part.is_hidden]


async def answer_of(desk: Desk, visitor: Visitor, name: str, query: Mapping[str, str]) -> Answer:
    """What the API says for a part, and what the ids in it stand for.

    Raises:
        Refused: when it does not.
    """
    part = PARTS[name]
    asked = {key: query.get(key) for key in FILTERS}
    said = await desk.get(f"{_BASE}/{part.asks}", **asked, **part.fixed)
    ids = part.names(said)
    names = await names_of(visitor, **ids) if ids else Names()
    categories: Mapping[str, str] = await _categories(desk, visitor) if part.with_categories else {}
    return {**said, "names": names, "category_names": categories}


async def _categories(desk: Desk, visitor: Visitor) -> Mapping[str, str]:
    if not visitor.may("products:read"):
        return {}
    found = await desk.every("/warehouse/products/categories", most=_MOST_CATEGORIES)
    return {one["id"]: str(one["name"]) for one in found}
