"""Programs that trade a secret for access tokens of an hour: RFC 6749, to the letter where it counts."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import httpx2
import jwt
import pytest
import uvicorn
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from sqlalchemy import text

from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.programs import (
    CATEGORIES,
    CLIENTS,
    PRODUCTS,
    TOKEN,
    events_of,
    get,
    make_client,
    make_key,
    pass_time,
    refusal,
)
from tests.platform_under_test import Platform
from tests.services.waiting import until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRANT = {"grant_type": "client_credentials"}


def shown(client: dict[str, Any]) -> dict[str, str]:
    """Its credentials, as they stand in a form."""
    return {"client_id": client["client_id"], "client_secret": client["client_secret"]}


async def ask(platform: Platform, form: dict[str, str] | bytes, **headers: str) -> httpx2.Response:
    async with platform.client() as anybody:
        if isinstance(form, bytes):
            return await anybody.post(TOKEN, content=form, headers=headers)
        return await anybody.post(TOKEN, data=form, headers=headers)


async def token_of(platform: Platform, client: dict[str, Any], **fields: str) -> str:
    """A token that must be given."""
    answer = await ask(platform, {**GRANT, **shown(client), **fields})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@asynccontextmanager
async def serving(platform: Platform) -> AsyncIterator[str]:
    """The platform on a socket: its URL."""
    server = uvicorn.Server(uvicorn.Config(platform.app, port=0, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started, what="the server answers")
    yield "http://127.0.0.1:{1}".format(*server.servers[0].sockets[0].getsockname())
    server.should_exit = True
    await task


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
async def test_a_library_that_does_oauth_gets_a_token_and_works_with_it(sqlite_platform: Platform, way: str) -> None:
    made = await make_client(sqlite_platform.tenant, "products:*", "stock:read")
    async with (
        serving(sqlite_platform) as url,
        AsyncOAuth2Client(
            made["client_id"],
            made["client_secret"],
            scope="products:read",
            token_endpoint=f"{url}{TOKEN}",
            grant_type="client_credentials",
            token_endpoint_auth_method=way,
        ) as library,
    ):
        token = await library.fetch_token()
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "products:read")
        assert (await library.get(f"{url}{PRODUCTS}")).status_code == 200
        assert (await library.get(f"{url}/api/v1/warehouse/stock/movements")).status_code == 403
        with pytest.raises(OAuthError, match="invalid_scope"):
            await library.fetch_token(scope="orders:read")


async def test_a_library_understands_that_it_is_refused(sqlite_platform: Platform) -> None:
    made = await make_client(sqlite_platform.tenant)
    async with (
        serving(sqlite_platform) as url,
        AsyncOAuth2Client(made["client_id"], "wrong", token_endpoint=f"{url}{TOKEN}") as library,
    ):
        with pytest.raises(OAuthError, match="invalid_client"):
            await library.fetch_token(grant_type="client_credentials")


async def test_a_token_opens_what_was_asked_for_and_no_more(shared_platform: Platform) -> None:
    made = await make_client(shared_platform.tenant, "products:*")
    narrow = await token_of(shared_platform, made, scope="products:read")
    async with shared_platform.client(narrow) as program:
        assert (await program.get(PRODUCTS)).status_code == 200
        assert refusal(await program.post(CATEGORIES, json={"name": "Leafy", "slug": "leafy"})) == (403, "FORBIDDEN")
    async with shared_platform.client(await token_of(shared_platform, made)) as program:
        added = await program.post(CATEGORIES, json={"name": "Leafy", "slug": "leafy"})
        assert added.status_code == 201, "all that the client has, when nothing was asked for"
        assert refusal(await program.get("/api/v1/auth/me")) == (403, "FORBIDDEN")
    path = "/api/v1/admin/security/audit-logs"
    [entry] = await shared_platform.tenant.get(path, entity_id=added.json()["data"]["id"])
    assert (entry["actor_kind"], entry["actor_id"], entry["actor_name"]) == ("oauth_client", made["id"], "Shop")


async def test_the_answer_is_plain_and_kept_by_nobody(shared_platform: Platform) -> None:
    made = await make_client(shared_platform.tenant, "stock:read", "products:read")
    answer = await ask(shared_platform, {**GRANT, **shown(made)})
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    body = answer.json()
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "products:read stock:read"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["kind"], claims["sub"], claims["sid"]) == ("client", made["id"], "")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"client_id": "\0"}, (401, "invalid_client")),
        ({"client_id": "", "client_secret": ""}, (401, "invalid_client")),
        ({"client_secret": ""}, (401, "invalid_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"scope": "orders:read"}, (400, "invalid_scope")),
        ({"scope": "products:read *"}, (400, "invalid_scope")),
        ({"scope": "products:*"}, (400, "invalid_scope")),
        ({"scope": "bananas:peel"}, (400, "invalid_scope")),
    ],
)
async def test_what_is_refused_is_refused_in_the_words_of_the_rfc(
    sqlite_platform: Platform, fields: dict[str, str], expected: tuple[int, str]
) -> None:
    made = await make_client(sqlite_platform.tenant)
    answer = await ask(sqlite_platform, {**GRANT, **shown(made), **fields})
    assert (answer.status_code, answer.json()["error"]) == expected
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("www-authenticate", "").startswith("Basic") == (expected[0] == 401)


async def test_a_client_shows_itself_in_one_way_at_a_time(sqlite_platform: Platform) -> None:
    made = await make_client(sqlite_platform.tenant)
    name, secret = made["client_id"], made["client_secret"]
    for authorization, form, status, error in (
        (basic(name, secret), GRANT, 200, None),
        (basic(quote_plus(name), quote_plus(secret)), {**GRANT, "client_id": name}, 200, None),
        (basic(name, secret).replace("Basic", "basic"), GRANT, 200, None),
        (basic(name, secret), {**GRANT, **shown(made)}, 400, "invalid_request"),
        (basic(name, "wrong"), GRANT, 401, "invalid_client"),
        (f"Bearer {secret}", GRANT, 401, "invalid_client"),
        ("Basic", GRANT, 401, "invalid_client"),
        ("Basic !!!", GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), GRANT, 401, "invalid_client"),
        ("Basic " + base64.b64encode(name.encode()).decode(), GRANT, 401, "invalid_client"),
    ):
        answer = await ask(sqlite_platform, form, Authorization=authorization)
        assert (answer.status_code, answer.json().get("error")) == (status, error), authorization


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"grant_type": "client_credentials"}', "application/json"),
        (b"grant_type=client_credentials&grant_type=password", "application/x-www-form-urlencoded"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded"),
        (b"\xff", "application/x-www-form-urlencoded"),
        (b"a=1&" * 60, "application/x-www-form-urlencoded"),
        (b"", "multipart/form-data; boundary=x"),
    ],
)
async def test_what_is_no_form_is_said_to_be_none(sqlite_platform: Platform, body: bytes, content_type: str) -> None:
    answer = await ask(sqlite_platform, body, **{"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_form_has_no_use_for_many_bytes(sqlite_platform: Platform) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refusal(await ask(sqlite_platform, b"scope=" + b"x" * 20_000, **form)) == (413, "TOO_LARGE")


async def test_a_token_ends_after_an_hour(shared_platform: Platform) -> None:
    token = await token_of(shared_platform, await make_client(shared_platform.tenant))
    pass_time(HOUR - timedelta(minutes=1))
    assert (await get(shared_platform, token)).status_code == 200
    pass_time(HOUR + timedelta(seconds=1))
    assert refusal(await get(shared_platform, token)) == (401, "TOKEN_EXPIRED")


async def test_a_removed_client_is_out_at_once(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made, other = await make_client(tenant), await make_client(tenant)
    token, others = [await token_of(shared_platform, client) for client in (made, other)]
    assert (await tenant.client.delete(f"{CLIENTS}/{made['id']}")).status_code == 204
    assert refusal(await get(shared_platform, token)) == (401, "CLIENT_NOT_VALID")
    assert (await ask(shared_platform, {**GRANT, **shown(made)})).json()["error"] == "invalid_client"
    assert refusal(await tenant.client.delete(f"{CLIENTS}/{made['id']}")) == (404, "NOT_FOUND")
    assert [client["id"] for client in await tenant.get(CLIENTS)] == [other["id"]]
    assert (await get(shared_platform, others)).status_code == 200
    [event] = await events_of(tenant, "oauth_client_refused")
    assert (event["actor_id"], event["details"]["reason"]) == (made["id"], "removed")


async def test_a_token_is_worth_what_its_client_still_has(shared_platform: Platform) -> None:
    made = await make_client(shared_platform.tenant, "products:*")
    wide, narrow = [await token_of(shared_platform, made, scope=scope) for scope in ("products:*", "products:read")]
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        statement = text("""UPDATE oauth_clients SET scopes = '["products:read"]' WHERE client_id = :client""")
        await db.execute(statement, {"client": made["client_id"]})
    assert refusal(await get(shared_platform, wide)) == (401, "CLIENT_NOT_VALID")
    assert (await get(shared_platform, narrow)).status_code == 200


async def test_a_client_ends_with_its_organisation(shared_platform: Platform) -> None:
    made = await make_client(shared_platform.tenant)
    token = await token_of(shared_platform, made)
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        statement = text("UPDATE organizations SET is_active = false WHERE slug = :slug")
        await db.execute(statement, {"slug": shared_platform.tenant.slug})
    assert (await get(shared_platform, token)).status_code == 401
    assert (await ask(shared_platform, {**GRANT, **shown(made)})).json()["error"] == "invalid_client"


async def test_after_a_rotation_both_secrets_work_for_a_day(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made = await make_client(tenant)
    rotated = await tenant.post(f"{CLIENTS}/{made['id']}/rotate")
    for passed, former in ((timedelta(0), 200), (DAY - HOUR, 200), (DAY + HOUR, 401)):
        pass_time(passed)
        assert (await ask(shared_platform, {**GRANT, **shown(rotated)})).status_code == 200
        assert (await ask(shared_platform, {**GRANT, **shown(made)})).status_code == former, passed


async def test_a_wrong_secret_is_told_to_those_responsible(shared_platform: Platform) -> None:
    made = await make_client(shared_platform.tenant)
    await ask(shared_platform, {**GRANT, **shown(made), "client_secret": "guess"})
    [event] = await events_of(shared_platform.tenant, "oauth_client_refused")
    assert event["details"] == {"client_id": made["client_id"], "reason": "wrong secret"}
    assert (event["actor_id"], event["address"]) == (made["id"], "127.0.0.1")


async def test_nobody_registers_a_client_mightier_than_themselves(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    for scope, code in (("platform:manage", "ROLE_TOO_MIGHTY"), ("*", "ROLE_TOO_MIGHTY"), ("x:y", "UNKNOWN_SCOPE")):
        answer = await tenant.client.post(CLIENTS, json={"name": "Shop", "scopes": [scope]})
        assert answer.json()["error"]["code"] == code
    mighty = await make_client(tenant, "stock:read")
    humble = await make_key(tenant, "api_keys:manage", "products:read")
    async with sqlite_platform.client(humble["key"]) as program:
        answer = await program.post(f"{CLIENTS}/{mighty['id']}/rotate")
        assert refusal(answer) == (403, "ROLE_TOO_MIGHTY"), "else its secret would be theirs"


async def test_the_secret_is_shown_once(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    body, once = {"name": "Shop", "scopes": ["products:read"]}, {"Idempotency-Key": "shop-1"}
    first = await tenant.client.post(CLIENTS, json=body, headers=once)
    assert refusal(await tenant.client.post(CLIENTS, json=body, headers=once)) == (409, "SHOWN_ONCE")
    [listed] = await tenant.get(CLIENTS)
    assert listed.keys() == first.json()["data"].keys() - {"client_secret"}
