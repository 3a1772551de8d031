"""Nobody answers: the next are told, each step once, whoever does it and whatever happens meanwhile."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cloud_api.cold_chain.alerts import service
from cloud_api.cold_chain.alerts.escalation import Escalator
from cloud_api.cold_chain.alerts.models import Alert
from cloud_api.kernel.db import Database
from cloud_api.worker import running
from tests.cloud_api.cold_chain.alerts.alarms import (
    LIST,
    ONE_STEP,
    Hands,
    a_room,
    alert_of,
    clear_in,
    happened,
    make_policy,
    raise_in,
    timeline,
    told,
)
from tests.factories.farms import make_farm, make_person, open_farm_alone
from tests.factories.scopes import confine, id_of
from tests.factories.stores import make_warehouse
from tests.platform_under_test import Platform
from tests.services.waiting import until

ON_CALL = "/api/v1/notifications/on-call-lists"


@pytest.fixture
async def farm(database_url: str) -> AsyncIterator[Platform]:
    """An organisation whose alerts are the only ones there are."""
    async with open_farm_alone(database_url) as alone:
        yield alone


@pytest.fixture
def escalator(farm: Platform) -> Escalator:
    return Escalator(farm.database, poll_s=0.01)


def step(person: str, *, after_s: int = 60, **more: Any) -> dict[str, object]:
    return {"to": {"kind": "user", "user_id": person}, "channels": ["in_app"], "after_s": after_s, **more}


async def people(farm: Platform, count: int) -> list[str]:
    return [await id_of(await make_person(farm, farm.tenant, "inventory_staff")) for _ in range(count)]


async def heard(farm: Platform, alert_id: str) -> list[str]:
    return [str(one.user_id) for one in await told(farm, alert_id)]


async def heard_by_step(farm: Platform, alert_id: str) -> list[list[str]]:
    events = await timeline(farm, alert_id, "told")
    return [sorted(msgspec.convert(event.detail["user_ids"], list[str])) for event in events]


async def wait_and_escalate(hands: Hands, escalator: Escalator, *, seconds: float = 60) -> int:
    hands.move(seconds=seconds)
    return await escalator.escalate_due()


async def test_one_after_the_other_is_told_until_somebody_answers(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second, third = await people(farm, 3)
    policy_id = await make_policy(
        farm.tenant, step(first, after_s=0, repeat_every_s=60, repeats=1), step(second), step(third)
    )
    alert_id = await raise_in(farm, policy_id=policy_id)
    assert await escalator.escalate_due() == 0
    hands.move(seconds=59.9)
    assert await escalator.escalate_due() == 0
    hands.move(seconds=0.1)
    assert [await escalator.escalate_due() for _ in range(2)] == [1, 0]
    assert await heard(farm, alert_id) == [first, first]
    assert await wait_and_escalate(hands, escalator) == 1
    assert await heard(farm, alert_id) == [first, first, second]
    await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "On it"})
    assert await wait_and_escalate(hands, escalator, seconds=3600) == 0
    assert await heard(farm, alert_id) == [first, first, second]


async def test_the_last_step_goes_on_until_somebody_answers(farm: Platform, escalator: Escalator, hands: Hands) -> None:
    [keeper] = await people(farm, 1)
    last = step(keeper, after_s=0, repeat_every_s=600, repeats=None)
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, last))
    for _ in range(5):
        assert await wait_and_escalate(hands, escalator, seconds=600) == 1
    assert await heard(farm, alert_id) == [keeper] * 6
    await farm.tenant.post(f"{LIST}/{alert_id}/resolve", {"note": "Done"})
    assert await wait_and_escalate(hands, escalator, seconds=600) == 0


async def test_by_itself_it_goes_from_who_is_on_call_to_the_next_and_to_everybody(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    await farm.tenant.post(ON_CALL, {"name": "Nights", "members": [{"user_id": first}, {"user_id": second}]})
    alert_id = await raise_in(farm)
    for _ in range(3):
        await wait_and_escalate(hands, escalator, seconds=300)
    everybody = sorted([first, second, await id_of(farm.tenant)])
    assert await heard_by_step(farm, alert_id) == [[first], [first], [second], everybody]
    assert [event.detail["channels"] for event in await timeline(farm, alert_id, "told")][2:] == [
        ["in_app", "push", "sms"],
        ["in_app", "push", "sms", "mail"],
    ]


async def test_a_step_that_reaches_nobody_tells_everybody_who_may_answer(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    keeper = await make_person(farm, farm.tenant, "inventory_staff")
    made = await farm.tenant.post(ON_CALL, {"name": "Nights", "members": [{"user_id": await id_of(keeper)}]})
    to_list = {"to": {"kind": "on_call_list", "list_id": made["id"]}, "channels": ["in_app"]}
    policy_id = await make_policy(farm.tenant, to_list, {**to_list, "after_s": 60}, {**to_list, "after_s": 60})
    room_id = await a_room(farm)
    alert_id = await raise_in(farm, policy_id=policy_id, location_id=room_id)
    await confine(farm.tenant, keeper, await make_warehouse(farm.tenant))
    await wait_and_escalate(hands, escalator)
    await farm.tenant.client.delete(f"{ON_CALL}/{made['id']}")
    await wait_and_escalate(hands, escalator)
    me = await id_of(farm.tenant)
    assert await heard_by_step(farm, alert_id) == [[await id_of(keeper)], [me], [me]]
    events = await timeline(farm, alert_id, "told")
    assert ["instead" in event.detail for event in events] == [False, True, True]


async def test_when_nobody_at_all_can_be_told_the_timeline_says_so_and_it_goes_on(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    mute = {"channels": {"quality": {"in_app": False}}}
    await farm.tenant.put("/api/v1/notifications/settings", mute)
    policy_id = await make_policy(farm.tenant, ONE_STEP, {**ONE_STEP, "channels": ["mail"], "after_s": 60})
    alert_id = await raise_in(farm, policy_id=policy_id)
    assert await happened(farm, alert_id) == ["raised", "told_nobody"]
    await wait_and_escalate(hands, escalator)
    assert (await happened(farm, alert_id))[-1] == "told"


async def test_a_snooze_holds_it_and_ends_with_the_next_step(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    policy_id = await make_policy(farm.tenant, step(first, after_s=0), step(second))
    alert_id = await raise_in(farm, policy_id=policy_id)
    wake_at = (hands.now + timedelta(hours=2)).isoformat()
    await farm.tenant.post(f"{LIST}/{alert_id}/snooze", {"until": wake_at})
    assert await wait_and_escalate(hands, escalator, seconds=7199) == 0
    assert await wait_and_escalate(hands, escalator, seconds=1) == 1
    assert await heard(farm, alert_id) == [first, second]
    assert (await alert_of(farm, alert_id)).status == "open"
    assert (await happened(farm, alert_id))[-2:] == ["woke", "told"]


async def test_what_ended_while_it_was_put_off_wakes_without_a_sound(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    alert_id = await raise_in(farm)
    await farm.tenant.post(f"{LIST}/{alert_id}/snooze", {"until": (hands.now + timedelta(hours=1)).isoformat()})
    await clear_in(farm)
    before = len(await told(farm, alert_id))
    assert await wait_and_escalate(hands, escalator, seconds=3600) == 1
    awake = await alert_of(farm, alert_id)
    assert (awake.status, awake.due_at, len(await told(farm, alert_id))) == ("open", None, before)
    assert await wait_and_escalate(hands, escalator, seconds=86_400) == 0


async def test_what_is_over_is_told_no_more_until_it_comes_back(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    policy_id = await make_policy(farm.tenant, step(first, after_s=0), step(second))
    alert_id = await raise_in(farm, policy_id=policy_id)
    await clear_in(farm)
    assert await wait_and_escalate(hands, escalator) == 0
    assert await raise_in(farm, policy_id=policy_id) == alert_id
    assert await wait_and_escalate(hands, escalator) == 1
    assert (await heard(farm, alert_id))[-1] == second


async def test_two_workers_at_once_do_each_step_once(farm: Platform, hands: Hands) -> None:
    [keeper] = await people(farm, 1)
    policy_id = await make_policy(farm.tenant, step(keeper, after_s=0), step(keeper), step(keeper))
    alerts = [await raise_in(farm, group=f"room {n}", subject=f"s:{n}", policy_id=policy_id) for n in range(8)]
    workers = [Escalator(farm.database) for _ in range(3)]
    for _ in range(2):
        hands.move(seconds=60)
        done = await asyncio.gather(*(worker.escalate_due() for worker in workers))
        assert sum(done) == len(alerts)
    for alert_id in alerts:
        steps = [event.detail["step"] for event in await timeline(farm, alert_id, "told")]
        assert (steps, await heard(farm, alert_id)) == ([0, 1, 2], [keeper] * 3)


async def test_an_alert_that_nobody_can_read_keeps_no_other_waiting(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    policy_id = await make_policy(farm.tenant, step(first, after_s=0), step(second))
    broken, whole = [await raise_in(farm, group=name, subject=name, policy_id=policy_id) for name in ("a", "b")]
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        (await db.get_one(Alert, uuid.UUID(broken))).tellings = [{"step": "one"}]
    assert await wait_and_escalate(hands, escalator) == 1
    assert await heard(farm, whole) == [first, second]
    assert await heard(farm, broken) == [first]


class PowerCut(Exception):
    """Nothing after this happens."""


async def test_a_step_that_breaks_off_has_told_nobody_and_is_done_again(
    farm: Platform, escalator: Escalator, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    policy_id = await make_policy(farm.tenant, step(first, after_s=0), step(second))
    alert_id = await raise_in(farm, policy_id=policy_id)
    hands.move(seconds=60)
    with suppress(PowerCut):
        async with farm.database.unit_of_work(farm.tenant.organization) as db:
            await service.escalate(db, await db.get_one(Alert, uuid.UUID(alert_id)))
            await db.flush()
            raise PowerCut
    assert await heard(farm, alert_id) == [first]
    assert await escalator.escalate_due() == 1
    assert await heard(farm, alert_id) == [first, second]


async def test_the_loop_works_by_itself_and_outlives_a_database_that_does_not_answer(
    farm: Platform, hands: Hands
) -> None:
    first, second = await people(farm, 2)
    policy_id = await make_policy(farm.tenant, step(first, after_s=0), step(second))
    alert_id = await raise_in(farm, policy_id=policy_id)
    hands.move(seconds=60)
    url = farm.database.url.render_as_string(hide_password=False)
    elsewhere = Database(f"{url}-not-there/nor-here" if farm.database.is_sqlite else f"{url}_not_there")
    async with running(
        lost=Escalator(elsewhere, poll_s=0.01).run(), escalator=Escalator(farm.database, poll_s=0.01).run()
    ):

        async def told_both() -> bool:
            return await heard(farm, alert_id) == [first, second]

        await until(told_both, what="the second has been told")
        [lost] = [task for task in asyncio.all_tasks() if task.get_name() == "lost"]
        assert not lost.done()
    await elsewhere.close()


async def test_each_organisation_is_told_of_its_own(farm: Platform, escalator: Escalator, hands: Hands) -> None:
    stranger = await make_farm(farm)
    mine, theirs = await raise_in(farm), await raise_in(farm, tenant=stranger)
    assert await wait_and_escalate(hands, escalator, seconds=300) == 2
    assert mine != theirs
    for person in (farm.tenant, stranger):
        assert len(await person.get("/api/v1/notifications")) == 1, "the repeat has replaced the first"
