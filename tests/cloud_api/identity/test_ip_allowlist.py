"""Operations of administrators, open to addresses on their organisation's list; and nobody locks themselves out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from sqlalchemy import event, text

from cloud_api.identity.allowlist.gate import AllowlistGate
from cloud_api.identity.refusals import Refusals
from cloud_api.kernel.tenancy import SystemScope
from tests.cloud_api.identity.programs import PRODUCTS, calling_from, events_of, make_key, refusal
from tests.platform_under_test import Platform, Tenant

LIST = "/api/v1/admin/security/ip-allowlist"
SETTING = "/api/v1/admin/settings/ip_allowlist_enforced"
HOME, AWAY = "203.0.113.7", "198.51.100.9"
REFUSED = (403, "ADDRESS_NOT_ALLOWED")


@asynccontextmanager
async def at(platform: Platform, address: str, tenant: Tenant | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """The administrator, calling from that address."""
    token = (tenant or platform.tenant).client.headers["Authorization"].removeprefix("Bearer ")
    async with calling_from(platform, address, token) as client:
        yield client


async def allow(platform: Platform, *ranges: str) -> list[str]:
    """Put the ranges on the list, and the list in force: their ids."""
    async with at(platform, HOME) as home:
        added = [await home.post(LIST, json={"cidr": cidr}) for cidr in ranges]
        assert (await home.put(SETTING, json={"value": True})).status_code == 200
    return [answer.json()["data"]["id"] for answer in added]


async def test_administration_is_closed_to_other_addresses_and_everything_else_is_open(
    shared_platform: Platform,
) -> None:
    key = await make_key(shared_platform.tenant, "settings:read", "products:read")
    await allow(shared_platform, "203.0.113.0/24")
    async with at(shared_platform, AWAY) as away, at(shared_platform, HOME) as home:
        assert refusal(await away.get("/api/v1/admin/settings")) == REFUSED
        assert refusal(await away.get(LIST)) == REFUSED
        assert refusal(await away.put(SETTING, json={"value": False})) == REFUSED
        assert (await away.get(PRODUCTS)).status_code == 200
        assert (await away.get("/api/v1/auth/me")).status_code == 200
        assert (await home.get("/api/v1/admin/settings")).status_code == 200
        found = (await home.get("/api/v1/admin/security/events", params={"type": "ip_refused"})).json()["data"]
    assert [(raised["address"], raised["details"]["path"]) for raised in found] == [(AWAY, "/api/v1/admin/settings")]
    async with calling_from(shared_platform, AWAY, key["key"]) as program:
        assert refusal(await program.get("/api/v1/admin/settings")) == REFUSED, "machines as well"
        assert (await program.get(PRODUCTS)).status_code == 200


async def test_each_organisation_has_a_list_of_its_own(shared_platform: Platform) -> None:
    other = await shared_platform.found()
    [range_id] = await allow(shared_platform, HOME)
    async with at(shared_platform, AWAY, other) as neighbour:
        assert (await neighbour.get(LIST)).json()["data"] == []
        assert refusal(await neighbour.delete(f"{LIST}/{range_id}")) == (404, "NOT_FOUND")
        assert (await neighbour.get("/api/v1/admin/settings")).status_code == 200
        assert (await neighbour.post(LIST, json={"cidr": HOME})).status_code == 201, "and the same range in it"


async def test_the_list_is_not_put_in_force_against_who_does_it(shared_platform: Platform) -> None:
    async with at(shared_platform, AWAY) as away:
        for body in ({"value": True}, {"values": {"ip_allowlist_enforced": True, "session.limit": 3}}):
            path = SETTING if "value" in body else "/api/v1/admin/settings"
            refused = await away.put(path, json=body)
            assert refusal(refused) == (409, "WOULD_LOCK_YOU_OUT"), "the list is empty"
        await away.post(LIST, json={"cidr": HOME, "label": "Office"})
        assert refusal(await away.put(SETTING, json={"value": True})) == (409, "WOULD_LOCK_YOU_OUT")
        assert (await away.get("/api/v1/admin/settings/session.limit")).json()["data"]["value"] == 5, "none of them"
        await away.post(LIST, json={"cidr": "198.51.100.0/24"})
        assert (await away.put(SETTING, json={"value": True})).status_code == 200


async def test_nobody_takes_away_the_range_they_stand_in(shared_platform: Platform) -> None:
    office, spare = await allow(shared_platform, "203.0.113.0/24", "192.0.2.0/24")
    async with at(shared_platform, HOME) as home:
        assert refusal(await home.delete(f"{LIST}/{office}")) == (409, "WOULD_LOCK_YOU_OUT")
        assert (await home.delete(f"{LIST}/{spare}")).status_code == 204
        await home.post(LIST, json={"cidr": HOME})
        assert (await home.delete(f"{LIST}/{office}")).status_code == 204, "another one covers them"
        [left] = (await home.get(LIST)).json()["data"]
        assert left["cidr"] == f"{HOME}/32"
        assert refusal(await home.delete(f"{LIST}/{left['id']}")) == (409, "WOULD_LOCK_YOU_OUT")
        assert (await home.put(SETTING, json={"value": None})).status_code == 200
        assert (await home.delete(f"{LIST}/{left['id']}")).status_code == 204, "nothing is in force any more"
        assert refusal(await home.delete(f"{LIST}/{left['id']}")) == (404, "NOT_FOUND")


async def test_of_two_who_take_away_each_others_range_one_stays(shared_platform: Platform) -> None:
    ours, theirs = await allow(shared_platform, HOME, AWAY)
    async with at(shared_platform, HOME) as home, at(shared_platform, AWAY) as away:
        answers = await asyncio.gather(home.delete(f"{LIST}/{theirs}"), away.delete(f"{LIST}/{ours}"))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses in ([204, 403], [204, 409])
        still = [(await client.get(LIST)).status_code for client in (home, away)]
        assert sorted(still) == [200, 403]


async def test_what_changes_counts_from_the_next_request(shared_platform: Platform) -> None:
    await allow(shared_platform, HOME)
    async with at(shared_platform, HOME) as home, at(shared_platform, AWAY) as away:
        assert (await away.get(LIST)).status_code == 403
        added = (await home.post(LIST, json={"cidr": AWAY})).json()["data"]
        assert (await away.get(LIST)).status_code == 200
        await home.delete(f"{LIST}/{added['id']}")
        assert (await away.get(LIST)).status_code == 403
        await home.put("/api/v1/admin/settings", json={"values": {"ip_allowlist_enforced": False}})
        assert (await away.get(LIST)).status_code == 200


async def test_a_range_stands_there_once_however_it_is_written(shared_platform: Platform) -> None:
    async with at(shared_platform, HOME) as home:
        first = await home.post(LIST, json={"cidr": "::ffff:10.0.0.0/104", "label": "Depot"})
        assert first.json()["data"]["cidr"] == "10.0.0.0/8"
        assert refusal(await home.post(LIST, json={"cidr": "10.0.0.0/8"})) == (409, "ALREADY_EXISTS")
        [listed] = (await home.get(LIST)).json()["data"]
        assert (listed["label"], listed["cidr"]) == ("Depot", "10.0.0.0/8")


@pytest.mark.parametrize("cidr", ["", "  ", "office", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8,192.0.2.0/24", "\0\0"])
async def test_what_is_no_range_is_refused(sqlite_platform: Platform, cidr: str) -> None:
    async with at(sqlite_platform, HOME) as home:
        assert (await home.post(LIST, json={"cidr": cidr})).status_code == 422


async def test_an_empty_list_closes_nothing(shared_platform: Platform) -> None:
    await allow(shared_platform, HOME)
    async with shared_platform.database.unit_of_work(SystemScope("test")) as db:
        statement = text(
            "DELETE FROM ip_allowlist WHERE organization_id IN (SELECT id FROM organizations WHERE slug = :s)"
        )
        await db.execute(statement, {"s": shared_platform.tenant.slug})
    async with at(shared_platform, AWAY) as away:
        assert (await away.get(LIST)).status_code == 200, "nobody could repair it"
        assert refusal(await away.post(LIST, json={"cidr": HOME})) == (409, "WOULD_LOCK_YOU_OUT")


async def test_the_check_costs_no_query_while_it_is_known(sqlite_platform: Platform) -> None:
    asked: list[str] = []
    now_s = 100.0
    gate = AllowlistGate(Refusals(), monotonic=lambda: now_s)
    ours = sqlite_platform.app.state.admission_gates
    sqlite_platform.app.state.admission_gates = (gate,)

    def count(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "ip_allowlist" in f"{statement} {parameters}":
            asked.append(statement)

    event.listen(sqlite_platform.database.engine.sync_engine, "before_cursor_execute", count)
    try:
        async with at(sqlite_platform, AWAY) as away:
            for expected in (1, 1, 1):
                await away.get("/api/v1/admin/security/threats")
                assert len(asked) == expected
            now_s += 5.0
            await away.get("/api/v1/admin/security/threats")
            assert len(asked) == 2
            asked.clear()
            await away.get(PRODUCTS)
            assert asked == []
    finally:
        event.remove(sqlite_platform.database.engine.sync_engine, "before_cursor_execute", count)
        sqlite_platform.app.state.admission_gates = ours


async def test_the_watchers_of_security_events_are_administrators_too(sqlite_platform: Platform) -> None:
    await allow(sqlite_platform, HOME)
    token = sqlite_platform.tenant.client.headers["Authorization"].removeprefix("Bearer ")
    heard = {address: await knock(sqlite_platform, address, token) for address in (HOME, AWAY)}
    assert heard == {HOME: "websocket.accept", AWAY: "websocket.close"}


async def knock(platform: Platform, address: str, token: str) -> str:
    """What a websocket from that address hears first."""
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": "/ws/admin/security-events",
        "raw_path": b"/ws/admin/security-events",
        "query_string": b"",
        "headers": [],
        "client": (address, 40_000),
        "server": ("coldfleet.test", 80),
        "subprotocols": ["bearer", token],
    }
    heard: list[str] = []
    coming: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    coming.put_nowait({"type": "websocket.connect"})

    async def send(message: dict[str, object]) -> None:
        heard.append(str(message["type"]))
        coming.put_nowait({"type": "websocket.disconnect", "code": 1000})

    await platform.app(scope, coming.get, send)  # type: ignore[arg-type]
    return heard[0]


async def test_who_may_read_the_list_may_not_change_it(sqlite_platform: Platform) -> None:
    key = await make_key(sqlite_platform.tenant, "security:read")
    async with sqlite_platform.client(key["key"]) as program:
        assert (await program.get(LIST)).status_code == 200
        assert refusal(await program.post(LIST, json={"cidr": HOME})) == (403, "FORBIDDEN")
    assert await events_of(sqlite_platform.tenant, "ip_refused") == []
