"""What was rejected with its excursion is never sold, whoever releases what later."""

from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, mend
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, receive
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

HOLDS = "/api/v1/warehouse/stock/holds"


async def test_a_rejected_lot_outlasts_the_release_of_its_hold_and_of_every_other(
    farm: Platform, store: ColdStore
) -> None:
    await judge_at_once(store)
    await receive(store)
    first = await break_the_limit(farm, store)
    await mend(farm, store)
    await store.tenant.post(f"/api/v1/excursions/{first['id']}/close", {"disposition": "waste", "note": "9 °C inside"})
    second = await break_the_limit(farm, store, sequence=3)
    await mend(farm, store, sequence=4)
    await store.tenant.post(f"/api/v1/excursions/{second['id']}/close", {"disposition": "release", "note": "short"})
    for held in await store.tenant.get(HOLDS):
        await store.tenant.post(f"{HOLDS}/{held['id']}/release", {"reason": "we need it"})
    [level] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert (level["status"], level["available"]) == ("on_hold", "0.000")
    [rejected] = [
        one for held in await store.tenant.get(HOLDS) for one in held["levels"] if one["disposition"] != "release"
    ]
    assert (rejected["disposition"], rejected["reason"]) == ("waste", "9 °C inside")


async def test_a_person_may_release_one_lot_while_its_excursion_goes_on(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    await receive(store)
    await break_the_limit(farm, store)
    [held] = await store.tenant.get(HOLDS)
    [level] = held["levels"]
    body = {"reason": "sealed and deep-frozen", "stock_level_ids": [level["stock_level_id"]]}
    await store.tenant.post(f"{HOLDS}/{held['id']}/release", body)
    [free] = await store.tenant.get("/api/v1/warehouse/stock/levels")
    assert free["status"] == "available"
