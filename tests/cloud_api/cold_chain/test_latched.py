"""A latched alarm is over when the value is good and a person has said so."""

from tests.cloud_api.cold_chain.excursions import break_the_limit, judge_at_once, listed, measure, mend, the_only
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def reset(store: ColdStore) -> None:
    await store.tenant.post(f"/api/v1/excursions/{(await listed(store))[0]['id']}/reset")


async def test_it_stays_until_it_is_reset_and_a_second_breach_is_the_same(farm: Platform, store: ColdStore) -> None:
    rule = await judge_at_once(store, latched=True)
    await break_the_limit(farm, store)
    await mend(farm, store)
    assert (await the_only(store))["status"] == "open"
    await measure(farm, store, 12.0, sequence=3)
    await measure(farm, store, 4.0, sequence=4)
    excursion = await the_only(store)
    assert (excursion["status"], excursion["peak_value"], excursion["reset_at"]) == ("open", 12.0, None)
    await reset(store)
    after = await the_only(store)
    assert after["status"] == "recovered"
    assert None not in (after["ended_at"], after["reset_at"])
    [command] = await store.tenant.get(f"/api/v1/edge/gateways/{store.gateway_id}/commands")
    assert (command["kind"], command["target"]) == ("reset_alarm", rule["id"])
    await reset(store)
    assert await the_only(store) == after


async def test_a_reset_while_it_is_warm_waits_for_the_value(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store, latched=True)
    await break_the_limit(farm, store)
    await reset(store)
    assert (await the_only(store))["status"] == "open"
    await mend(farm, store)
    assert (await the_only(store))["status"] == "recovered"


async def test_what_ends_by_itself_needs_no_reset(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    excursion = await break_the_limit(farm, store)
    answer = await store.tenant.client.post(f"/api/v1/excursions/{excursion['id']}/reset")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "NOT_LATCHED")
