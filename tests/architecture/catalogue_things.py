"""Products and what belongs to them, as operations need them."""

from typing import Any

from tests.architecture.worlds import World
from tests.factories.stores import make_product

TAGS = "/api/v1/warehouse/tags"
PRODUCTS = "/api/v1/warehouse/products"


async def a_product(world: World) -> str:
    return world.store.product_id


async def another_product(world: World) -> str:
    return await make_product(world.tenant, unit="piece")


async def a_priced_product(world: World) -> str:
    return await make_product(world.tenant, price="42.5000")


async def a_bundle(world: World) -> str:
    return await make_product(world.tenant, unit="piece", product_type="bundle")


async def components(world: World) -> dict[str, object]:
    return {"items": [{"component_id": world.store.product_id, "quantity": "0.250"}]}


async def a_variant(world: World) -> str:
    """Two ids: the product's, and its own."""
    product_id = await a_priced_product(world)
    body = {"sku": f"V-{world.tenant.slug}-{world.number()}", "name": "Baby"}
    made = await world.tenant.post(f"{PRODUCTS}/{product_id}/variants", body)
    return f"{product_id} {made['id']}"


async def a_new_variant(world: World) -> dict[str, object]:
    return {"sku": f"N-{world.tenant.slug}-{world.number()}", "name": "Baby"}


async def a_tag(world: World) -> str:
    return str((await world.tenant.post(TAGS, {"name": f"Tag {world.number()}"}))["id"])


#: operation -> (what makes its id, its body)
CATALOGUE: dict[str, tuple[Any, ...]] = {
    "update_product": (a_product, {"description": "Young leaves"}),
    "discontinue_product": (another_product,),
    "list_variants": (a_product,),
    "create_variant": (a_product, a_new_variant),
    "update_variant": (a_variant, {"name": "Baby leaves"}),
    "delete_variant": (a_variant,),
    "get_product_units": (a_product,),
    "replace_product_units": (another_product, {"packs": [{"unit": "crate", "quantity": "12", "of": "piece"}]}),
    "convert_quantity": (a_product,),
    "list_prices": (a_product,),
    "replace_price_list": (a_product, {"valid_from": "2026-01-01", "lines": [{"price": "42.5"}]}),
    "get_price": (a_priced_product,),
    "get_variant_price": (a_variant,),
    "get_bundle": (a_bundle,),
    "replace_bundle": (a_bundle, components),
    "delete_tag": (a_tag,),
}
