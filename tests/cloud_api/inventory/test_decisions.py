"""What people decide about held stock: by lot and place, with a reason, and a rejection outlasts every release."""

from typing import Any

from tests.cloud_api.inventory.stock import hold, release, status_in
from tests.factories.farms import make_farm, make_person
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.scopes import id_of
from tests.factories.stores import ColdStore, make_room, receive
from tests.platform_under_test import Platform, Tenant

pytestmark = IN_ONE_LOOP

HOLDS = "/api/v1/warehouse/stock/holds"
REASON = {"reason": "cores at 4.1 °C"}


async def the_hold(tenant: Tenant, source: str = "excursion:1") -> Any:
    [held] = [one for one in await tenant.get(HOLDS) if one["source"] == source]
    return held


async def decide(tenant: Tenant, held: Any, verb: str, **body: object) -> int:
    answer = await tenant.client.post(f"{HOLDS}/{held['id']}/{verb}", json={**REASON, **body})
    return int(answer.status_code)


async def two_lots_held(farm: Platform, store: ColdStore) -> tuple[Any, dict[str, str]]:
    """The hold, and the stock levels that it covers by lot number."""
    lots = {(await receive(store, lot=lot))["lot_id"]: lot for lot in ("ONE", "TWO")}
    await hold(farm, store, "excursion:1")
    held = await the_hold(store.tenant)
    return held, {lots[level["lot_id"]]: level["stock_level_id"] for level in held["levels"]}


async def test_a_hold_says_what_it_holds(farm: Platform, store: ColdStore) -> None:
    held, levels = await two_lots_held(farm, store)
    assert set(levels) == {"ONE", "TWO"}
    assert [level["disposition"] for level in held["levels"]] == [None, None]
    assert {level["location_id"] for level in held["levels"]} == {store.room_id}
    assert await store.tenant.get(f"{HOLDS}/{held['id']}") == held
    elsewhere = await make_room(store.tenant, store.warehouse_id)
    assert await store.tenant.get(HOLDS, location_id=elsewhere) == []


async def test_one_lot_is_released_and_the_other_stays_held(farm: Platform, store: ColdStore) -> None:
    held, levels = await two_lots_held(farm, store)
    assert await decide(store.tenant, held, "release", stock_level_ids=[levels["ONE"]]) == 200
    assert await status_in(store.tenant, store.room_id) == {"ONE": "available", "TWO": "on_hold"}
    [one] = [level for level in (await the_hold(store.tenant))["levels"] if level["disposition"]]
    assert (one["disposition"], one["reason"]) == ("release", REASON["reason"])
    assert one["decided_by"] == await id_of(store.tenant)


async def test_what_is_rejected_is_never_sold_whatever_is_released_later(farm: Platform, store: ColdStore) -> None:
    held, levels = await two_lots_held(farm, store)
    assert await decide(store.tenant, held, "reject", disposition="waste", stock_level_ids=[levels["ONE"]]) == 200
    await hold(farm, store, "excursion:2")
    await release(farm, store, "excursion:1")
    await release(farm, store, "excursion:2")
    assert await status_in(store.tenant, store.room_id) == {"ONE": "on_hold", "TWO": "available"}
    again = await store.tenant.client.post(f"{HOLDS}/{held['id']}/release", json={**REASON, "stock_level_ids": None})
    assert again.status_code == 200
    assert (await status_in(store.tenant, store.room_id))["ONE"] == "on_hold"


async def test_what_somebody_decided_is_not_decided_again(farm: Platform, store: ColdStore) -> None:
    held, levels = await two_lots_held(farm, store)
    one = [levels["ONE"]]
    await decide(store.tenant, held, "reject", disposition="quarantine", stock_level_ids=one)
    for verb, body in (("release", {}), ("reject", {"disposition": "waste"})):
        path = f"{HOLDS}/{held['id']}/{verb}"
        answer = await store.tenant.client.post(path, json={**REASON, **body, "stock_level_ids": one})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOT_HELD")


async def test_what_comes_to_a_released_lot_while_the_room_is_warm_is_held_again(
    farm: Platform, store: ColdStore
) -> None:
    held, levels = await two_lots_held(farm, store)
    await decide(store.tenant, held, "release", stock_level_ids=[levels["ONE"]])
    await receive(store, lot="ONE")
    assert (await status_in(store.tenant, store.room_id))["ONE"] == "on_hold"
    await release(farm, store, "excursion:1")
    assert set((await status_in(store.tenant, store.room_id)).values()) == {"available"}


async def test_a_reason_is_needed_and_who_may_not_decide_is_refused(farm: Platform, store: ColdStore) -> None:
    held, _ = await two_lots_held(farm, store)
    path = f"{HOLDS}/{held['id']}/release"
    assert (await store.tenant.client.post(path, json={"reason": ""})).status_code == 422
    staff = await make_person(farm, store.tenant, "inventory_staff")
    assert await decide(staff, held, "release") == 403
    stranger = await make_farm(farm)
    assert await decide(stranger, held, "release") == 404
    assert set((await status_in(store.tenant, store.room_id)).values()) == {"on_hold"}
