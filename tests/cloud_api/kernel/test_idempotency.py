"""A write sent twice happens once, and both times the caller hears the same."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import httpx2
import pyotp

from cloud_api.identity.passwords import new_password
from cloud_api.identity.people import service as people
from cloud_api.kernel import clock
from cloud_api.kernel.idempotency import KEPT_FOR
from cloud_api.kernel.tenancy import SystemScope
from tests.factories.stores import make_gateway, make_product, make_room, make_warehouse
from tests.platform_under_test import PASSWORD, Platform, Tenant

RECEIVING = "/api/v1/warehouse/stock/receiving"
CATEGORIES = "/api/v1/warehouse/products/categories"
KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
NOBODYS_ID = "00000000-0000-7000-8000-000000000000"


async def goods(tenant: Tenant, quantity: str = "10.000") -> dict[str, Any]:
    """The body of a receipt."""
    room = await make_room(tenant, await make_warehouse(tenant))
    return {
        "product_id": await make_product(tenant),
        "location_id": room,
        "lot_number": "LOT-1",
        "quantity": quantity,
    }


async def post(tenant: Tenant, body: object, key: str, path: str = RECEIVING) -> httpx2.Response:
    return await tenant.client.post(path, json=body, headers={KEY: key})


async def movements(tenant: Tenant) -> int:
    return len(await tenant.get("/api/v1/warehouse/stock/movements"))


async def test_the_same_request_is_answered_the_same_and_done_once(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    first = await post(tenant, body, "receipt-1")
    assert (first.status_code, REPLAYED in first.headers) == (201, False)
    for _ in range(2):
        again = await post(tenant, body, "receipt-1")
        assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
        assert again.content == first.content
        assert again.headers["content-type"] == first.headers["content-type"]
    assert await movements(tenant) == 1


async def test_the_same_key_for_another_request_is_refused(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    await post(tenant, body, "receipt-1")
    others = [
        await post(tenant, {**body, "quantity": "11.000"}, "receipt-1"),
        await post(tenant, body, "receipt-1", path=f"{RECEIVING}?again=1"),
        await post(tenant, body, "receipt-1", path=CATEGORIES),
        await tenant.client.put(f"/api/v1/edge/sensors/{NOBODYS_ID}", json={}, headers={KEY: "receipt-1"}),
    ]
    for other in others:
        assert (other.status_code, other.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert other.json()["error"]["details"][0]["field"] == KEY
    assert await movements(tenant) == 1


async def test_a_request_that_failed_does_not_burn_its_key(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    for wrong in ({**body, "quantity": "-1"}, {**body, "location_id": NOBODYS_ID}):
        assert not (await post(tenant, wrong, "receipt-1")).is_success
    assert (await post(tenant, body, "receipt-1")).status_code == 201
    assert await movements(tenant) == 1


async def test_sixteen_at_once_are_one(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    answers = await asyncio.gather(*(post(tenant, body, "receipt-1") for _ in range(16)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum(REPLAYED in answer.headers for answer in answers) == 15
    assert await movements(tenant) == 1


async def test_of_sixteen_different_ones_under_one_key_one_is_done(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    answers = await asyncio.gather(
        *(post(tenant, {**body, "quantity": f"{number}.000"}, "receipt-1") for number in range(1, 17))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    assert await movements(tenant) == 1


async def test_keys_of_different_people_and_organisations_are_apart(shared_platform: Platform) -> None:
    tenant, other = shared_platform.tenant, await shared_platform.found()
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        await people.add_user(
            db,
            organization_id=tenant.organization.organization_id,
            username=f"second-{tenant.username}",
            email=f"second@{tenant.slug}.example",
            full_name="Second",
            password_hash=await new_password(PASSWORD),
            roles=["org_admin"],
        )
    colleague = await sign_in(shared_platform, tenant, f"second-{tenant.username}")
    body = await goods(tenant)
    for person in (tenant, colleague):
        assert REPLAYED not in (await post(person, body, "receipt-1")).headers
    assert await movements(tenant) == 2
    assert (await post(other, await goods(other), "receipt-1")).status_code == 201
    await colleague.client.aclose()


async def sign_in(platform: Platform, tenant: Tenant, username: str) -> Tenant:
    """Somebody of the tenant's organisation, signed in now."""
    client = platform.client()
    answer = await client.post("/api/v1/auth/login", json={"login": username, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.json()['data']['access_token']}"
    return Tenant(tenant.organization, tenant.slug, username, client)


async def test_a_key_is_kept_for_seven_days(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    body = await goods(tenant)
    sent_at = clock.now()
    clock.use(lambda: sent_at)
    await post(tenant, body, "receipt-1")
    for passed, done in ((KEPT_FOR, 1), (KEPT_FOR + timedelta(seconds=1), 2)):
        clock.use(partial(sent_at.__add__, passed))
        later = await sign_in(shared_platform, tenant, tenant.username)
        assert (await post(later, body, "receipt-1")).status_code == 201
        assert await movements(later) == done
        await later.client.aclose()


async def test_an_answer_without_a_body_is_repeated_too(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    category = await tenant.post(CATEGORIES, {"name": "Leafy", "slug": "leafy"})
    for _ in range(2):
        answer = await tenant.client.delete(f"{CATEGORIES}/{category['id']}", headers={KEY: "archive-1"})
        assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers[REPLAYED] == "true"


async def test_a_key_has_at_most_255_characters(shared_platform: Platform) -> None:
    body = await goods(shared_platform.tenant)
    assert (await post(shared_platform.tenant, body, "k" * 255)).status_code == 201
    for key in ("", "k" * 256):
        answer = await post(shared_platform.tenant, body, key)
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, KEY)


async def test_what_gateways_send_has_an_identity_of_its_own(shared_platform: Platform) -> None:
    gateway_id, token = await make_gateway(shared_platform, shared_platform.tenant)
    heartbeat = {
        "epoch": "0" * 32,
        "uptime_s": 1,
        "software_version": "0.1.0",
        "config_version": 1,
        "backlog_rows": 0,
        "oldest_unsent_ms": None,
        "dead_letters": 0,
        "disk_free_mb": 1,
    }
    async with shared_platform.client(token) as gateway:
        for recorded_at_ms in (1, 2):
            answer = await gateway.post(
                f"/api/v1/edge/gateways/{gateway_id}/heartbeat",
                json={**heartbeat, "recorded_at_ms": recorded_at_ms},
                headers={KEY: "beat"},
            )
            assert (answer.status_code, REPLAYED in answer.headers) == (200, False)
    assert len(await shared_platform.tenant.get(f"/api/v1/edge/gateways/{gateway_id}/heartbeats")) == 2


async def test_a_refusal_that_was_counted_is_no_answer_to_repeat(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    seed = (await tenant.post("/api/v1/auth/2fa/setup"))["secret"]
    await tenant.post("/api/v1/auth/2fa/enable", {"code": pyotp.TOTP(seed).now()})
    for _ in range(2):
        refused = await post(tenant, {"code": "not-it"}, "codes-1", "/api/v1/auth/2fa/backup-codes")
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "WRONG_CODE")
        assert REPLAYED not in refused.headers
