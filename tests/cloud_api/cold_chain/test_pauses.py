"""What the gateway is told not to judge, a defrost or a planned shutdown, the cloud does not judge either."""

from typing import Any

import pytest

from tests.cloud_api.cold_chain.excursions import MINUTE_MS, breaches_of, judge_at_once
from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


async def pause(store: ColdStore, **fields: Any) -> None:
    defrost = {"starts_at_ms": EIGHT_OCLOCK_MS, "duration_s": 300, **fields}
    series = {"sensor": "z2m:cold-room-1", "quantity": "temperature"}
    path = f"/api/v1/edge/gateways/{store.gateway_id}/config"
    await store.tenant.put(path, {"pauses": [{**series, **defrost}]})


@pytest.mark.parametrize(
    ("fields", "started_ms"),
    [
        ({}, 5 * MINUTE_MS),
        ({"relax_by": 5.0}, 5 * MINUTE_MS),
        ({"relax_by": 0.5}, 0),
        ({"sensor": "z2m:another"}, 0),
        ({"quantity": "humidity"}, 0),
    ],
)
async def test_a_defrost_is_no_excursion_until_it_is_over(
    farm: Platform, store: ColdStore, fields: dict[str, Any], started_ms: int
) -> None:
    await judge_at_once(store)
    await pause(store, **fields)
    await send(farm, store, make_series([9.0] * 7))
    assert await breaches_of(farm, store, store.sensor_id) == [("high", started_ms, started_ms, None, 9.0)]


async def test_a_pause_of_one_rule_is_not_anothers(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store)
    lower = await judge_at_once(store, kind="low", set_at=0, clear_at=1)
    await pause(store, rules=[lower["id"]])
    await send(farm, store, make_series([-5.0, 9.0]))
    assert [kind for kind, *_ in await breaches_of(farm, store, store.sensor_id)] == ["high"]
