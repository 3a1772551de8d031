"""Many products at once: all or nothing, or all that can be done; and each row that is wrong is named."""

import asyncio
from typing import Any

from tests.cloud_api.catalog.shop import NOBODYS_ID, PRODUCTS, add, refusal, shelve
from tests.factories.farms import make_farm, plant_store
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

BULK = f"{PRODUCTS}/bulk"


def create(sku: str, **fields: Any) -> dict[str, Any]:
    return {"action": "create", "product": {"sku": sku, "name": sku.title(), "unit": "kg", **fields}}


async def skus(farm: Platform) -> set[str]:
    return {row["sku"] for row in await farm.tenant.get(PRODUCTS, limit=200)}


async def mixed(farm: Platform) -> list[dict[str, Any]]:
    """Rows of which those with an odd number cannot be done."""
    there = await add(farm.tenant, "THERE")
    done = await add(farm.tenant, "DONE")
    theirs = await add(await make_farm(farm), "THEIRS")
    store = await plant_store(farm)
    await receive(store)
    shelf = await shelve(farm.tenant, "leafy")
    return [
        create("ONE", category_id=shelf["id"]),
        create("ONE"),
        {"action": "update", "id": there["id"], "changes": {"price": "12.5", "version": 1}},
        {"action": "update", "id": there["id"], "changes": {"name": "Late", "version": 1}},
        {"action": "archive", "id": done["id"]},
        {"action": "archive", "id": store.product_id},
        create("TWO", gtin="4006381333931"),
        create("THREE", gtin="04006381333931"),
        create("FOUR", perishable=False),
        create("FIVE", perishable=True),
        {"action": "update", "id": done["id"], "changes": {"description": "until 2026"}},
        {"action": "update", "id": theirs["id"], "changes": {"name": "Mine"}},
    ]


PROBLEMS = {
    1: ("ALREADY_EXISTS", "sku"),
    3: ("STALE_VERSION", "version"),
    5: ("STOCK_REMAINS", "id"),
    7: ("ALREADY_EXISTS", "gtin"),
    9: ("WRONG_STORAGE", "shelf_life_days"),
    11: ("NOT_FOUND", "product_id"),
}


async def test_nothing_is_done_when_one_row_is_wrong_and_every_one_that_is_is_named(farm: Platform) -> None:
    rows = await mixed(farm)
    before = await farm.tenant.get(PRODUCTS)
    answer = await farm.tenant.client.post(BULK, json={"rows": rows})
    named = [f"rows.{row}.{field}" for row, (_, field) in PROBLEMS.items()]
    assert refusal(answer) == (422, "BULK_REFUSED", named)
    assert answer.json()["error"]["message"].startswith("6 of 12 rows cannot be done, and nothing was")
    assert await farm.tenant.get(PRODUCTS) == before


async def test_what_can_be_done_is_done_when_that_is_said(farm: Platform) -> None:
    told = await farm.tenant.post(BULK, {"rows": await mixed(farm), "all_or_nothing": False})
    assert (told["done"], told["failed"]) == (6, 6)
    assert [row["row"] for row in told["rows"]] == [*range(12)]
    for row in told["rows"]:
        if row["row"] in PROBLEMS:
            code, field = PROBLEMS[row["row"]]
            assert (row["id"], row["code"]) == (None, code)
            assert [problem["field"] for problem in row["problems"]] == [f"rows.{row['row']}.{field}"]
        else:
            assert (row["code"], row["problems"]) == (None, [])
            assert (await farm.tenant.get(f"{PRODUCTS}/{row['id']}"))["id"] == row["id"]
    rows = {row["sku"]: row for row in await farm.tenant.get(PRODUCTS)}
    assert rows.keys() >= {"ONE", "TWO", "FOUR", "THERE", "DONE"}
    assert not rows.keys() & {"THREE", "FIVE"}
    assert (rows["THERE"]["price"], rows["THERE"]["name"]) == ("12.5000", "There")
    assert (rows["DONE"]["status"], rows["DONE"]["description"]) == ("discontinued", "until 2026")
    numbers = sorted(row["product_code"] for row in rows.values())
    assert len(set(numbers)) == len(numbers)


async def test_a_row_that_says_too_little_or_too_much_is_refused_before_anything_is_done(farm: Platform) -> None:
    product = create("X")["product"]
    for wrong in (
        {"action": "create"},
        {"action": "create", "id": NOBODYS_ID, "product": product},
        {"action": "update", "id": NOBODYS_ID},
        {"action": "update", "changes": {}},
        {"action": "archive"},
        {"action": "archive", "id": NOBODYS_ID, "changes": {}},
        create("X", price="-1"),
        create("X", colour="green"),
    ):
        answer = await farm.tenant.client.post(BULK, json={"rows": [create("GOOD"), wrong], "all_or_nothing": False})
        status, code, [field] = refusal(answer)
        assert (status, code, field.split(".")[:2]) == (422, "VALIDATION_FAILED", ["rows", "1"])
    too_many = await farm.tenant.client.post(BULK, json={"rows": [{"action": "archive", "id": NOBODYS_ID}] * 1001})
    assert refusal(too_many) == (422, "VALIDATION_FAILED", ["rows"])
    assert await skus(farm) == set()


async def test_rows_sent_twice_are_done_once(farm: Platform) -> None:
    body = {"rows": [create(f"P-{number}") for number in range(30)]}
    answers = [
        await farm.tenant.client.post(BULK, json=body, headers={"Idempotency-Key": "bulk-of-thirty"}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    without_key = await farm.tenant.client.post(BULK, json=body)
    assert refusal(without_key) == (422, "BULK_REFUSED", [f"rows.{row}.sku" for row in range(30)])
    assert len(await skus(farm)) == 30


async def test_many_in_whatever_order_and_shelves_that_go_do_not_wait_for_each_other(farm: Platform) -> None:
    shelves = [(await shelve(farm.tenant, f"shelf-{number}"))["id"] for number in range(4)]
    ids = [(await add(farm.tenant, f"P-{number}", category_id=shelves[number % 4]))["id"] for number in range(8)]

    def change(order: list[str], shelf: str) -> Any:
        rows = [{"action": "update", "id": one, "changes": {"category_id": shelf}} for one in order]
        return farm.tenant.client.post(BULK, json={"rows": rows, "all_or_nothing": False})

    answers = await asyncio.gather(
        change(ids, shelves[0]),
        change(ids[::-1], shelves[1]),
        farm.tenant.client.delete(f"{PRODUCTS}/categories/{shelves[3]}"),
        change(ids[4:] + ids[:4], shelves[2]),
        farm.tenant.client.put(f"{PRODUCTS}/{ids[3]}", json={"category_id": shelves[1]}),
        farm.tenant.client.delete(f"{PRODUCTS}/categories/{shelves[2]}"),
    )
    assert {answer.status_code for answer in answers} <= {200, 204}, [answer.text for answer in answers]
    left = {row["category_id"] for row in await farm.tenant.get(PRODUCTS)}
    assert left <= {*shelves[:2], None}, "nothing lies on a shelf that is gone"
