"""How much of a lot's shelf life its temperatures have used up.

The Q10 rule: a reaction that spoils food runs Q10 times as fast when it is 10 °C warmer, so an hour at T uses
Q10^((T - T_ref) / 10) hours of the shelf life that the product has at T_ref. Over a history of temperatures the used
hours add up (time-temperature integration): T. P. Labuza, Shelf-Life Dating of Foods, Food and Nutrition Press 1982,
chapters 3-4; P. S. Taoukis, T. P. Labuza, J. Food Science 54 (1989) 783-788.

Which Q10 and T_ref a lot has is said by its product, else by the product's category, else by how it is stored:

- cold storage, 4 °C, 3.0: fresh produce between 0 and 10 °C has 2.5 to 4 (M. E. Saltveit, Respiratory Metabolism, USDA
  Agriculture Handbook 66, 2016);
- freezer, -18 °C, 8.0: frozen foods have 3 to 40 (B. Fu, T. P. Labuza, Shelf-Life Testing: Procedures and Prediction
  Methods for Frozen Foods, in: Quality in Frozen Food, Chapman & Hall 1997);
- ambient and dry, 20 °C, 2.0: van 't Hoff's rule of thumb, two to three.

What a lot is kept at may be known better: T_ref is then the highest temperature its product may be stored at. The
model knows no frost, no chilling injury and no germs: what it says is an upper bound, and never more than the label.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cloud_api.catalog.categories.models import Category
from cloud_api.catalog.products.models import Product

HOUR_MS = 3_600_000
_DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class Ageing:
    """How a product ages."""

    reference_c: float
    q10: float

    def rates(self, temperatures_c: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Hours of shelf life that an hour at each temperature uses up; same shape, NaN stays NaN."""
        used: npt.NDArray[np.float64] = self.q10 ** ((temperatures_c - self.reference_c) / 10.0)
        return used


DEFAULTS: Mapping[str, Ageing] = {
    "cold_storage": Ageing(4.0, 3.0),
    "freezer": Ageing(-18.0, 8.0),
    "ambient": Ageing(20.0, 2.0),
    "dry_storage": Ageing(20.0, 2.0),
}


@dataclass(frozen=True, slots=True)
class HourlyTemperature:
    """What was measured in one hour of a place where the lot lay; `begins_ms` its beginning."""

    begins_ms: int
    mean_c: float


@dataclass(frozen=True, slots=True)
class ShelfLife:
    """What is left of a lot's shelf life."""

    ageing: Ageing
    #: at the reference temperature
    total_days: float
    used_days: float
    remaining_days: float
    #: hours of the lot's life in which nothing was measured: taken as at the reference temperature
    unknown_hours: float


def ageing_of(product: Product, category: Category | None, storage_type: str) -> Ageing:
    """The product's own parameters, else its category's, else those of how it is stored."""
    usual = DEFAULTS[storage_type]
    sources: list[Product | Category] = [product] if category is None else [product, category]
    said_c = next((one.reference_temperature_c for one in sources if one.reference_temperature_c is not None), None)
    said_q10 = next((one.q10 for one in sources if one.q10 is not None), None)
    highest_c = product.storage_temperature_max_c
    kept_at_c = usual.reference_c if highest_c is None else highest_c
    return Ageing(kept_at_c if said_c is None else said_c, usual.q10 if said_q10 is None else said_q10)


def remaining(
    ageing: Ageing,
    hours: Mapping[uuid.UUID, list[HourlyTemperature]],
    *,
    from_ms: int,
    at_ms: int,
    total_days: float,
    label_days: float | None,
) -> ShelfLife:
    """What is left at `at_ms` of `total_days` that began at `from_ms`.

    Of several sensors, and of several places where parts of the lot lay at once, each hour counts the worst.

    Args:
        hours: by sensor.
        label_days: to the date on the label; more is never left.
    """
    # the hours of an organisation begin at one minute of the clock, be it half past
    phase = next((its[0].begins_ms for its in hours.values() if its), from_ms)
    first_ms = from_ms - (from_ms - phase) % HOUR_MS
    begins = np.arange(first_ms, max(at_ms, from_ms + 1), HOUR_MS, dtype=np.int64)
    lengths = (np.minimum(begins + HOUR_MS, max(at_ms, from_ms)) - np.maximum(begins, from_ms)) / HOUR_MS
    count = len(begins)
    rates = np.full(count, np.nan)
    for its in hours.values():
        places = np.array([(hour.begins_ms - first_ms) // HOUR_MS for hour in its], dtype=np.int64)
        means = np.array([hour.mean_c for hour in its], dtype=np.float64)
        inside = (places >= 0) & (places < count)
        np.fmax.at(rates, places[inside], ageing.rates(means[inside]))
    unknown = np.isnan(rates)
    used_days = float((np.where(unknown, 1.0, rates) * lengths).sum()) / _DAY_H
    left = max(total_days - used_days, 0.0)
    if label_days is not None:
        left = min(left, max(label_days, 0.0))
    return ShelfLife(ageing, total_days, used_days, left, float(lengths[unknown].sum()))
