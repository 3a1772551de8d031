"""Categories: a tree in which nothing lies within itself, and nothing is lost when a shelf goes."""

import asyncio
from typing import Any

import pytest

from cloud_api.catalog.categories.models import Category
from tests.cloud_api.catalog.shop import CATEGORIES, NOBODYS_ID, PRODUCTS, add, colleague, refusal, shelve
from tests.factories.farms import make_farm
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

LEAFY = {
    "name": "Leafy greens",
    "slug": "leafy-greens",
    "description": "What wilts first",
    "sort_order": 3,
    "color": "#2e7d32",
    "meta_title": "Leafy greens from Nashik",
    "meta_description": "Cut in the morning, at your door by night",
    "is_active": True,
    "reference_temperature_c": 2.0,
    "q10": 3.5,
}


async def test_a_category_is_made_read_changed_and_put_away(farm: Platform) -> None:
    tenant = farm.tenant
    parent = await shelve(tenant, "greens")
    made = await tenant.post(CATEGORIES, {**LEAFY, "parent_id": parent["id"]})
    path = f"{CATEGORIES}/{made['id']}"
    assert made == {**LEAFY, "parent_id": parent["id"], "id": made["id"], "version": 1}
    assert await tenant.get(path) == made
    assert [row["slug"] for row in await tenant.get(CATEGORIES)] == ["leafy-greens", "greens"]
    changed = await tenant.put(path, {"name": "Leaves", "color": None})
    assert changed == {**made, "name": "Leaves", "color": None, "version": 2}
    assert await tenant.put(path, {"parent_id": None, "version": 2}) == {**changed, "parent_id": None, "version": 3}
    late = await tenant.client.put(path, json={"name": "Herbs", "version": 2})
    assert refusal(late) == (409, "STALE_VERSION", ["version"])
    assert await tenant.put(path, {}) == {**changed, "parent_id": None, "version": 4}
    assert (await tenant.client.delete(path)).status_code == 204
    for again in (
        await tenant.client.get(path),
        await tenant.client.put(path, json={"name": "x"}),
        await tenant.client.delete(path),
    ):
        assert refusal(again) == (404, "NOT_FOUND", ["category_id"])
    assert [row["slug"] for row in await tenant.get(CATEGORIES)] == ["greens"]


async def test_a_slug_is_taken_everywhere_and_a_name_under_its_parent(farm: Platform) -> None:
    tenant = farm.tenant
    greens = await shelve(tenant, "greens")
    herbs = await shelve(tenant, "herbs")
    await shelve(await make_farm(farm), "greens")
    again = {"name": "Other", "slug": "greens"}
    assert refusal(await tenant.client.post(CATEGORIES, json=again)) == (409, "ALREADY_EXISTS", ["slug"])
    namesake = {"name": "Greens", "slug": "other"}
    assert refusal(await tenant.client.post(CATEGORIES, json=namesake)) == (409, "ALREADY_EXISTS", ["name"])
    below = await tenant.post(CATEGORIES, {**namesake, "parent_id": greens["id"]})
    moved = await tenant.client.put(f"{CATEGORIES}/{below['id']}", json={"parent_id": None})
    assert refusal(moved) == (409, "ALREADY_EXISTS", ["name"])
    renamed = await tenant.client.put(f"{CATEGORIES}/{herbs['id']}", json={"name": "Greens"})
    assert refusal(renamed) == (409, "ALREADY_EXISTS", ["name"])
    assert await tenant.get(f"{CATEGORIES}/{herbs['id']}") == herbs
    await tenant.client.delete(f"{CATEGORIES}/{below['id']}")
    await tenant.client.delete(f"{CATEGORIES}/{greens['id']}")
    await shelve(tenant, "greens")  # what was deleted keeps neither


async def test_of_those_who_take_a_name_at_once_one_gets_it(farm: Platform) -> None:
    bodies = [{"name": "Greens", "slug": f"greens-{number}"} for number in range(6)]
    answers = await asyncio.gather(*(farm.tenant.client.post(CATEGORIES, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]


async def test_a_parent_must_be_there_and_ones_own(farm: Platform) -> None:
    tenant = farm.tenant
    theirs = await shelve(await make_farm(farm), "greens")
    gone = await shelve(tenant, "gone")
    await tenant.client.delete(f"{CATEGORIES}/{gone['id']}")
    mine = await shelve(tenant, "mine")
    for parent_id in (NOBODYS_ID, theirs["id"], gone["id"]):
        body = {"name": "Leafy", "slug": "leafy", "parent_id": parent_id}
        assert refusal(await tenant.client.post(CATEGORIES, json=body)) == (404, "NOT_FOUND", ["parent_id"])
        moved = await tenant.client.put(f"{CATEGORIES}/{mine['id']}", json={"parent_id": parent_id})
        assert refusal(moved) == (404, "NOT_FOUND", ["parent_id"])


async def three_deep(tenant: Tenant) -> list[str]:
    ids: list[str] = []
    for slug in ("greens", "leafy", "baby"):
        ids.append((await shelve(tenant, slug, parent_id=ids[-1] if ids else None))["id"])
    return ids


async def test_nothing_lies_within_itself(farm: Platform) -> None:
    top, middle, bottom = await three_deep(farm.tenant)
    for parent_id in (top, middle, bottom):
        answer = await farm.tenant.client.put(f"{CATEGORIES}/{top}", json={"parent_id": parent_id})
        assert refusal(answer) == (409, "CYCLE", ["parent_id"])
    await farm.tenant.put(f"{CATEGORIES}/{bottom}", {"parent_id": top})


async def test_two_moves_at_once_make_no_ring(farm: Platform) -> None:
    for number in range(4):
        one, other = [(await shelve(farm.tenant, f"{slug}-{number}"))["id"] for slug in ("one", "other")]
        answers = await asyncio.gather(
            farm.tenant.client.put(f"{CATEGORIES}/{one}", json={"parent_id": other}),
            farm.tenant.client.put(f"{CATEGORIES}/{other}", json={"parent_id": one}),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_tree_is_as_deep_as_somebody_may_want_it_and_no_deeper(farm: Platform) -> None:
    parent_id = None
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for level in range(49):
            shelf = Category(name=f"Level {level}", slug=f"level-{level}", parent_id=parent_id)
            db.add(shelf)
            await db.flush()
            parent_id = shelf.id
    deepest = await shelve(farm.tenant, "deepest", parent_id=str(parent_id))
    body = {"name": "Too deep", "slug": "too-deep", "parent_id": deepest["id"]}
    assert refusal(await farm.tenant.client.post(CATEGORIES, json=body)) == (409, "CYCLE", ["parent_id"])
    tree = await farm.tenant.get(f"{CATEGORIES}/tree")
    depth = 0
    while tree:
        [node] = tree
        tree, depth = node["children"], depth + 1
    assert depth == 50


async def test_the_tree_counts_what_lies_on_each_shelf_and_below_it(farm: Platform) -> None:
    top, middle, bottom = await three_deep(farm.tenant)
    for number, shelf in enumerate((top, middle, middle, bottom, None)):
        await add(farm.tenant, f"P-{number}", category_id=shelf)
    gone = await add(farm.tenant, "GONE", category_id=bottom)
    await farm.tenant.client.delete(f"{PRODUCTS}/{gone['id']}")
    await shelve(farm.tenant, "first", sort_order=0)
    await farm.tenant.put(f"{CATEGORIES}/{top}", {"sort_order": 1})

    def shown(nodes: list[dict[str, Any]]) -> list[Any]:
        return [
            (node["slug"], node["product_count"], node["total_product_count"], shown(node["children"]))
            for node in nodes
        ]

    tree = await farm.tenant.get(f"{CATEGORIES}/tree")
    assert shown(tree) == [
        ("first", 0, 0, []),
        ("greens", 1, 4, [("leafy", 2, 3, [("baby", 1, 1, [])])]),
    ]


async def test_what_lies_on_a_shelf_that_goes_moves_to_where_the_shelf_was(farm: Platform) -> None:
    top, middle, bottom = await three_deep(farm.tenant)
    product = await add(farm.tenant, "CHARD", category_id=middle)
    assert (await farm.tenant.client.delete(f"{CATEGORIES}/{middle}")).status_code == 204
    assert (await farm.tenant.get(f"{CATEGORIES}/{bottom}"))["parent_id"] == top
    moved = await farm.tenant.get(f"{PRODUCTS}/{product['id']}")
    assert (moved["category_id"], moved["version"]) == (top, 2)
    assert (await farm.tenant.client.delete(f"{CATEGORIES}/{top}")).status_code == 204
    assert (await farm.tenant.get(f"{CATEGORIES}/{bottom}"))["parent_id"] is None
    assert (await farm.tenant.get(f"{PRODUCTS}/{product['id']}"))["category_id"] is None


async def test_a_shelf_stays_when_its_children_have_no_room_above(farm: Platform) -> None:
    top, middle, _ = await three_deep(farm.tenant)
    await farm.tenant.post(CATEGORIES, {"name": "Baby", "slug": "other-baby", "parent_id": top})
    answer = await farm.tenant.client.delete(f"{CATEGORIES}/{middle}")
    assert refusal(answer) == (409, "ALREADY_EXISTS", ["name"])
    assert (await farm.tenant.get(f"{CATEGORIES}/{middle}"))["parent_id"] == top


async def test_many_changes_are_done_in_their_order(farm: Platform) -> None:
    top, middle, bottom = await three_deep(farm.tenant)
    changes = [
        {"action": "create", "category": {"name": "Roots", "slug": "roots"}},
        {"action": "move", "id": bottom, "parent_id": None},
        {"action": "move", "id": top, "parent_id": bottom},  # a ring, had the one before not been done
        {"action": "reorder", "id": middle, "sort_order": 7},
        {"action": "deactivate", "id": middle},
        {"action": "deactivate", "id": top},
        {"action": "activate", "id": top},
    ]
    touched = await farm.tenant.post(f"{CATEGORIES}/bulk", {"changes": changes})
    assert [row["slug"] for row in touched] == ["roots", "baby", "greens", "leafy"]
    rows = {row["slug"]: row for row in await farm.tenant.get(CATEGORIES)}
    assert (rows["baby"]["parent_id"], rows["greens"]["parent_id"]) == (None, bottom)
    assert (rows["leafy"]["sort_order"], rows["leafy"]["is_active"], rows["greens"]["is_active"]) == (7, False, True)


async def test_of_many_changes_all_are_done_or_none_and_each_that_is_wrong_is_named(farm: Platform) -> None:
    top, middle, bottom = await three_deep(farm.tenant)
    theirs = await shelve(await make_farm(farm), "theirs")
    before = await farm.tenant.get(CATEGORIES)
    changes = [
        {"action": "create", "category": {"name": "Roots", "slug": "roots"}},
        {"action": "create", "category": {"name": "Other", "slug": "greens"}},
        {"action": "move", "id": top, "parent_id": bottom},
        {"action": "reorder", "id": middle, "sort_order": 7},
        {"action": "activate", "id": theirs["id"]},
        {"action": "move", "id": middle, "parent_id": theirs["id"]},
    ]
    answer = await farm.tenant.client.post(f"{CATEGORIES}/bulk", json={"changes": changes})
    named = ["changes.1.slug", "changes.2.parent_id", "changes.4.category_id", "changes.5.parent_id"]
    assert refusal(answer) == (422, "BULK_REFUSED", named)
    assert answer.json()["error"]["message"].startswith("4 of 6 rows")
    assert await farm.tenant.get(CATEGORIES) == before


@pytest.mark.parametrize(
    "change",
    [
        {"action": "create"},
        {"action": "create", "id": NOBODYS_ID, "category": {"name": "A", "slug": "a"}},
        {"action": "move", "id": NOBODYS_ID},
        {"action": "move", "parent_id": None},
        {"action": "reorder", "id": NOBODYS_ID},
        {"action": "reorder", "id": NOBODYS_ID, "sort_order": None},
        {"action": "activate"},
        {"action": "activate", "id": NOBODYS_ID, "sort_order": 1},
        {"action": "paint", "id": NOBODYS_ID},
    ],
)
async def test_a_change_that_says_too_little_or_too_much_is_refused(farm: Platform, change: dict[str, Any]) -> None:
    answer = await farm.tenant.client.post(f"{CATEGORIES}/bulk", json={"changes": [change]})
    assert refusal(answer)[:2] == (422, "VALIDATION_FAILED")


WRONG: list[tuple[object, list[str]]] = [
    ({}, ["name", "slug"]),
    ({**LEAFY, "slug": "Leafy Greens"}, ["slug"]),
    ({**LEAFY, "name": " "}, ["name"]),
    ({**LEAFY, "name": None}, ["name"]),
    ({**LEAFY, "name": "a\0b"}, ["name"]),
    ({**LEAFY, "sort_order": -1}, ["sort_order"]),
    ({**LEAFY, "color": "green"}, ["color"]),
    ({**LEAFY, "parent_id": "the first"}, ["parent_id"]),
    ({**LEAFY, "colour": "green"}, ["colour"]),
    ({**LEAFY, "id": NOBODYS_ID}, ["id"]),
    ({**LEAFY, "organization_id": NOBODYS_ID}, ["organization_id"]),
    ([], ["body"]),
]


async def test_what_is_wrong_is_named(farm: Platform) -> None:
    for body, fields in WRONG:
        answer = await farm.tenant.client.post(CATEGORIES, json=body)
        assert refusal(answer) == (422, "VALIDATION_FAILED", fields), body
    assert await farm.tenant.get(CATEGORIES) == []


async def test_an_update_cannot_empty_what_must_be_there(farm: Platform) -> None:
    path = f"{CATEGORIES}/{(await shelve(farm.tenant, 'leafy'))['id']}"
    for body in ({"name": None}, {"name": ""}, {"slug": None}, {"archived_at": None}):
        answer = await farm.tenant.client.put(path, json=body)
        assert refusal(answer) == (422, "VALIDATION_FAILED", [*body])


async def test_who_may_read_may_not_write(farm: Platform) -> None:
    made = await shelve(farm.tenant, "leafy")
    viewer = await colleague(farm, "viewer")
    assert (await viewer.client.get(CATEGORIES)).status_code == 200
    for refused in (
        await viewer.client.post(CATEGORIES, json={"name": "X", "slug": "x"}),
        await viewer.client.put(f"{CATEGORIES}/{made['id']}", json={"name": "x"}),
        await viewer.client.delete(f"{CATEGORIES}/{made['id']}"),
    ):
        assert refusal(refused) == (403, "FORBIDDEN", [])
        assert "products:write" in refused.json()["error"]["message"]
    assert await farm.tenant.get(CATEGORIES) == [made]
