"""Somebody does not wait: the next people are told at once."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from cloud_api.cold_chain.alerts.escalation import Escalator
from cloud_api.cold_chain.alerts.tellings import EVERYONE, Telling, place_of_next_step
from tests.cloud_api.cold_chain.alerts.alarms import (
    LIST,
    Hands,
    alert_of,
    clear_in,
    happened,
    make_policy,
    raise_in,
    told,
)
from tests.cloud_api.cold_chain.alerts.test_escalation import heard, people, step, wait_and_escalate
from tests.factories.farms import make_person, open_farm_alone
from tests.factories.scopes import id_of
from tests.platform_under_test import Platform, Tenant

NOTE = {"note": "The compressor is dead"}


@pytest.fixture
async def farm(database_url: str) -> AsyncIterator[Platform]:
    """An organisation whose alerts are the only ones there are."""
    async with open_farm_alone(database_url) as alone:
        yield alone


async def escalate(tenant: Tenant, alert_id: object) -> int:
    return (await tenant.client.post(f"{LIST}/{alert_id}/escalate", json=NOTE)).status_code


@pytest.mark.parametrize(
    ("steps", "place", "next_place"),
    [
        ([0, 1, 2], 0, 0),
        ([0, 0, 0, 1], 1, 3),
        ([0, 0, 0, 1], 3, 3),
        ([0, 1, 1], 2, 2),
        ([0, 1, 1], 3, 2),
        ([0], 1, 0),
    ],
)
def test_the_next_step_is_the_one_of_which_nobody_has_heard(steps: Sequence[int], place: int, next_place: int) -> None:
    tellings = [Telling(number, EVERYONE, ("push",), 60) for number in steps]
    assert place_of_next_step(tellings, place) == next_place


async def test_the_next_people_are_told_at_once_and_the_clock_goes_on_from_there(farm: Platform, hands: Hands) -> None:
    escalator = Escalator(farm.database, poll_s=0.01)
    first, second, third = await people(farm, 3)
    repeated = step(first, after_s=0, repeat_every_s=600, repeats=5)
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, repeated, step(second), step(third)))
    whole = await farm.tenant.post(f"{LIST}/{alert_id}/escalate", NOTE)
    assert await heard(farm, alert_id) == [first, second]
    assert [line["kind"] for line in whole["timeline"]] == ["raised", "told", "escalated", "told"]
    [said] = [line for line in whole["timeline"] if line["kind"] == "escalated"]
    assert (said["note"], said["user_id"]) == (NOTE["note"], await id_of(farm.tenant))
    newest = (await told(farm, alert_id))[-1]
    assert newest.title.startswith("Escalated: ")
    assert newest.message.startswith(f"{NOTE['note']}\n")
    assert await wait_and_escalate(hands, escalator, seconds=59) == 0
    assert await wait_and_escalate(hands, escalator, seconds=1) == 1
    assert await heard(farm, alert_id) == [first, second, third]


async def test_after_the_last_step_that_one_is_told_again(farm: Platform) -> None:
    first, second = await people(farm, 2)
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, step(first, after_s=0), step(second)))
    for _ in range(3):
        await farm.tenant.post(f"{LIST}/{alert_id}/escalate", NOTE)
    assert await heard(farm, alert_id) == [first, second, second, second]
    assert (await alert_of(farm, alert_id)).due_at is None


async def test_who_cannot_do_it_alone_hands_it_on(farm: Platform, hands: Hands) -> None:
    first, second = await people(farm, 2)
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, step(first, after_s=0), step(second)))
    await farm.tenant.post(f"{LIST}/{alert_id}/ack", {"comment": "On my way"})
    whole = await farm.tenant.post(f"{LIST}/{alert_id}/escalate", NOTE)
    assert (whole["status"], whole["acknowledged_by"]) == ("open", None)
    assert await heard(farm, alert_id) == [first, second]
    until = (hands.now + timedelta(hours=1)).isoformat()
    await farm.tenant.post(f"{LIST}/{alert_id}/snooze", {"until": until})
    assert (await farm.tenant.post(f"{LIST}/{alert_id}/escalate", NOTE))["snoozed_until"] is None


async def test_it_is_done_once_however_often_the_same_request_comes(farm: Platform) -> None:
    first, second = await people(farm, 2)
    alert_id = await raise_in(farm, policy_id=await make_policy(farm.tenant, step(first, after_s=0), step(second)))
    for _ in range(2):
        answer = await farm.tenant.client.post(
            f"{LIST}/{alert_id}/escalate", json=NOTE, headers={"Idempotency-Key": "once-and-no-more"}
        )
        assert answer.status_code == 200
    assert await heard(farm, alert_id) == [first, second]


async def test_what_is_over_or_resolved_is_not_escalated(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    await clear_in(farm)
    before = await happened(farm, alert_id)
    assert await escalate(farm.tenant, alert_id) == 409
    assert await happened(farm, alert_id) == before
    await farm.tenant.post(f"{LIST}/{alert_id}/resolve", {"note": "Done"})
    assert await escalate(farm.tenant, alert_id) == 409


async def test_who_may_not_answer_may_not_escalate_and_a_reason_is_needed(farm: Platform) -> None:
    alert_id = await raise_in(farm)
    viewer = await make_person(farm, farm.tenant, "viewer")
    assert await escalate(viewer, alert_id) == 403
    answer = await farm.tenant.client.post(f"{LIST}/{alert_id}/escalate", json={"note": " "})
    assert answer.status_code == 422
