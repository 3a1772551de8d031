"""A claim code is traded for a credential: once, in time, by one box, and an answer that got lost is asked again."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import msgspec
from sqlalchemy import update

from cloud_api.devices.models import Gateway
from cloud_api.devices.provisioning.service import CLAIM_CODE_LIFE
from cloud_api.kernel import clock
from gateway.contract import GatewayConfig
from tests.factories.grounds import IN_ONE_LOOP
from tests.platform_under_test import Platform

pytestmark = IN_ONE_LOOP


@dataclass(frozen=True)
class Announced:
    """A gateway to come."""

    gateway_id: str
    claim_code: str


async def announce(farm: Platform, name: str = "Box") -> Announced:
    made = await farm.tenant.post("/api/v1/edge/gateways", {"name": f"{name} {uuid.uuid4()}"})
    return Announced(made["gateway_id"], made["claim_code"])


def draw_secret() -> str:
    return uuid.uuid4().hex * 2


async def provision(farm: Platform, claim_code: str, secret: str, software_version: str = "0.1.0") -> httpx2.Response:
    body = {"claim_code": claim_code, "secret": secret, "software_version": software_version}
    async with farm.client() as box:
        return await box.post("/api/v1/edge/provision", json=body)


async def works(farm: Platform, gateway_id: str, secret: str) -> bool:
    async with farm.client(f"gateway.{gateway_id}.{secret}") as box:
        return (await box.get(f"/api/v1/edge/gateways/{gateway_id}/config")).status_code == 200


async def status_of(farm: Platform, gateway_id: str) -> Any:
    return (await farm.tenant.get(f"/api/v1/edge/gateways/{gateway_id}"))["status"]


async def test_a_claim_code_is_traded_for_a_credential(farm: Platform) -> None:
    announced, secret = await announce(farm), draw_secret()
    assert (await status_of(farm, announced.gateway_id), await works(farm, announced.gateway_id, secret)) == (
        "pending",
        False,
    )
    answer = await provision(farm, announced.claim_code, secret)
    assert answer.json()["data"]["gateway_id"] == announced.gateway_id
    given = msgspec.convert(answer.json()["data"]["config"], GatewayConfig)
    assert given == GatewayConfig(1, [], 60)
    assert (await status_of(farm, announced.gateway_id), await works(farm, announced.gateway_id, secret)) == (
        "active",
        True,
    )


async def test_a_box_whose_answer_got_lost_asks_again_also_when_the_code_has_expired(farm: Platform) -> None:
    announced, secret = await announce(farm), draw_secret()
    first = await provision(farm, announced.claim_code, secret)
    late = clock.now() + CLAIM_CODE_LIFE + timedelta(seconds=1)
    clock.use(lambda: late)
    again = await provision(farm, announced.claim_code, secret)
    assert (again.status_code, again.json()["data"]) == (200, first.json()["data"])


async def test_a_code_that_was_used_is_no_use_to_another_box(farm: Platform) -> None:
    announced, secret, other = await announce(farm), draw_secret(), draw_secret()
    assert (await provision(farm, announced.claim_code, secret)).status_code == 200
    refused = await provision(farm, announced.claim_code, other)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "WRONG_CLAIM_CODE")
    assert await works(farm, announced.gateway_id, secret)
    assert not await works(farm, announced.gateway_id, other)


async def test_two_boxes_with_one_code_at_the_same_moment_are_not_both_taken(farm: Platform) -> None:
    announced = await announce(farm)
    secrets = [draw_secret() for _ in range(4)]
    answers = await asyncio.gather(*(provision(farm, announced.claim_code, secret) for secret in secrets))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    working = [await works(farm, announced.gateway_id, secret) for secret in secrets]
    assert working == [answer.status_code == 200 for answer in answers]


async def test_a_code_is_good_for_a_day_and_no_longer(farm: Platform) -> None:
    in_time, late = await announce(farm), await announce(farm)
    now = clock.now()
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        for announced, expires_at in ((in_time, now), (late, now - timedelta(milliseconds=1))):
            its_row = Gateway.id == uuid.UUID(announced.gateway_id)
            await db.execute(update(Gateway).where(its_row).values(claim_expires_at=expires_at))
    clock.use(lambda: now)
    assert (await provision(farm, in_time.claim_code, draw_secret())).status_code == 200
    assert (await provision(farm, late.claim_code, draw_secret())).status_code == 403


async def test_a_renewed_code_replaces_the_first_and_the_old_box_works_until_the_new_one_has_claimed(
    farm: Platform,
) -> None:
    announced, old, new = await announce(farm), draw_secret(), draw_secret()
    await provision(farm, announced.claim_code, old)
    renewed = await farm.tenant.post(f"/api/v1/edge/gateways/{announced.gateway_id}/claim-code")
    assert await works(farm, announced.gateway_id, old)
    assert (await provision(farm, announced.claim_code, new)).status_code == 403
    answer = await provision(farm, renewed["claim_code"], new)
    assert answer.json()["data"]["gateway_id"] == announced.gateway_id
    assert await works(farm, announced.gateway_id, new)
    assert not await works(farm, announced.gateway_id, old)


async def test_a_gateway_out_of_service_is_claimed_by_nobody(farm: Platform) -> None:
    announced = await announce(farm)
    async with farm.database.unit_of_work(farm.tenant.organization) as db:
        its_row = Gateway.id == uuid.UUID(announced.gateway_id)
        await db.execute(update(Gateway).where(its_row).values(status="decommissioned"))
    assert (await provision(farm, announced.claim_code, draw_secret())).status_code == 403


async def test_a_claim_that_makes_no_credential_is_refused(farm: Platform) -> None:
    announced = await announce(farm)
    for field, value in (
        ("secret", ""),
        ("secret", "G" * 64),
        ("secret", "0" * 63),
        ("software_version", "\0"),
        ("software_version", "x" * 65),
    ):
        claim = {"secret": draw_secret(), "software_version": "0.1.0", field: value}
        answer = await provision(farm, announced.claim_code, **claim)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, field)
    assert await status_of(farm, announced.gateway_id) == "pending"


async def test_two_gateways_of_one_name_are_told_apart(farm: Platform) -> None:
    await farm.tenant.post("/api/v1/edge/gateways", {"name": "Cellar"})
    answer = await farm.tenant.client.post("/api/v1/edge/gateways", json={"name": "Cellar"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ALREADY_EXISTS")
