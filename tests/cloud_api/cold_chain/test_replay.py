"""What a changed rule would have done, over the readings that are there; and nothing is written."""

from typing import Any

from cloud_api.cold_chain.judging import replay
from cloud_api.kernel import clock
from tests.cloud_api.cold_chain.excursions import judge_at_once, listed
from tests.factories.batches import EIGHT_OCLOCK_MS, make_series, send
from tests.factories.grounds import IN_ONE_LOOP
from tests.factories.stores import ColdStore, make_rule
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP

DAY = {"since": "2026-01-31T00:00:00Z", "until": "2026-02-01T00:00:00Z"}


async def tried(store: ColdStore, rule: Any, **changes: Any) -> tuple[list[Any], list[Any]]:
    """(peak, goes on) of what would be, and of what was."""
    body = {**DAY, **changes}
    answer = await store.tenant.post(f"/api/v1/alerts/rules/{rule['id']}/test", body)
    would_be, were = [
        [(one["peak_value"], one["ended_at"] is None) for one in answer[name]] for name in ("would_be", "were")
    ]
    return would_be, were


async def test_a_milder_limit_would_have_raised_less_and_a_stricter_more(farm: Platform, store: ColdStore) -> None:
    rule = await judge_at_once(store)
    await send(farm, store, make_series([4.0, 9.0, 4.0, 12.0, 4.0, 6.5, 8.5]))
    before = await listed(store)
    as_it_is = [(9.0, False), (12.0, False), (8.5, True)]
    assert await tried(store, rule) == (as_it_is, as_it_is)
    assert await tried(store, rule, set_at=10.0, clear_at=9.0) == ([(12.0, False)], as_it_is)
    stricter = await tried(store, rule, set_at=5.0, clear_at=5.0)
    assert stricter == ([*as_it_is[:2], (8.5, True)], as_it_is)
    assert await tried(store, rule, duration_s=60) == ([], as_it_is)
    assert (await listed(store), await store.tenant.get("/api/v1/alerts/rules")) == (before, [rule])


async def test_nothing_is_tried_that_could_not_be_a_rule(farm: Platform, store: ColdStore) -> None:
    rule = await make_rule(store)
    path = f"/api/v1/alerts/rules/{rule['id']}/test"
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("clear_at", {**DAY, "clear_at": 20.0}),
        ("since", {"since": DAY["until"], "until": DAY["since"]}),
        ("since", {**DAY, "since": "2025-01-01T00:00:00Z"}),
        ("since", {**DAY, "since": "2026-01-31T00:00:00"}),
    ]
    for field, body in wrong:
        answer = await store.tenant.client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field), body


async def test_the_commands_table_says_what_was_and_what_would_have_been(farm: Platform, store: ColdStore) -> None:
    await judge_at_once(store, name="Too warm")
    await send(farm, store, make_series([4.0, 9.0, 4.0, 12.0]))
    async with farm.database.unit_of_work(store.tenant.organization, read_only=True) as db:
        lines = await replay.table(
            db,
            name="Too warm",
            changes={"set_at": 10.0, "clear_at": 9.0},
            store=farm.app.state.reading_store,
            since=clock.from_ms(EIGHT_OCLOCK_MS),
            until=clock.from_ms(EIGHT_OCLOCK_MS + 3_600_000),
        )
    assert [line.split("  ")[0] for line in lines[:-1]] == ["was", "was", "would be"]
    assert lines[-1] == "Too warm: 2 were raised, 1 would be"
    assert f"{store.sensor_id}  2026-01-31 08:03:00  goes on" in lines[-2]
