"""The trail over HTTP: searched, exported, and added to by hand."""

import csv
import io
from typing import Any

import pytest

from cloud_api.audit import verify
from tests.cloud_api.audit.trails import KEY, seal_all
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

LOGS = "/api/v1/admin/security/audit-logs"
CATEGORIES = "/api/v1/warehouse/products/categories"


async def make_category(farm: Platform, name: str = "Leafy") -> str:
    made = await farm.tenant.post(CATEGORIES, {"name": name, "slug": name.lower()})
    return str(made["id"])


async def test_what_a_person_does_over_http_stands_in_the_trail(farm: Platform) -> None:
    category = await make_category(farm)
    await farm.tenant.put(f"{CATEGORIES}/{category}", {"name": "Leaves"})
    changed, created = await farm.tenant.get(LOGS, entity="product_categories")
    me = await farm.tenant.get("/api/v1/auth/me")
    assert (created["action"], created["entity_id"]) == ("product_categories.created", category)
    assert created["new"]["name"] == "Leafy"
    assert (changed["old"], changed["new"]) == ({"name": "Leafy"}, {"name": "Leaves"})
    for entry in (created, changed):
        assert (entry["actor_kind"], entry["actor_id"], entry["address"]) == ("user", me["id"], "127.0.0.1")
        assert len(entry["request_id"]) >= 8


async def test_a_search_finds_what_it_asks_for_and_nothing_else(farm: Platform) -> None:
    first, second = await make_category(farm, "One"), await make_category(farm, "Two")
    me = str((await farm.tenant.get("/api/v1/auth/me"))["id"])
    everything = await farm.tenant.get(LOGS, limit=200)
    by_id = {entry["entity_id"]: entry for entry in everything}
    at = by_id[second]["occurred_at"]

    async def found(**filters: Any) -> set[str]:
        return {entry["entity_id"] for entry in await farm.tenant.get(LOGS, limit=200, **filters)}

    assert await found(entity_id=first) == {first}
    assert await found(action="product_categories.created") == {first, second}
    assert await found(actor=me) == {first, second}
    assert await found(actor="00000000-0000-7000-8000-000000000000") == set()
    assert await found(**{"from": at}) == {second}
    assert second not in await found(to=at)
    assert {first} < await found(to=at)


async def test_pages_follow_each_other_without_a_gap(farm: Platform) -> None:
    for name in ("One", "Two", "Three"):
        await make_category(farm, name)
    whole = [entry["id"] for entry in await farm.tenant.get(LOGS, limit=200)]
    paged: list[str] = []
    cursor: dict[str, Any] = {}
    while cursor is not None:
        answer = (await farm.tenant.client.get(LOGS, params={"limit": 2, **cursor})).json()
        paged += [entry["id"] for entry in answer["data"]]
        following = answer["meta"]["next_cursor"]
        if following is None:
            break
        cursor = {"cursor": following}
    assert paged == whole


async def test_a_time_without_a_zone_is_refused(farm: Platform) -> None:
    answer = await farm.tenant.client.get(LOGS, params={"from": "2026-01-31T08:00:00"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_FAILED")


async def test_the_chain_leaves_as_json_lines_that_verify(farm: Platform) -> None:
    await make_category(farm)
    await seal_all(farm.database)
    answer = await farm.tenant.client.get(LOGS, params={"format": "jsonl"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    found = verify.verify(answer.text.splitlines(keepends=True), KEY.encode())
    assert found.organization_id == str(farm.tenant.organization.organization_id)
    assert found.count == len(await farm.tenant.get(LOGS, limit=200))


async def test_a_chain_with_entries_left_out_is_not_made(farm: Platform) -> None:
    answer = await farm.tenant.client.get(LOGS, params={"format": "jsonl", "entity": "users"})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "format")


async def test_a_table_holds_the_same_as_the_search(farm: Platform) -> None:
    await make_category(farm)
    answer = await farm.tenant.client.get(LOGS, params={"format": "csv", "entity": "product_categories"})
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
    [entry] = await farm.tenant.get(LOGS, entity="product_categories")
    assert (row["id"], row["action"], row["actor_name"]) == (entry["id"], entry["action"], entry["actor_name"])


NOTE = {"action": "inspected", "entity": "vehicles", "entity_id": "KA-01", "note": "seals intact"}


async def test_an_entry_by_hand_can_be_told_from_what_the_system_saw(farm: Platform) -> None:
    made = await farm.tenant.post(LOGS, {**NOTE, "new": {"seal": {"number": 7, "whole": True}}})
    assert (made["action"], made["new"], made["note"]) == (
        "manual.inspected",
        {"seal": {"number": 7, "whole": True}},
        "seals intact",
    )
    assert await farm.tenant.get(LOGS, action="manual.inspected") == [made]


@pytest.mark.parametrize(
    "wrong",
    [{"action": "users.deleted"}, {"action": ""}, {"entity": "x y"}, {"entity_id": ""}, {"note": ""}, {"actor": "me"}],
)
async def test_an_entry_by_hand_cannot_pass_for_another(farm: Platform, wrong: dict[str, object]) -> None:
    answer = await farm.tenant.client.post(LOGS, json={**NOTE, **wrong})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_FAILED")


async def test_a_number_that_json_has_not_is_refused(farm: Platform) -> None:
    headers = {"Content-Type": "application/json"}
    body = '{"action": "x", "entity": "y", "entity_id": "1", "note": "n", "new": {"figure": NaN}}'
    answer = await farm.tenant.client.post(LOGS, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "new")


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
async def test_there_is_no_way_to_change_an_entry(farm: Platform, verb: str) -> None:
    answer = await getattr(farm.tenant.client, verb)(LOGS)
    assert answer.status_code == 405


async def test_others_see_nothing_of_it(farm: Platform) -> None:
    await make_category(farm)
    stranger = await make_farm(farm)
    assert await stranger.get(LOGS, entity="product_categories") == []
    await seal_all(farm.database)
    theirs = (await stranger.client.get(LOGS, params={"format": "jsonl"})).text
    assert str(farm.tenant.organization.organization_id) not in theirs
    csv_text = (await stranger.client.get(LOGS, params={"format": "csv"})).text
    assert "product_categories" not in csv_text


async def test_without_the_permission_there_is_neither_search_nor_entry(farm: Platform) -> None:
    driver = await make_person(farm, farm.tenant, "delivery_personnel")
    for answer in (
        await driver.client.get(LOGS),
        await driver.client.get(LOGS, params={"format": "jsonl"}),
        await driver.client.post(LOGS, json=NOTE),
    ):
        assert answer.status_code == 403
