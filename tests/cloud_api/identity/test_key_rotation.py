"""The keys that sign access tokens: a new one at any time, and nobody who is signed in notices."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import event, func, select

from cloud_api.identity.sessions.keyring import OVERLAP, SETTINGS_KEY, Keyring, draw_key
from cloud_api.identity.sessions.models import SigningKey
from cloud_api.identity.tokens import ACCESS_TOKEN_LIFE, AccessClaims, issue
from cloud_api.kernel import clock
from cloud_api.kernel.settings import DEVELOPMENT_SECRET
from cloud_api.kernel.tenancy import SystemScope, TenancyViolation
from tests.cloud_api.identity.people import ME, add_person, me, refresh, tokens
from tests.cloud_api.identity.programs import get, make_client, pass_time, refusal
from tests.cloud_api.identity.test_oauth_clients import token_of
from tests.platform_under_test import Platform, Tenant, application, open_platform

ROTATE = "/api/v1/admin/security/keys/rotate"
SYSTEM = SystemScope("test")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Platform]:
    """The same for what no engine decides."""
    async with open_platform(sqlite_url) as opened:
        yield opened


@pytest.fixture
async def operator(platform: Platform) -> Tenant:
    """Who may rotate; in a database of the test's own, for the keys are everybody's."""
    return await platform.found_platform()


@pytest.fixture
async def elsewhere(platform: Platform) -> AsyncIterator[Platform]:
    """Another process on the same database."""
    app = application(platform.settings)
    other = Platform(app, app.state.database, platform.settings, tenants=[platform.tenant])
    yield other
    await other.database.close()


def key_id(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def forged(token: str, secret: str, **changed: object) -> str:
    """The same claims, changed, and signed with a secret of ours that has leaked."""
    claims = {**jwt.decode(token, options={"verify_signature": False}), **changed}
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": key_id(token)})


async def sign_in(platform: Platform, username: str) -> str:
    return str((await tokens(platform, username))["access_token"])


async def secret_of(platform: Platform, kid: str) -> str:
    async with platform.database.unit_of_work(SYSTEM, read_only=True) as db:
        return (await db.get_one(SigningKey, uuid.UUID(kid))).secret


async def test_tokens_of_the_former_key_are_good_until_they_expire(platform: Platform, operator: Tenant) -> None:
    person, client = await add_person(platform), await make_client(platform.tenant)
    before, program = await tokens(platform, person.username), await token_of(platform, client)
    assert key_id(before["access_token"]) == SETTINGS_KEY
    first = await operator.post(ROTATE)
    after = await sign_in(platform, person.username)
    assert key_id(after) == first["id"]
    second = await operator.post(ROTATE)
    for passed, expected in ((timedelta(0), 200), (ACCESS_TOKEN_LIFE - MINUTE, 200), (ACCESS_TOKEN_LIFE + MINUTE, 401)):
        pass_time(passed)
        for token in (before["access_token"], after):
            assert (await me(platform, token)).status_code == expected, passed
        assert (await get(platform, program)).status_code == expected
    renewed = (await refresh(platform, before["refresh_token"])).json()["data"]["access_token"]
    assert key_id(renewed) == second["id"], "a rotation ends no sign-in"
    assert (await me(platform, renewed)).status_code == 200


@pytest.mark.parametrize("drawn_before", [False, True])
async def test_a_key_that_has_leaked_is_worth_nothing_after_the_overlap(embedded: Platform, drawn_before: bool) -> None:
    operator = await embedded.found_platform()
    if drawn_before:
        await operator.post(ROTATE)
    person = await add_person(embedded)
    token = await sign_in(embedded, person.username)
    leaked = DEVELOPMENT_SECRET if not drawn_before else await secret_of(embedded, key_id(token))
    later = forged(token, leaked, exp=int((clock.now() + timedelta(days=30)).timestamp()))
    pass_time(timedelta(days=1))
    assert (await me(embedded, later)).status_code == 200, "before the rotation it would have been"
    clock.use(None)
    await operator.post(ROTATE)
    pass_time(OVERLAP - MINUTE)
    assert (await me(embedded, later)).status_code == 200
    pass_time(OVERLAP + MINUTE)
    assert refusal(await me(embedded, later)) == (401, "UNAUTHENTICATED")


async def test_another_process_believes_the_new_key_at_once(
    platform: Platform, operator: Tenant, elsewhere: Platform
) -> None:
    person = await add_person(platform)
    old = await sign_in(elsewhere, person.username)
    assert (await me(elsewhere, old)).status_code == 200, "it has looked just now, and seen no key"
    await operator.post(ROTATE)
    new = await sign_in(platform, person.username)
    for process in (platform, elsewhere):
        assert [(await me(process, token)).status_code for token in (old, new)] == [200, 200]


async def test_another_process_signs_with_the_new_key_at_once(
    platform: Platform, operator: Tenant, elsewhere: Platform
) -> None:
    person = await add_person(platform)
    assert key_id(await sign_in(elsewhere, person.username)) == SETTINGS_KEY
    drawn = await operator.post(ROTATE)
    assert key_id(await sign_in(elsewhere, person.username)) == drawn["id"]
    pass_time(2 * OVERLAP)
    token = await sign_in(elsewhere, person.username)
    assert (await me(elsewhere, token)).status_code == 200, "even one that has slept through the overlap"


async def test_a_process_that_has_just_started_signs_with_the_newest_key(platform: Platform, operator: Tenant) -> None:
    await operator.post(ROTATE)
    drawn = await operator.post(ROTATE)
    async with platform.database.unit_of_work(SYSTEM, read_only=True) as db:
        assert (await Keyring("0" * 32).newest(db))[0] == drawn["id"]


async def test_of_many_rotations_at_once_one_key_signs_in_the_end(
    platform: Platform, operator: Tenant, elsewhere: Platform
) -> None:
    token = operator.client.headers["Authorization"].removeprefix("Bearer ")
    async with elsewhere.client(token) as there:
        answers = await asyncio.gather(
            *(client.post(ROTATE) for client in (operator.client, there, operator.client, there))
        )
    assert [answer.status_code for answer in answers] == [200] * 4
    async with platform.database.unit_of_work(SYSTEM, read_only=True) as db:
        drawn = await db.scalar(select(func.count()).select_from(SigningKey))
        [signs] = await db.scalars(select(SigningKey.id).where(SigningKey.retires_at.is_(None)))
        assert drawn == 4
        for process in (platform, elsewhere):
            assert (await process.app.state.keyring.newest(db))[0] == str(signs)


async def test_invented_keys_cost_a_look_only_when_they_could_be_ours(sqlite_platform: Platform) -> None:
    keyring = Keyring("0" * 32)
    database = sqlite_platform.database
    looks: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "min(signing_keys.created_at)" in statement:
            looks.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", count)
    for _ in range(2):
        assert await keyring.secret(database, SETTINGS_KEY) == "0" * 32
    assert len(looks) == 1
    for invented in ("", "x", "settings2", str(uuid.uuid4()).upper(), uuid.uuid4().hex, "{" + str(uuid.uuid4()) + "}"):
        assert await keyring.secret(database, invented) is None
    assert len(looks) == 1
    assert await keyring.secret(database, str(uuid.uuid4())) is None
    assert len(looks) == 2
    event.remove(database.engine.sync_engine, "before_cursor_execute", count)


async def test_what_is_wrong_with_a_token_of_a_drawn_key_is_found(embedded: Platform) -> None:
    operator = await embedded.found_platform()
    await operator.post(ROTATE)
    person = await add_person(embedded)
    genuine = await sign_in(embedded, person.username)
    secret = await secret_of(embedded, key_id(genuine))
    claims = jwt.decode(genuine, options={"verify_signature": False})
    head, body, signature = genuine.split(".")
    wrong = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": key_id(genuine)}),
        forged(genuine, secret, aud="somebody-else"),
        forged(genuine, secret, iss="somebody"),
        jwt.encode(claims, secret, algorithm="HS256", headers={"kid": str(uuid.uuid4())}),
        jwt.encode(claims, secret, algorithm="HS256", headers={"kid": SETTINGS_KEY}),
        jwt.encode(claims, secret, algorithm="HS256"),
        jwt.encode(claims, secret, algorithm="HS512", headers={"kid": key_id(genuine)}),
        forged(genuine, DEVELOPMENT_SECRET),
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{forged(genuine, secret, sub=str(uuid.uuid4())).split('.')[1]}.{signature}",
    ]
    for token in wrong:
        assert refusal(await me(embedded, token)) == (401, "UNAUTHENTICATED"), token
    over = forged(genuine, secret, exp=int(clock.now().timestamp()) - 1)
    assert refusal(await me(embedded, over)) == (401, "TOKEN_EXPIRED")
    assert (await me(embedded, forged(genuine, secret))).status_code == 200, "only these differences counted"
    async with embedded.client(genuine) as client:
        assert (await client.post("/api/v1/auth/logout")).status_code == 204
        assert refusal(await client.get(ME)) == (401, "SESSION_ENDED")


async def test_only_operators_of_the_platform_rotate_and_it_is_written_down(embedded: Platform) -> None:
    operator = await embedded.found_platform()
    assert refusal(await embedded.tenant.client.post(ROTATE)) == (403, "FORBIDDEN")
    drawn = await operator.post(ROTATE)
    [entry] = await operator.get("/api/v1/admin/security/audit-logs", action="signing_keys.rotated")
    assert (entry["entity_id"], entry["actor_kind"], entry["new"]) == (drawn["id"], "user", None)
    secret = await secret_of(embedded, drawn["id"])
    assert secret not in (await operator.client.get("/api/v1/admin/security/audit-logs")).text
    assert drawn.keys() == {"id", "created_at", "former_valid_until"}


async def test_a_rotation_that_fails_changes_nothing(embedded: Platform) -> None:
    async def fail() -> None:
        async with embedded.database.unit_of_work(SYSTEM) as db:
            await draw_key(db)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with embedded.database.unit_of_work(SYSTEM, read_only=True) as db:
        assert (await embedded.app.state.keyring.newest(db))[0] == SETTINGS_KEY


async def test_tokens_are_signed_where_the_keys_can_be_seen(sqlite_platform: Platform) -> None:
    async with sqlite_platform.database.unit_of_work(sqlite_platform.tenant.organization) as db:
        with pytest.raises(TenancyViolation):
            await issue(AccessClaims(uuid.uuid4()), sqlite_platform.app.state.keyring, db)
