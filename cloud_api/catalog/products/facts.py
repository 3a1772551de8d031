"""What must go together in what is said of a product."""

import math
import re
from collections.abc import Mapping
from typing import Protocol

from cloud_api.catalog.errors import WrongAttributes, WrongQuantity, WrongStorage
from cloud_api.catalog.products.models import Product
from cloud_api.kernel.errors import Invalid

#: units of which there is no half
WHOLE = frozenset({"piece", "bunch", "box", "crate", "pallet"})
MAX_ATTRIBUTES = 50
MAX_ATTRIBUTE_LENGTH = 500
#: beyond these an integer is not what a browser reads
_MAX_INTEGER = 2**53 - 1
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,63}")
#: °C in which each class of places is kept: what is kept outside of them does not belong there
_KEPT_AT_C = {
    "freezer": (-90.0, -5.0),
    "cold_storage": (-5.0, 16.0),
    "ambient": (5.0, 45.0),
    "dry_storage": (5.0, 45.0),
}


class _Kept(Protocol):
    """What storage has to do with."""

    perishable: bool
    shelf_life_days: int | None
    storage_type: str | None
    storage_temperature_min_c: float | None
    storage_temperature_max_c: float | None


def check_facts(product: Product, changed: set[str]) -> None:
    """Whether what is said of a product goes together, as far as `changed` has to do with it.

    Raises:
        Invalid: naming the field.
    """
    if changed & {"storage_type", "storage_temperature_min_c", "storage_temperature_max_c"}:
        _check_storage(product)
    if changed & {"perishable", "shelf_life_days", "storage_temperature_min_c", "storage_temperature_max_c"}:
        _check_perishable(product)
    low, high = product.min_stock_level, product.max_stock_level
    if low is not None and high is not None and low > high:
        raise Invalid("min_stock_level must not be above max_stock_level", field="min_stock_level")
    for field in ("min_stock_level", "max_stock_level", "reorder_point", "reorder_quantity"):
        level = getattr(product, field)
        if level is not None and product.unit in WHOLE and level != level.to_integral_value():
            raise WrongQuantity(f"{product.sku} is counted in whole units ({product.unit})", field=field)
    if product.catch_weight and product.unit not in WHOLE:
        raise Invalid(
            f"catch weight is counted in pieces and weighed besides: {product.unit} is weighed or measured only; count "
            f"it in one of {', '.join(sorted(WHOLE))}",
            field="catch_weight",
        )
    if "attributes" in changed:
        check_attributes(product.attributes)


def check_attributes(attributes: Mapping[str, object]) -> None:
    """Whether these can be kept and searched.

    Raises:
        WrongAttributes: naming the one that cannot.
    """
    if len(attributes) > MAX_ATTRIBUTES:
        raise WrongAttributes(f"at most {MAX_ATTRIBUTES} attributes, not {len(attributes)}", field="attributes")
    for name, value in attributes.items():
        if not _ATTRIBUTE.fullmatch(name):
            raise WrongAttributes(
                f"{name[:80]!r} is no name of an attribute: small letters, digits and _, a letter first, at most 64",
                field="attributes",
            )
        if (problem := _problem(value)) is not None:
            raise WrongAttributes(f"{name}: {problem}", field=f"attributes.{name}")


def _problem(value: object) -> str | None:
    match value:
        case bool():
            return None
        case str() if len(value) > MAX_ATTRIBUTE_LENGTH:
            return f"at most {MAX_ATTRIBUTE_LENGTH} characters"
        case int() if abs(value) > _MAX_INTEGER:
            return "an integer of at most 2^53 - 1; write it as text"
        case float() if not math.isfinite(value):
            return "a finite number"
        case str() | int() | float():
            return None
    return "a text, a number or a truth value; leave it out when it is not known"


def _check_storage(product: _Kept) -> None:
    low, high = product.storage_temperature_min_c, product.storage_temperature_max_c
    if low is not None and high is not None and low > high:
        raise WrongStorage(
            "storage_temperature_min_c must not be above storage_temperature_max_c", field="storage_temperature_min_c"
        )
    if product.storage_type is None:
        return
    coldest, warmest = _KEPT_AT_C[product.storage_type]
    if (low is not None and low > warmest) or (high is not None and high < coldest):
        raise WrongStorage(
            f"{product.storage_type} is kept between {coldest:g} and {warmest:g} °C, which is never within this "
            "product's storage temperatures: choose another class or correct the temperatures",
            field="storage_type",
        )


def _check_perishable(product: _Kept) -> None:
    if not product.perishable:
        return
    for field in ("shelf_life_days", "storage_temperature_min_c", "storage_temperature_max_c"):
        if getattr(product, field) is None:
            raise WrongStorage(f"what is perishable needs {field}: say it, or perishable false", field=field)
