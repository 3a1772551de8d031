"""Variants, bundles, tags, units and prices over HTTP."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud_api.catalog.products import bundles, measures, service
from cloud_api.catalog.products.models import Product, ProductVariant
from cloud_api.inventory.ledger.models import Lot
from tests.cloud_api.catalog.shop import NOBODYS_ID, PRODUCTS, TAGS, add, refusal
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP


async def path_of(tenant: Tenant, sku: str, **fields: Any) -> str:
    """A new product's own."""
    return f"{PRODUCTS}/{(await add(tenant, sku, **fields))['id']}"


async def known(db: AsyncSession, sku: str) -> Product:
    found = await service.find_by_code(db, sku)
    assert found is not None
    return found[0]


async def test_a_variant_has_its_own_number_code_price_and_attributes(farm: Platform) -> None:
    path = await path_of(farm.tenant, "CHARD", unit="bunch")
    body = {
        "sku": "CHARD-BABY",
        "name": "Baby leaves",
        "gtin": "00614141007349",
        "barcode": "BABY-1",
        "price": "55.0000",
        "cost_price": None,
        "unit_weight_g": 90,
        "attributes": {"size": "S"},
        "is_active": True,
    }
    made = await farm.tenant.post(f"{path}/variants", body)
    own = {name: made[name] for name in ("id", "created_at")}
    assert made == {**body, **own, "product_id": path.rpartition("/")[2], "version": 1}
    changed = await farm.tenant.put(f"{path}/variants/{made['id']}", {"price": None, "is_active": False})
    assert changed == {**made, "price": None, "is_active": False, "version": 2}
    assert await farm.tenant.get(f"{path}/variants") == [changed]
    assert (await farm.tenant.client.delete(f"{path}/variants/{made['id']}")).status_code == 204
    assert await farm.tenant.get(f"{path}/variants") == []
    await add(farm.tenant, "CHARD-BABY")  # what it was found by is free again


async def test_a_variant_is_its_products_only(farm: Platform) -> None:
    path, other = await path_of(farm.tenant, "CHARD"), await path_of(farm.tenant, "LEEK")
    made = await farm.tenant.post(f"{path}/variants", {"sku": "CHARD-S", "name": "Small"})
    for wrong in (f"{other}/variants/{made['id']}", f"{path}/variants/{NOBODYS_ID}"):
        for answer in (
            await farm.tenant.client.put(wrong, json={"name": "X"}),
            await farm.tenant.client.delete(wrong),
            await farm.tenant.client.get(f"{wrong}/price"),
        ):
            assert refusal(answer) == (404, "NOT_FOUND", ["variant_id"])
    bad = await farm.tenant.client.post(f"{path}/variants", json={"sku": "X", "name": "X", "gtin": "00614141007340"})
    assert refusal(bad) == (422, "WRONG_IDENTIFIER", ["gtin"])
    bad = await farm.tenant.client.put(f"{path}/variants/{made['id']}", json={"attributes": {"a": []}})
    assert refusal(bad) == (422, "WRONG_ATTRIBUTES", ["attributes.a"])


async def test_a_variant_that_lots_were_received_of_stays(farm: Platform) -> None:
    store = await plant_store(farm)
    path = f"{PRODUCTS}/{store.product_id}"
    made = await farm.tenant.post(f"{path}/variants", {"sku": "CHARD-S", "name": "Small"})
    await receive(store)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        lot = (await db.scalars(select(Lot))).one()
        lot.variant_id = (await db.scalars(select(ProductVariant.id))).one()
    answer = await farm.tenant.client.delete(f"{path}/variants/{made['id']}")
    assert refusal(answer) == (409, "IN_USE", ["variant_id"])
    assert (await farm.tenant.get(f"{path}/variants"))[0]["sku"] == "CHARD-S"


async def test_a_bundle_is_made_of_others(farm: Platform) -> None:
    box = await add(farm.tenant, "BOX", unit="piece", product_type="bundle")
    chard, eggs = await add(farm.tenant, "CHARD"), await add(farm.tenant, "EGGS", unit="piece")
    path = f"{PRODUCTS}/{box['id']}/bundle"
    items = [
        {"component_id": chard["id"], "quantity": "0.250"},
        {"component_id": eggs["id"], "quantity": "6.000"},
    ]
    told = [
        {**items[0], "sku": "CHARD", "name": "Chard", "unit": "kg"},
        {**items[1], "sku": "EGGS", "name": "Eggs", "unit": "piece"},
    ]
    assert await farm.tenant.get(path) == []
    assert await farm.tenant.put(path, {"items": items}) == told
    assert await farm.tenant.put(path, {"items": [{**items[1], "quantity": "12"}]}) == [
        {**told[1], "quantity": "12.000"}
    ]
    wrong: list[tuple[tuple[int, str, list[str]], list[dict[str, object]]]] = [
        ((422, "INVALID", ["items"]), [items[0], items[0]]),
        ((404, "NOT_FOUND", ["items.1.component_id"]), [items[0], {"component_id": NOBODYS_ID, "quantity": "1"}]),
        ((422, "WRONG_QUANTITY", ["items.0.quantity"]), [{**items[1], "quantity": "0.5"}]),
        ((422, "VALIDATION_FAILED", ["items.0.quantity"]), [{**items[1], "quantity": "0"}]),
        ((409, "CYCLE", ["items"]), [{"component_id": box["id"], "quantity": "1"}]),
    ]
    for expected, lines in wrong:
        assert refusal(await farm.tenant.client.put(path, json={"items": lines})) == expected
    assert len(await farm.tenant.get(path)) == 1
    plain = await farm.tenant.client.put(f"{PRODUCTS}/{chard['id']}/bundle", json={"items": []})
    assert refusal(plain) == (409, "NOT_A_BUNDLE", ["id"])
    retyped = await farm.tenant.client.put(f"{PRODUCTS}/{box['id']}", json={"product_type": "finished_good"})
    assert refusal(retyped) == (409, "CONFLICT", ["product_type"])


async def bundle_of(farm: Platform, sku: str, *parts: tuple[str, str]) -> str:
    made = await add(farm.tenant, sku, unit="piece", product_type="bundle")
    await farm.tenant.put(
        f"{PRODUCTS}/{made['id']}/bundle",
        {"items": [{"component_id": part, "quantity": count} for part, count in parts]},
    )
    return str(made["id"])


async def test_bundles_within_bundles_come_apart_and_never_hold_themselves(farm: Platform) -> None:
    egg = (await add(farm.tenant, "EGG", unit="piece"))["id"]
    leaf = (await add(farm.tenant, "LEAF"))["id"]
    tray = await bundle_of(farm, "TRAY", (egg, "6"))
    box = await bundle_of(farm, "BOX", (tray, "2"), (leaf, "0.125"), (egg, "1"))
    feast = await bundle_of(farm, "FEAST", (box, "3"), (tray, "1"))
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        made_of = await bundles.components_of(db, (await known(db, "FEAST")).id)
        assert {str(product): quantity for product, quantity in made_of.items()} == {
            egg: Decimal(45),
            leaf: Decimal("0.375"),
        }
        assert await bundles.components_of(db, (await known(db, "EGG")).id) == {}
    ring = await farm.tenant.client.put(
        f"{PRODUCTS}/{tray}/bundle", json={"items": [{"component_id": feast, "quantity": "1"}]}
    )
    assert refusal(ring) == (409, "CYCLE", ["items"])


async def test_two_bundles_that_take_each_other_in_at_once_make_no_ring(farm: Platform) -> None:
    for number in range(4):
        one, other = [await bundle_of(farm, f"{name}-{number}") for name in ("ONE", "OTHER")]

        def takes(bundle: str, part: str) -> Any:
            body = {"items": [{"component_id": part, "quantity": "1"}]}
            return farm.tenant.client.put(f"{PRODUCTS}/{bundle}/bundle", json=body)

        answers = await asyncio.gather(takes(one, other), takes(other, one))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_tag_is_worn_until_it_is_deleted(farm: Platform) -> None:
    tag = await farm.tenant.post(TAGS, {"name": "Organic", "color": "#2e7d32"})
    assert await farm.tenant.get(TAGS) == [tag]
    taken = await farm.tenant.client.post(TAGS, json={"name": "Organic"})
    assert refusal(taken) == (409, "ALREADY_EXISTS", ["name"])
    made = await add(farm.tenant, "CHARD", tag_ids=[tag["id"], tag["id"]])
    assert made["tag_ids"] == [tag["id"]]
    assert (await farm.tenant.client.delete(f"{TAGS}/{tag['id']}")).status_code == 204
    assert (await farm.tenant.get(f"{PRODUCTS}/{made['id']}"))["tag_ids"] == []
    again = await farm.tenant.client.delete(f"{TAGS}/{tag['id']}")
    assert refusal(again) == (404, "NOT_FOUND", ["tag_id"])


async def test_a_product_says_its_own_units(farm: Platform) -> None:
    path = await path_of(farm.tenant, "ONION")
    packs = [
        {"unit": "pallet", "quantity": "40", "of": "sack"},
        {"unit": "sack", "quantity": "12.5", "of": "kg"},
        {"unit": "bunch", "quantity": "1", "of": "kg", "per": 8},
    ]
    units = {row["unit"]: row for row in await farm.tenant.put(f"{path}/units", {"packs": packs})}
    assert units["sack"] == {"unit": "sack", "numerator": 25, "denominator": 2, "of_this_product": True}
    assert (units["pallet"]["numerator"], units["bunch"]["denominator"]) == (500, 8)
    assert units["g"] == {"unit": "g", "numerator": 1, "denominator": 1000, "of_this_product": False}
    assert {row["unit"]: row for row in await farm.tenant.get(f"{path}/units")} == units
    said = await farm.tenant.get(f"{path}/quantity", quantity="0.5", unit="pallet")
    assert said == {"quantity": "250.000", "unit": "kg"}
    assert {row["unit"] for row in await farm.tenant.put(f"{path}/units", {"packs": packs[1:2]})} == {
        *("g", "kg", "lb", "mg", "oz", "sack", "t")
    }
    wrong: list[tuple[tuple[int, str, list[str]], dict[str, str]]] = [
        ((422, "UNKNOWN_UNIT", ["unit"]), {"quantity": "1", "unit": "pallet"}),
        ((422, "WRONG_QUANTITY", ["quantity"]), {"quantity": "1", "unit": "lb"}),
        ((422, "VALIDATION_FAILED", ["quantity"]), {"quantity": "NaN", "unit": "kg"}),
    ]
    for expected, asked in wrong:
        assert refusal(await farm.tenant.client.get(f"{path}/quantity", params=asked)) == expected
    refused: list[tuple[str, str, dict[str, object]]] = [
        ("CONTRADICTORY_UNITS", "packs.0.unit", {"unit": "g", "quantity": "1", "of": "kg"}),
        ("UNKNOWN_UNIT", "packs", {"unit": "sack", "quantity": "1", "of": "barrel"}),
        ("VALIDATION_FAILED", "packs.0.quantity", {"unit": "sack", "quantity": "0", "of": "kg"}),
        ("VALIDATION_FAILED", "packs.0.quantity", {"unit": "sack", "quantity": "-1", "of": "kg"}),
        ("VALIDATION_FAILED", "packs.0.unit", {"unit": "Sack!", "quantity": "1", "of": "kg"}),
    ]
    for code, field, pack in refused:
        answer = await farm.tenant.client.put(f"{path}/units", json={"packs": [pack]})
        assert refusal(answer) == (422, code, [field])
    assert (await farm.tenant.get(f"{path}/quantity", quantity="2", unit="sack"))["quantity"] == "25.000"


async def test_what_is_said_in_a_pack_arrives_in_the_stock_unit(farm: Platform) -> None:
    path = await path_of(farm.tenant, "EGGS", unit="piece")
    await farm.tenant.put(f"{path}/units", {"packs": [{"unit": "tray", "quantity": "30", "of": "piece"}]})
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        product = await known(db, "EGGS")
        for quantity, unit, expected in (
            (Decimal(2), "tray", 60),
            (Decimal("1.5"), "dozen", 18),
            (Decimal(7), "piece", 7),
        ):
            assert await measures.to_stock_quantity(db, product, quantity, unit) == expected


async def test_pieces_that_are_weighed_one_by_one_have_no_factor(farm: Platform) -> None:
    path = await path_of(farm.tenant, "GOAT-CHEESE", unit="piece", catch_weight=True, unit_weight_g=850)
    said = {"packs": [{"unit": "kg", "quantity": "1", "of": "piece"}]}
    answer = await farm.tenant.client.put(f"{path}/units", json=said)
    assert refusal(answer) == (422, "CONTRADICTORY_UNITS", ["packs"])
    answer = await farm.tenant.client.get(f"{path}/quantity", params={"quantity": "2", "unit": "kg"})
    assert refusal(answer) == (422, "UNKNOWN_UNIT", ["unit"])


async def priced(tenant: Tenant, path: str, on: str, quantity: str = "1", **asked: object) -> tuple[str, int]:
    """(unit price, amount in minor units)"""
    told = await tenant.get(f"{path}/price", on=on, quantity=quantity, **asked)
    return told["unit_price"], told["amount_minor"]


async def test_a_price_is_that_of_the_day_and_the_quantity(farm: Platform) -> None:
    tenant, path = farm.tenant, await path_of(farm.tenant, "ONION", price="40")
    spring = {"valid_from": "2026-03-01", "lines": [{"price": "38"}, {"min_quantity": "100", "price": "35.5"}]}
    await tenant.put(f"{path}/prices", spring)
    summer = {"valid_from": "2026-06-01", "lines": [{"min_quantity": "10", "price": "36.3333"}]}
    assert [line["price"] for line in await tenant.put(f"{path}/prices", summer)] == ["36.3333"]
    assert await priced(tenant, path, "2026-02-28", "2.5") == ("40.0000", 10_000)
    assert await priced(tenant, path, "2026-03-01", "99.999") == ("38.0000", 379_996)
    assert await priced(tenant, path, "2026-05-31", "100") == ("35.5000", 355_000)
    assert await priced(tenant, path, "2026-06-01", "100") == ("36.3333", 363_333)
    assert await priced(tenant, path, "2026-06-01", "9.999") == ("40.0000", 39_996), "below the list's first step"
    assert len(await tenant.get(f"{path}/prices")) == 3
    assert await tenant.put(f"{path}/prices", {"valid_from": "2026-06-01", "lines": []}) == []
    assert await priced(tenant, path, "2026-06-01", "100") == ("35.5000", 355_000), "it was taken back"
    again = [{"price": "38"}, {"min_quantity": "50", "price": "37"}]
    told = await tenant.put(f"{path}/prices", {"valid_from": "2026-03-01", "lines": again})
    assert [(line["min_quantity"], line["price"]) for line in told] == [("0.000", "38.0000"), ("50.000", "37.0000")]
    twice = {"valid_from": "2026-03-01", "lines": [{"price": "1"}, {"price": "2"}]}
    assert refusal(await tenant.client.put(f"{path}/prices", json=twice)) == (422, "INVALID", ["lines"])


async def test_a_variants_price_comes_before_its_products(farm: Platform) -> None:
    tenant, path = farm.tenant, await path_of(farm.tenant, "ONION", price="40")
    variant = await tenant.post(f"{path}/variants", {"sku": "ONION-RED", "name": "Red"})
    own = f"{path}/variants/{variant['id']}"
    await tenant.put(f"{path}/prices", {"valid_from": "2026-01-01", "lines": [{"price": "39"}]})
    assert await priced(tenant, own, "2026-01-01") == ("39.0000", 3900)
    await tenant.put(own, {"price": "50"})
    assert await priced(tenant, own, "2026-01-01") == ("50.0000", 5000)
    red = {"valid_from": "2026-01-01", "variant_id": variant["id"], "lines": [{"price": "49"}]}
    await tenant.put(f"{path}/prices", red)
    assert await priced(tenant, own, "2026-01-01") == ("49.0000", 4900)
    assert await priced(tenant, path, "2026-01-01") == ("39.0000", 3900)
    stranger = await make_farm(farm)
    theirs = await path_of(stranger, "ONION")
    answer = await stranger.client.put(f"{theirs}/prices", json=red)
    assert refusal(answer) == (404, "NOT_FOUND", ["variant_id"])


async def test_what_nobody_priced_has_no_price(farm: Platform) -> None:
    path = await path_of(farm.tenant, "ONION")
    answer = await farm.tenant.client.get(f"{path}/price", params={"on": "2026-01-01"})
    assert refusal(answer) == (404, "NO_PRICE", ["on"])
    free = await path_of(farm.tenant, "SAMPLE", price="0")
    assert await priced(farm.tenant, free, "2026-01-01") == ("0.0000", 0)
    today = await farm.tenant.get(f"{free}/price")
    assert date.fromisoformat(today["on"]).year >= 2026


async def test_catch_weight_is_counted_in_pieces_and_priced_by_what_it_weighs(farm: Platform) -> None:
    """erpnext#13172, openfoodnetwork#5750: three cheeses were sold by the count and paid by the scale."""
    path = await path_of(farm.tenant, "CHEESE", unit="piece", catch_weight=True, unit_weight_g=850, price="1249.9900")
    weighed = await farm.tenant.get(f"{path}/price", on="2026-01-01", quantity="3", weight_g=2617)
    assert weighed == {
        "on": "2026-01-01",
        "quantity": "3.000",
        "unit_price": "1249.9900",
        "per": "kg",
        "weight_g": 2617,
        "weighed": True,
        "amount_minor": 327_122,  # 3,271.22383
        "valid_from": None,
    }
    about = await farm.tenant.get(f"{path}/price", on="2026-01-01", quantity="3")
    assert (about["weight_g"], about["weighed"], about["amount_minor"]) == (2550, False, 318_747)
    half = await farm.tenant.client.get(f"{path}/price", params={"quantity": "1.5"})
    assert refusal(half) == (422, "WRONG_QUANTITY", ["quantity"])
    plain = await path_of(farm.tenant, "ONION", price="40")
    answer = await farm.tenant.client.get(f"{plain}/price", params={"weight_g": 1000})
    assert refusal(answer) == (422, "INVALID", ["weight_g"])
