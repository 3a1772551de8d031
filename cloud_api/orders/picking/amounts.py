"""How much of a line may be in the box: exact where goods are counted, within the tolerance where they are weighed."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from cloud_api.catalog.products.facts import WHOLE
from cloud_api.catalog.products.models import Product

_PLACES = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most, both included, in the product's unit; at most three places."""

    least: Decimal
    most: Decimal

    def hold(self, quantity: Decimal) -> bool:
        """Whether so much is all right."""
        return self.least <= quantity <= self.most


def is_counted(product: Product) -> bool:
    """Whether there is no half of it."""
    return product.unit in WHOLE


def bounds(product: Product, due: Decimal, *, tolerance_percent: int) -> Bounds:
    """What may be in the box when so much is due."""
    if is_counted(product):
        return Bounds(due, due)
    slack = due * tolerance_percent / 100
    return Bounds(
        (due - slack).quantize(_PLACES, rounding=ROUND_CEILING),
        (due + slack).quantize(_PLACES, rounding=ROUND_FLOOR),
    )
