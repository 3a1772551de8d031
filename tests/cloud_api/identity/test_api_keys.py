"""Keys of programs: what they may do, from where, for how long, and that nobody can read them anywhere."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from cloud_api.kernel import clock, logs
from cloud_api.kernel.masking import mask_text
from cloud_api.kernel.signing import SigningSecret
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.people import add_person, tokens
from tests.cloud_api.identity.programs import (
    CATEGORIES,
    KEYS,
    PRODUCTS,
    events_of,
    get,
    make_key,
    pass_time,
    refusal,
)
from tests.platform_under_test import Platform, open_platform

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOT_VALID = (401, "API_KEY_NOT_VALID")


async def test_a_key_opens_what_its_scopes_say_and_nothing_else(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant, "products:read")
    async with shared_platform.client(made["key"]) as program:
        assert (await program.get(PRODUCTS)).status_code == 200
        assert refusal(await program.post(CATEGORIES, json={"name": "Leafy", "slug": "leafy"})) == (403, "FORBIDDEN")
        assert refusal(await program.get(KEYS)) == (403, "FORBIDDEN")
        assert refusal(await program.get("/api/v1/auth/me")) == (403, "FORBIDDEN")


async def test_the_key_may_come_in_a_header_of_its_own(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant)
    async with shared_platform.client() as program:
        assert (await program.get(PRODUCTS, headers={"X-API-Key": made["key"]})).status_code == 200
        assert refusal(await program.get(PRODUCTS, headers={"X-API-Key": made["key"][:-1]})) == NOT_VALID
        assert refusal(await program.get(PRODUCTS, headers={"X-API-Key": ""})) == (401, "UNAUTHENTICATED")
        both = {"X-API-Key": made["key"], "Authorization": "Bearer nobody"}
        assert (await program.get(PRODUCTS, headers=both)).status_code == 401, "the bearer token counts"


@pytest.mark.parametrize(
    ("scope", "opened", "closed"),
    [
        ("products:*", [PRODUCTS, CATEGORIES], ["/api/v1/warehouse/stock/movements", KEYS]),
        ("inventory:*", [PRODUCTS, "/api/v1/warehouse/stock/movements"], ["/api/v1/orders", KEYS]),
        ("logistics:*", ["/api/v1/warehouse/routes"], [PRODUCTS, KEYS]),
    ],
)
async def test_a_wildcard_opens_what_it_stands_for(
    sqlite_platform: Platform, scope: str, opened: list[str], closed: list[str]
) -> None:
    made = await make_key(sqlite_platform.tenant, scope)
    assert made["scopes"] == [scope]
    async with sqlite_platform.client(made["key"]) as program:
        assert {(await program.get(path)).status_code for path in opened} == {200}
        assert {(await program.get(path)).status_code for path in closed} == {403}


@pytest.mark.parametrize("scope", ["*", "platform:manage", "platform:*", "telemetry:*", "flags:manage"])
async def test_nobody_gives_a_key_what_they_have_not(sqlite_platform: Platform, scope: str) -> None:
    tenant = sqlite_platform.tenant
    refused = await tenant.client.post(KEYS, json={"name": "ERP", "scopes": ["products:read", scope]})
    assert refusal(refused) == (403, "ROLE_TOO_MIGHTY")
    made = await make_key(tenant)
    assert (await tenant.client.put(f"{KEYS}/{made['id']}", json={"scopes": [scope]})).status_code == 403
    assert [key["scopes"] for key in await tenant.get(KEYS)] == [["products:read"]]


async def test_only_who_has_everything_gives_everything(platform: Platform) -> None:
    operator = await platform.found_platform()
    made = await make_key(operator, "*")
    async with platform.client(made["key"]) as program:
        assert (await program.get(KEYS)).status_code == 200
        assert (await program.get("/api/v1/admin/feature-flags")).status_code == 200


async def test_a_key_makes_no_key_mightier_than_itself(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    mighty, humble = await make_key(tenant, "stock:read"), await make_key(tenant, "api_keys:manage", "products:read")
    async with sqlite_platform.client(humble["key"]) as program:
        made = await program.post(KEYS, json={"name": "Child", "scopes": ["products:read"]})
        assert (made.status_code, made.json()["data"]["created_by"]) == (201, humble["id"])
        for method, path in (("PUT", ""), ("POST", "/rotate")):
            answer = await program.request(method, f"{KEYS}/{mighty['id']}{path}", json={})
            assert refusal(answer) == (403, "ROLE_TOO_MIGHTY"), "else its secret would be theirs"
        assert (await program.post(KEYS, json={"name": "X", "scopes": ["stock:read"]})).status_code == 403


@pytest.mark.parametrize(
    "fields",
    [
        {"scopes": []},
        {"scopes": ["bananas:peel"]},
        {"scopes": ["bananas:*"]},
        {"scopes": ["products:fly"]},
        {"scopes": ["products"]},
        {"scopes": ["*:read"]},
        {"name": ""},
        {"ip_ranges": ["here"]},
        {"ip_ranges": ["10.0.0.1/8"]},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "2101-01-01T00:00:00"},
        {"revoked_at": None},
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(sqlite_platform: Platform, fields: dict[str, object]) -> None:
    answer = await sqlite_platform.tenant.client.post(KEYS, json={"name": "ERP", "scopes": ["products:read"], **fields})
    assert answer.status_code == 422, answer.text
    made = await make_key(sqlite_platform.tenant)
    changed = await sqlite_platform.tenant.client.put(f"{KEYS}/{made['id']}", json=fields)
    assert changed.status_code == 422, changed.text


async def test_a_key_is_changed_field_by_field(shared_platform: Platform) -> None:
    tenant, until = shared_platform.tenant, (clock.now() + DAY).isoformat()
    made = await make_key(tenant, "products:read", ip_ranges=["10.0.0.0/8"], expires_at=until)
    path = f"{KEYS}/{made['id']}"
    renamed = await tenant.put(path, {"name": "Ledger"})
    assert (renamed["name"], renamed["scopes"], renamed["ip_ranges"]) == ("Ledger", ["products:read"], ["10.0.0.0/8"])
    wider = await tenant.put(path, {"scopes": ["stock:read", "products:read", "stock:read"], "expires_at": None})
    assert (wider["name"], wider["scopes"], wider["expires_at"]) == ("Ledger", ["products:read", "stock:read"], None)
    assert (await tenant.put(path, {"ip_ranges": []}))["ip_ranges"] == []
    assert (await get(shared_platform, made["key"], "/api/v1/warehouse/stock/movements")).status_code == 200


async def test_a_revoked_key_opens_nothing_and_stays_revoked(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made = await make_key(tenant)
    rotated = await tenant.post(f"{KEYS}/{made['id']}/rotate")
    for _ in range(2):
        assert (await tenant.client.delete(f"{KEYS}/{made['id']}")).status_code == 204
    for key in (made["key"], rotated["key"]):
        assert refusal(await get(shared_platform, key)) == NOT_VALID
    [listed] = await tenant.get(KEYS)
    assert listed["revoked_at"] is not None
    for method, path in (("PUT", ""), ("POST", "/rotate")):
        answer = await tenant.client.request(method, f"{KEYS}/{made['id']}{path}", json={})
        assert refusal(answer) == (409, "API_KEY_REVOKED")
    [event] = await events_of(tenant, "api_key_refused")
    assert (event["actor_id"], event["address"]) == (made["id"], "127.0.0.1")
    assert event["details"] == {"prefix": made["prefix"], "reason": "revoked"}


async def test_a_key_ends_when_it_was_said_to(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant, expires_at=(clock.now() + HOUR).isoformat())
    assert (await get(shared_platform, made["key"])).status_code == 200
    pass_time(HOUR)
    assert refusal(await get(shared_platform, made["key"])) == NOT_VALID
    clock.use(None)
    [event] = await events_of(shared_platform.tenant, "api_key_refused")
    assert event["details"]["reason"] == "expired"


@pytest.mark.parametrize(
    ("ranges", "inside", "outside"),
    [
        (["203.0.113.0/24"], ["203.0.113.9", "::ffff:203.0.113.9"], ["203.0.114.9", "2001:db8::1"]),
        (["10.0.0.7", "2001:db8::/32"], ["10.0.0.7", "2001:db8::7"], ["10.0.0.8", "2001:db9::7", ""]),
    ],
)
async def test_a_key_is_good_within_its_ranges_only(
    sqlite_platform: Platform, ranges: list[str], inside: list[str], outside: list[str]
) -> None:
    made = await make_key(sqlite_platform.tenant, ip_ranges=ranges)
    for address in inside:
        assert (await get(sqlite_platform, made["key"], address=address)).status_code == 200, address
    for address in outside:
        answer = await get(sqlite_platform, made["key"], address=address)
        assert refusal(answer) == (403, "ADDRESS_NOT_ALLOWED"), address
    events = await events_of(sqlite_platform.tenant, "api_key_refused")
    assert {(event["address"], event["details"]["reason"]) for event in events} == {(at, "address") for at in outside}


async def test_a_program_that_goes_on_asking_is_told_of_once(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant)
    guess = made["key"][:-4] + ("0000" if made["key"][-4:] != "0000" else "1111")
    for _ in range(5):
        assert refusal(await get(shared_platform, guess)) == NOT_VALID
    [event] = await events_of(shared_platform.tenant, "api_key_refused")
    assert event["details"]["reason"] == "wrong secret"
    assert (await get(shared_platform, made["key"])).status_code == 200, "guessing locks nobody out"


async def test_what_is_no_key_of_ours_opens_nothing(sqlite_platform: Platform) -> None:
    made = await make_key(sqlite_platform.tenant)
    key, (_, prefix, secret) = made["key"], made["key"].split("_")
    for wrong in (
        "cf_",
        "cf__",
        f"cf_{prefix}",
        f"cf_{prefix}_",
        f"cf_{prefix}_{secret[:-1]}",
        f"cf_{secret[:16]}_{secret}",
        f"cf_{prefix[:-1]}G_{secret}",
        f"cf_{prefix}_{secret}0",
        f"CF_{prefix}_{secret}",
        f"cf_%_{secret}",
        secret,
        prefix,
    ):
        assert (await get(sqlite_platform, wrong)).status_code == 401, wrong
    assert (await get(sqlite_platform, key)).status_code == 200


async def test_after_a_rotation_both_secrets_work_for_a_day(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant)
    rotated = await shared_platform.tenant.post(f"{KEYS}/{made['id']}/rotate")
    assert (rotated["prefix"], rotated["signing_secret"]) == (made["prefix"], None)
    for passed, former in ((timedelta(0), 200), (DAY - HOUR, 200), (DAY + HOUR, 401)):
        pass_time(passed)
        assert (await get(shared_platform, rotated["key"])).status_code == 200
        assert (await get(shared_platform, made["key"])).status_code == former, passed


async def test_the_overlap_may_be_chosen_up_to_a_week(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    made = await make_key(tenant)
    path = f"{KEYS}/{made['id']}/rotate"
    assert (await tenant.client.post(path, json={"overlap_hours": 169})).status_code == 422
    await tenant.post(path, {"overlap_hours": 168})
    pass_time(7 * DAY - HOUR)
    assert (await get(sqlite_platform, made["key"])).status_code == 200
    pass_time(7 * DAY + HOUR)
    assert (await get(sqlite_platform, made["key"])).status_code == 401


async def test_what_has_leaked_ends_at_once_and_takes_the_signing_secret_with_it(sqlite_platform: Platform) -> None:
    tenant = sqlite_platform.tenant
    made = await make_key(tenant)
    rotated = await tenant.post(f"{KEYS}/{made['id']}/rotate", {"overlap_hours": 0})
    assert refusal(await get(sqlite_platform, made["key"])) == NOT_VALID
    assert (await get(sqlite_platform, rotated["key"])).status_code == 200
    assert rotated["signing_secret"] not in {None, made["signing_secret"]}
    assert rotated["previous_valid_until"] is None


async def test_a_second_rotation_ends_the_secret_before_the_last(sqlite_platform: Platform) -> None:
    made = await make_key(sqlite_platform.tenant)
    path = f"{KEYS}/{made['id']}/rotate"
    second, third = await sqlite_platform.tenant.post(path), await sqlite_platform.tenant.post(path)
    statuses = [(await get(sqlite_platform, one["key"])).status_code for one in (made, second, third)]
    assert statuses == [401, 200, 200]


async def test_a_key_sees_its_own_organisation_only(shared_platform: Platform) -> None:
    ours, other = shared_platform.tenant, await shared_platform.found()
    scopes = ("products:*", "api_keys:manage", "storage:*")
    key, foreign = await make_key(ours, *scopes), await make_key(other, *scopes)
    theirs = (await other.post(CATEGORIES, {"name": "Leafy", "slug": "leafy"}))["id"]
    async with shared_platform.client(key["key"]) as program:
        assert [row["id"] for row in (await program.get(KEYS)).json()["data"]] == [key["id"]]
        assert (await program.get(CATEGORIES)).json()["data"] == []
        for method, path in (
            ("GET", f"{CATEGORIES}/{theirs}"),
            ("PUT", f"{KEYS}/{foreign['id']}"),
            ("DELETE", f"{KEYS}/{foreign['id']}"),
            ("POST", f"{KEYS}/{foreign['id']}/rotate"),
        ):
            assert refusal(await program.request(method, path, json={})) == (404, "NOT_FOUND"), path
    assert (await get(shared_platform, foreign["key"])).status_code == 200


async def test_a_key_outlives_the_account_of_its_maker_and_not_its_organisation(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made = await make_key(tenant)
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        await db.execute(text("UPDATE users SET status = 'inactive' WHERE username = :name"), {"name": tenant.username})
    assert (await get(shared_platform, made["key"])).status_code == 200
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        await db.execute(text("UPDATE organizations SET is_active = false WHERE slug = :slug"), {"slug": tenant.slug})
    assert refusal(await get(shared_platform, made["key"])) == NOT_VALID


async def test_its_use_is_noted_to_the_minute(shared_platform: Platform) -> None:
    tenant = shared_platform.tenant
    made = await make_key(tenant)
    assert made["last_used_at"] is None
    await asyncio.gather(*(get(shared_platform, made["key"]) for _ in range(4)))
    [first] = await tenant.get(KEYS)
    await get(shared_platform, made["key"])
    [same] = await tenant.get(KEYS)
    assert first["last_used_at"] == same["last_used_at"] is not None
    pass_time(timedelta(seconds=61))
    await get(shared_platform, made["key"])
    [later] = await tenant.get(KEYS)
    assert later["last_used_at"] > first["last_used_at"]


async def test_a_request_goes_on_when_its_use_cannot_be_noted(sqlite_url: str) -> None:
    full = """CREATE TRIGGER full BEFORE UPDATE OF last_used_at ON api_keys
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"""
    async with open_platform(sqlite_url) as platform:
        made = await make_key(platform.tenant)
        async with platform.database.unit_of_work(SystemScope("test")) as db:
            await db.execute(text(full))
        assert (await get(platform, made["key"])).status_code == 200
        [listed] = await platform.tenant.get(KEYS)
        assert listed["last_used_at"] is None


async def test_what_a_key_does_stands_under_its_name_in_the_trail(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant, "products:*")
    async with shared_platform.client(made["key"]) as program:
        category = (await program.post(CATEGORIES, json={"name": "Leafy", "slug": "leafy"})).json()["data"]
    [entry] = await shared_platform.tenant.get("/api/v1/admin/security/audit-logs", entity_id=category["id"])
    assert (entry["actor_kind"], entry["actor_id"], entry["actor_name"]) == ("api_key", made["id"], "ERP")


async def test_a_program_may_send_a_write_twice(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant, "products:*")
    async with shared_platform.client(made["key"]) as program:
        sent = {"json": {"name": "Leafy", "slug": "leafy"}, "headers": {"Idempotency-Key": "leafy-1"}}
        first, again = [await program.post(CATEGORIES, **sent) for _ in range(2)]  # type: ignore[arg-type]
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_key_is_nobody_who_has_a_phone(sqlite_platform: Platform) -> None:
    made = await make_key(sqlite_platform.tenant)
    async with sqlite_platform.client(made["key"]) as program:
        answer = await program.post("/api/v1/mobile/devices", json={"registration": "phone-of-a-program"})
    assert refusal(answer) == (403, "FORBIDDEN")


async def test_keys_are_managed_by_who_may(sqlite_platform: Platform) -> None:
    made = await make_key(sqlite_platform.tenant)
    person = await add_person(sqlite_platform, roles=["warehouse_manager"])
    token = (await tokens(sqlite_platform, person.username))["access_token"]
    async with sqlite_platform.client(token) as manager:
        for method, path in (("GET", ""), ("POST", ""), ("PUT", f"/{made['id']}"), ("DELETE", f"/{made['id']}")):
            sent = {"name": "ERP", "scopes": ["products:read"]} if method == "POST" else {}
            assert refusal(await manager.request(method, f"{KEYS}{path}", json=sent)) == (403, "FORBIDDEN"), method


async def test_a_key_signs_with_a_secret_of_its_own(shared_platform: Platform) -> None:
    made = await make_key(shared_platform.tenant)
    secret_of: SigningSecret = shared_platform.app.state.signing_secret
    asked = []

    async def ask(_connection: object, principal: object) -> None:
        asked.append(await secret_of(shared_platform.database, principal))  # type: ignore[arg-type]

    gates = shared_platform.app.state.admission_gates
    shared_platform.app.state.admission_gates = (*gates, ask)
    try:
        await get(shared_platform, made["key"])
        await shared_platform.tenant.client.get(PRODUCTS)
    finally:
        shared_platform.app.state.admission_gates = gates
    assert asked == [made["signing_secret"], None]
    assert made["signing_secret"] not in made["key"]


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """What the process writes, debugging included."""
    written = io.StringIO()
    with redirect_stdout(written), redirect_stderr(written):
        logs.configure(level="debug", for_people=False)
        yield written
    logs.configure(level="warning", for_people=True)
    structlog.contextvars.clear_contextvars()


async def test_the_secrets_stand_in_no_log_no_answer_but_one_and_no_column(
    platform: Platform, everything_logged: io.StringIO
) -> None:
    tenant, once = platform.tenant, {"Idempotency-Key": "make-1"}
    body = {"name": "ERP", "scopes": ["products:read"]}
    first = await tenant.client.post(KEYS, json=body, headers=once)
    assert refusal(await tenant.client.post(KEYS, json=body, headers=once)) == (409, "SHOWN_ONCE")
    made = first.json()["data"]
    rotated = await tenant.post(f"{KEYS}/{made['id']}/rotate")
    for key in (made["key"], rotated["key"]):
        assert (await get(platform, key)).status_code == 200
    await get(platform, f"{made['key'][:-4]}0000")
    structlog.get_logger("test").error("leaked", text=f"key {made['key']} refused")
    secrets = [made["key"].split("_")[2], rotated["key"].split("_")[2], made["signing_secret"]]
    seen = {
        "log": everything_logged.getvalue(),
        "list": json.dumps(await tenant.get(KEYS)),
        "trail": json.dumps(await tenant.get("/api/v1/admin/security/audit-logs", limit=200)),
        "events": json.dumps(await events_of(tenant, "api_key_refused")),
        "database": await contents(platform),
    }
    assert made["prefix"] in seen["database"]
    assert "leaked" in seen["log"]
    for where, what in seen.items():
        assert [secret for secret in secrets if secret in what] == [], where


async def contents(platform: Platform) -> str:
    """Every row of every table, as text."""
    postgres = platform.database.url.get_backend_name() == "postgresql"
    names = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        if postgres
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    rows = []
    async with platform.database.unit_of_work(SystemScope("test"), read_only=True) as db:
        for (table,) in (await db.execute(text(names))).all():
            if not (postgres and table.startswith("readings")):
                rows += [str(row) for row in (await db.execute(text(f'SELECT * FROM "{table}"'))).all()]  # noqa: S608
    return "\n".join(rows if postgres else [*rows, *files(Path(platform.database.url.database or ""))])


def files(path: Path) -> Iterator[str]:
    """What stands on the disk, overwritten rows included."""
    for name in (path.name, f"{path.name}-wal"):
        yield path.with_name(name).read_bytes().decode("latin-1")


def test_a_key_in_any_text_is_masked() -> None:
    key = f"cf_{'0123456789abcdef'}_{'0f' * 32}"
    for line in (f"refused {key}", f"'{key}'", f"https://x.example/?key={key}&a=b", key.replace("cf_", "cfs_")):
        assert "0f0f" not in mask_text(line), line
    assert mask_text("cf_configuration_table") == "cf_configuration_table"


async def test_a_long_list_of_keys_comes_in_pages(sqlite_platform: Platform) -> None:
    for _ in range(3):
        await make_key(sqlite_platform.tenant)
    first = await sqlite_platform.tenant.client.get(KEYS, params={"limit": 2})
    cursor = first.json()["meta"]["next_cursor"]
    second = await sqlite_platform.tenant.client.get(KEYS, params={"limit": 2, "cursor": cursor})
    assert [len(page.json()["data"]) for page in (first, second)] == [2, 1]
